"""YAML read strictly: keys are texts, each there once; then it is read like strict JSON."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

from frugal_edge.errors import ConfigError
from frugal_edge.strict_json import Node, shown

_MAX_BYTES = 1 << 20  # of a file

# what PyYAML raises for a scalar that is not what its tag says, as in `!!int ''`
_OF_TAGS = (ValueError, IndexError, KeyError, AttributeError, OverflowError)


def read_yaml(path: Path) -> Node:
    """Read a file that holds one YAML object.

    Raises
    ------
    ConfigError
        If it cannot be read, is not YAML, is too large or refers to itself, or has a key twice.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path}: expected at most {_MAX_BYTES} bytes, got more")
    return Node(_parsed(data, path), str(path), error=ConfigError)


def _parsed(data: bytes, path: Path) -> object:
    import yaml

    class Loader(yaml.SafeLoader):
        """YAML whose keys are texts, each there once, on which PyYAML does not insist."""

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            if self.check_event(yaml.AliasEvent):  # few bytes of them make gigabytes
                raise ConfigError(f"{path}: expected values without YAML aliases (*name), got one")
            return super().compose_node(parent, index)

        def construct_mapping(
            self, node: yaml.MappingNode, deep: bool = False
        ) -> dict[Hashable, Any]:
            seen = set()
            place = f"{path}: line {node.start_mark.line + 1}"
            for key_node, _ in node.value:
                key = self.construct_object(key_node)
                if not isinstance(key, str):
                    raise ConfigError(f"{place}: expected a text as key, got {shown(key)}")
                if key in seen:
                    raise ConfigError(f"{place}: key {key!r} is repeated")
                seen.add(key)
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(data, Loader)  # noqa: S506 - a safe loader, made stricter
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except (yaml.YAMLError, *_OF_TAGS) as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
