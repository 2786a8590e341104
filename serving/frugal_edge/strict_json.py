"""JSON read strictly: every complaint names the file and the key."""

import json
from collections.abc import Sequence
from typing import NoReturn, TypeGuard

from frugal_edge.errors import BundleError, EdgeError

MAX_INTEGER = 2**53 - 1
_MAX_NUMBER = 1.7e308  # a longer integer cannot become a float
_SHOWN = 60  # characters of a wrong value that a message repeats


def parse(data: bytes, file: str, error: type[EdgeError] = BundleError) -> object:
    """Parse a JSON text, refusing repeated keys and NaN.

    Raises
    ------
    EdgeError
        Of the class given: if the text is not JSON as RFC 8259 has it.
    """
    try:
        parsed: object = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise error(f"{file}: nested too deeply") from None
    except ValueError as wrong:
        raise error(f"{file}: not valid JSON: {wrong}") from wrong
    return parsed


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {repeated!r} is repeated")
    return dict(pairs)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def shown(value: object, most: int = _SHOWN) -> str:
    """Shorten a value for a message, to so many characters and a mark that some are missing."""
    try:
        text = repr(value)
    except RecursionError:  # what reads JSON may go deeper than what writes it
        text = f"a {type(value).__name__} nested too deeply"
    return text if len(text) <= most else f"{text[:most]}..."


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value.isprintable() and value != ""


class Node:
    """A JSON or YAML object whose keys are taken one by one, each with its type checked.

    Parameters
    ----------
    value
        What the JSON holds there.
    file
        Name of the file, for messages.
    path
        Keys that lead to the object, empty for the document itself.
    error
        What its methods raise.

    Raises
    ------
    EdgeError
        Of the class given, by every method: if the value is not what the method's name says.
    """

    def __init__(
        self, value: object, file: str, path: str = "", error: type[EdgeError] = BundleError
    ) -> None:
        self._file = file
        self._path = path
        self._error = error
        if not isinstance(value, dict):
            raise error(f"{file}: {path or 'document'}: expected an object, got {shown(value)}")
        self._value: dict[str, object] = value
        self._left = set(self._value)

    def names(self) -> tuple[str, ...]:
        """Return the names of all keys."""
        return tuple(self._value)

    def take(self, key: str) -> object:
        """Return a value of any type."""
        if key not in self._value:
            raise self._error(f"{self._file}: {self.place(key)}: the key is missing")
        self._left.discard(key)
        return self._value[key]

    def text(self, key: str) -> str:
        """Return a string that is not empty and can be printed in one line."""
        value = self.take(key)
        return value if _is_text(value) else self.refuse(key, "a printable text")

    def optional_text(self, key: str) -> str | None:
        """Return a string or null."""
        return None if self.take(key) is None else self.text(key)

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self.take(key)
        return value if isinstance(value, bool) else self.refuse(key, "true or false")

    def integer(self, key: str, low: int = 0) -> int:
        """Return a whole number from `low` to 2^31 - 1."""
        value = self.take(key)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= MAX_INTEGER:
            return value
        return self.refuse(key, f"a whole number from {low} to {MAX_INTEGER}")

    def number(self, key: str) -> float:
        """Return a finite number."""
        (value,) = self._finite(key, [self.take(key)], "a finite number")
        return value

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        return self._finite(key, self.array(key), "a list of finite numbers")

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of different strings, each as `text` has it."""
        values = self.array(key)
        found = tuple(value for value in values if _is_text(value))
        if len(found) == len(values) == len(set(found)):
            return found
        return self.refuse(key, "a list of different texts")

    def array(self, key: str) -> list[object]:
        """Return a list of anything."""
        value = self.take(key)
        return value if isinstance(value, list) else self.refuse(key, "a list")

    def node(self, key: str) -> "Node":
        """Return an object."""
        return Node(self.take(key), self._file, self.place(key), self._error)

    def nodes(self, key: str) -> list["Node"]:
        """Return a list of objects."""
        place = self.place(key)
        return [
            Node(value, self._file, f"{place}[{i}]", self._error)
            for i, value in enumerate(self.array(key))
        ]

    def given(self, key: str) -> bool:
        """Say whether a key that may be absent is there."""
        return key in self._value

    def as_dict(self) -> dict[str, object]:
        """Return the object as it stands, whatever it holds."""
        self._left.clear()
        return dict(self._value)

    def close(self) -> None:
        """Refuse keys that were not taken."""
        if self._left:
            unknown = ", ".join(repr(key) for key in sorted(self._left))
            raise self._error(f"{self._file}: {self._path or 'document'}: unknown key {unknown}")

    def refuse(self, key: str, expected: str) -> NoReturn:
        """Raise for the value of a key."""
        raise self._error(
            f"{self._file}: {self.place(key)}: expected {expected}, got {shown(self._value[key])}"
        )

    def place(self, key: str) -> str:
        """Return the path of a key."""
        return f"{self._path}.{key}" if self._path else key

    def _finite(self, key: str, values: Sequence[object], expected: str) -> tuple[float, ...]:
        found = []
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int | float):
                self.refuse(key, expected)
            if not abs(value) <= _MAX_NUMBER:
                self.refuse(key, expected)
            found.append(float(value))
        return tuple(found)
