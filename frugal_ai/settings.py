"""The base of every setting that a user writes: frozen, and unknown keys are refused."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
)
from pydantic_core import ErrorDetails

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_BRANCH = re.compile(r"str|constrained-.*|.*[\['].*")  # what pydantic calls one of several types
_DURATION = re.compile(r"(\d+)(s|min|h|d)")


class Settings(BaseModel):
    """Frozen settings; a key that is not declared is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _parse_duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a duration such as 30min, 1h or 7d, got {value!r}")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def format_duration(value: timedelta) -> str:
    """Write a duration as a user would: 30min, 1h, 7d."""
    seconds = int(value.total_seconds())
    for unit, size in sorted(_UNITS.items(), key=lambda item: -item[1]):
        if seconds % size == 0 and (seconds or unit == "d"):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


Duration = Annotated[timedelta, BeforeValidator(_parse_duration), PlainSerializer(format_duration)]


def describe(error: ValidationError, root: tuple[str, ...] = ()) -> str:
    """Say in one line for each problem: key, what was expected, what was given."""
    lines = []
    for problem in _most_telling(error.errors(include_url=False)):
        place = [*root, *(part for part in problem["loc"] if not _is_branch(part))]
        key = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in place
        ).lstrip(".")
        message = problem["msg"].removeprefix("Value error, ")
        given = problem["input"]
        if problem["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key")
        elif problem["type"] == "missing":
            lines.append(f"{key}: expected, but it is missing")
        elif problem["type"] == "value_error" or isinstance(given, dict | Settings):
            lines.append(f"{key}: {message}" if key else message)
        else:
            lines.append(f"{key}: {message}, got {given!r}")
    return "; ".join(lines)


def _is_branch(part: str | int) -> bool:
    return isinstance(part, str) and _BRANCH.fullmatch(part) is not None


def _most_telling(problems: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what only follows from other problems.

    Where a value may be of several types, those of the one that it is most like are kept. A list is
    called too short where its items are wrong.
    """

    def shared(problem: ErrorDetails) -> tuple[str | int, ...]:
        place = problem["loc"]
        return place[: next((i for i, part in enumerate(place) if _is_branch(part)), len(place))]

    deepest: dict[tuple[str | int, ...], int] = {}
    for one in problems:
        deepest[shared(one)] = max(deepest.get(shared(one), 0), len(one["loc"]))
    inside = {one["loc"][:end] for one in problems for end in range(len(one["loc"]))}
    return [
        one
        for one in problems
        if len(one["loc"]) == deepest[shared(one)]
        and not (one["type"] == "too_short" and one["loc"] in inside)
    ]


def parse_duration(text: str) -> timedelta:
    """Read a duration as a user writes it.

    Raises
    ------
    ValueError
        If it is none.
    """
    found = _parse_duration(text)
    assert isinstance(found, timedelta)  # noqa: S101 - of a text it is one
    return found
