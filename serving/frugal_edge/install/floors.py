"""The highest release committed by each signing key for each series: nothing older comes back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from frugal_edge.errors import InstallError
from frugal_edge.install import disk
from frugal_edge.install.lock import folder_lock
from frugal_edge.install.slots import Entry
from frugal_edge.strict_json import Node, parse

_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Floor:
    """A committed release."""

    sequence: int
    id: str


Floors = Mapping[str, Mapping[str, Floor]]  # by key identifier and series


def path_of(state: Path) -> Path:
    """Return the file of a gateway's floors."""
    return state / "trust" / "floors.json"


def read(state: Path) -> Floors:
    """Read all floors; none if nothing was committed yet.

    Raises
    ------
    InstallError
        If the file cannot be read or says something else.
    """
    path = path_of(state)
    data = disk.read_bounded(path, _MAX_BYTES)
    if data is None:
        return {}
    root = Node(parse(data, str(path), InstallError), str(path), error=InstallError)
    return {key: _by_series(root.node(key)) for key in root.names()}


def _by_series(node: Node) -> dict[str, Floor]:
    found = {}
    for series in node.names():
        one = node.node(series)
        found[series] = Floor(one.integer("sequence"), one.text("id"))
        one.close()
    return found


def lift(state: Path, series_id: str, entry: Entry) -> None:
    """Raise the floor of a series to a committed bundle, durably; it never sinks.

    Raises
    ------
    InstallError
        If it cannot be written.
    """
    path = path_of(state)
    with disk.told(path):
        disk.make_folder(path.parent)
        with folder_lock(path.parent):
            floors = {key: dict(by_series) for key, by_series in read(state).items()}
            known = floors.setdefault(entry.key, {}).get(series_id)
            if known is not None and known.sequence >= entry.sequence:
                return
            floors[entry.key][series_id] = Floor(entry.sequence, entry.id)
            content = {
                key: {
                    name: {"sequence": floor.sequence, "id": floor.id}
                    for name, floor in sorted(by_series.items())
                }
                for key, by_series in sorted(floors.items())
            }
            disk.replace_synced(path, json.dumps(content, indent=1).encode())


def check(floors: Floors, series_id: str, entry: Entry) -> None:
    """Refuse a downgrade.

    Raises
    ------
    InstallError
        If the key has committed a later release of the series, or another one of that number.
    """
    floor = floors.get(entry.key, {}).get(series_id)
    if floor is None or entry.sequence > floor.sequence:
        return
    if entry.sequence < floor.sequence or entry.id != floor.id:
        raise InstallError(
            f"{series_id}: {entry.id}: downgrade: expected a sequence above {floor.sequence}"
            f" ({floor.id}, key {entry.key}), got {entry.sequence}"
        )
