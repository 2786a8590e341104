"""Files that a user writes in YAML; a key that stands twice is refused."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from frugal_ai.errors import FrugalError


def read_text(path: Path, kind: type[FrugalError]) -> str:
    """Read a file as UTF-8; what is wrong is an error of the given kind that names the file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise kind(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise kind(f"{path}: expected UTF-8 text: {error}") from error


def parse_yaml(text: str, path: Path, kind: type[FrugalError]) -> dict[str, Any]:
    """Parse keys and values.

    Parameters
    ----------
    text
        Of the file.
    path
        Its name, for messages.
    kind
        Of the error where it is not YAML, or not keys and values.
    """
    try:
        declared = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader underneath
    except yaml.YAMLError as error:
        raise kind(f"{path}: expected YAML: {' '.join(str(error).split())}") from error
    if not isinstance(declared, dict):
        raise kind(f"{path}: expected keys and values, got {type(declared).__name__}")
    return declared


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice; YAML's own rule would drop the first in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)
