"""Gateways for the benchmarks: the committed load bundle installed, and readings for it."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from frugal_edge.bundle import open_bundle
from frugal_edge.clock import format_time, parse_time
from frugal_edge.digest import sha256_hex
from frugal_edge.install.installer import How, install
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.sigstore import sign_statement
from frugal_edge.trust.statement import Statement

from frugal_ai.release.keys import read_private_key

T = TypeVar("T")

MODELS = Path(__file__).parents[2] / "models"
DAY_S = 86400
_YEAR_S = 364 * DAY_S  # of whole weeks
_ROWS = 1000  # of a message


@dataclass(frozen=True)
class Example:
    """What the committed bundle is tried with.

    Attributes
    ----------
    rows
        Time [unix s] and value of each reading.
    known
        Covariates known ahead, by time [unix s].
    """

    series_id: str
    step_s: int
    rows: tuple[tuple[int, float], ...]
    known: tuple[tuple[int, dict[str, float]], ...]

    @property
    def end(self) -> int:
        """End of the last reading [unix s]."""
        return self.rows[-1][0] + self.step_s

    def messages(self) -> Iterator[list[dict[str, object]]]:
        """Give all as messages to the gateway."""
        values: list[dict[str, object]] = [
            {"timestamp": format_time(time), "value": value} for time, value in self.rows
        ]
        values += [{"timestamp": format_time(time), **columns} for time, columns in self.known]
        for start in range(0, len(values), _ROWS):
            yield values[start : start + _ROWS]


def bundle() -> Path:
    """Return the folder of the committed load bundle."""
    (folder,) = (path.parent for path in (MODELS / "load").glob("*/manifest.json"))
    return folder


def read_example() -> Example:
    """Read the inputs that stand beside the bundle, moved to after it was built.

    They are continued into the past, so that one day earlier a forecast can be made as well.
    """
    folder = MODELS / "load" / "example"
    history, known = (_table(folder / name) for name in ("history.csv", "known.csv"))
    rows = {time: float(columns["value"]) for time, columns in history}
    about = open_bundle(bundle()).manifest
    ahead = {
        time: {name: float(columns[name]) for name in about.columns("known")}
        for time, columns in known
    }
    late = -(-(about.created - min(rows)) // _YEAR_S) * _YEAR_S
    return Example(
        about.series_id,
        about.step_s,
        tuple((time + late, value) for time, value in _continued(rows, about.step_s)),
        tuple((time + late, columns) for time, columns in _continued(ahead, about.step_s)),
    )


def _continued(rows: dict[int, T], step_s: int) -> list[tuple[int, T]]:
    """Put two days before the rows, as they were a week later."""
    first = min(rows)
    before = {first - n * step_s: rows[first - n * step_s + 7 * DAY_S] for n in range(1, 97)}
    return sorted((before | rows).items())


def make_state(place: Path, models: int = 1) -> Path:
    """Install the bundle for so many series, the first under its own name; return the state."""
    state = place / "state"
    (state / "trust").mkdir(parents=True)
    shutil.copy(MODELS / "demo.pub", state / "trust")
    trust = TrustStore.read(state / "trust")
    install(state, bundle(), trust, How(trial=0))
    for number in range(1, models):
        install(state, _copied(place / f"bundle-{number}", number), trust, How(trial=0))
    return state


def _copied(folder: Path, number: int) -> Path:
    """Sign the bundle anew for another series."""
    shutil.copytree(bundle(), folder)
    (folder / "model.sig").unlink()
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest |= {"id": folder.name, "series_id": f"feeder-{number}"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    digests = {path.name: sha256_hex(path.read_bytes()) for path in folder.iterdir()}
    key = read_private_key(MODELS / "demo.pem")
    (folder / "model.sig").write_bytes(sign_statement(Statement(folder.name, digests), key))
    return folder


def _table(path: Path) -> list[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(parse_time(row.pop("timestamp")), row) for row in csv.DictReader(file)]
