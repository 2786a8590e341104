"""Many invented runs in an MLflow store, to see what the board does with them.

Every one is labelled: its pipeline is called ``synthetic-...``, its data are simulated, and a tag
says so. Nothing of it was measured.
"""

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy

from frugal_ai.report import LeadReport, RungRow
from frugal_ai.report.row import Outcome
from frugal_ai.tracking.content import ROLE, rung_tags
from frugal_ai.tracking.records import PARENT
from frugal_ai.tracking.store import open_store

SYNTHETIC = "frugal.synthetic"
"""Tag of every run that is written here."""

_START = datetime(2026, 1, 5, 6, tzinfo=UTC)
_KINDS = (("load", "MW", "feeder"), ("pv", "kW", "plant"), ("wind", "MW", "farm"))
_FAMILIES = ("naive", "linear", "linear", "boosting")
_MACHINES = (
    ("Synthetic CPU A, 4 W/thread assumed", "cpu_time_model", 2.5),
    ("Synthetic CPU B, 9.8 W/thread", "rapl", None),
)
_GRIDS = (("FRA", 56.0), ("DEU", 381.0))
_RUN_COLUMNS = (
    "run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status",
    "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """How many runs there are: of `rungs` rungs each, in `pipelines` pipelines.

    With `alike` all stand under equal circumstances, each with rungs of its own.
    """

    runs: int
    rungs: int = 8
    pipelines: int = 12
    alike: bool = False


def write_store(path: Path, shape: Shape, seed: int = 1) -> str:
    """Write a SQLite store and return its URI; the number of runs counts parents, too."""
    uri = f"sqlite:///{path.absolute()}"
    with open_store(uri, writing=True):
        engine = sqlalchemy.create_engine(uri)
    numbers = random.Random(seed)
    with engine.begin() as connection:
        for number in range(shape.pipelines):
            connection.execute(
                sqlalchemy.text(
                    "INSERT INTO experiments (experiment_id, name, artifact_location, "
                    "lifecycle_stage, creation_time, last_update_time) "
                    "VALUES (:id, :name, :place, 'active', 0, 0)"
                ),
                {"id": number + 1, "name": _pipeline(number), "place": path.parent.as_uri()},
            )
        written = 0
        for index in range(shape.runs):
            left = shape.runs - written
            if left < 2:
                break
            written += _write(connection, _run(index, shape, left - 1, numbers, path.parent))
    engine.dispose()
    return uri


def _pipeline(number: int) -> str:
    return f"synthetic-{_KINDS[number % 3][0]}-{number + 1:02}"


Row = tuple[str, str, dict[str, str], dict[str, float], datetime, int, str]


def _run(
    index: int, shape: Shape, most: int, numbers: random.Random, folder: Path
) -> Iterator[Row]:
    """Yield the run of a pipeline and those of its rungs: id, name, tags, metrics, end, place."""
    number = index % shape.pipelines
    kind, unit, _ = _KINDS[number % 3]
    machine, method, spread = _MACHINES[0 if shape.alike else index // 7 % 2]
    country, intensity = _GRIDS[0 if shape.alike else index // shape.pipelines % 2]
    ended = _START + timedelta(hours=index)
    shared: dict[str, Any] = {
        "pipeline": _pipeline(number), "kind": kind, "unit": unit, "simulated": True,
        "weather": "perfect", "targets_digest": f"{number:064x}", "origins_test": 181,
        "hardware": machine, "energy_method": method, "energy_spread": spread, "country": country,
        "intensity_g_per_kwh": intensity, "pue": 1.0, "forecasts": 1000,
        "run_id": f"{_pipeline(number)}-{index:05}", "data_digest": f"{index:064x}",
        "git_revision": f"{index:040x}", "ended": ended,
    }  # fmt: skip
    rows = _rungs(min(shape.rungs, most), index if shape.alike else 0, shared, numbers)
    chosen = next(row for row in rows if row.chosen)
    parent = _id(numbers)
    series = json.dumps([f"synthetic_{number + 1:02}"])
    tags = {
        ROLE: "run", SYNTHETIC: "true", "frugal.run_id": chosen.run_id,
        "frugal.pipeline": chosen.pipeline,
        "frugal.title": f"SYNTHETIC {kind}, pipeline {number + 1}",
        "frugal.kind": kind, "frugal.status": "finished", "frugal.chosen": chosen.rung,
        "frugal.series": series, "frugal.step_s": "1800", "frugal.horizon_s": "86400",
        "frugal.origins_validation": "182",
        "frugal.rule": "least_carbon",
        "frugal.shipped": "original", "mlflow.note.content": "synthetic: nothing was measured",
    }  # fmt: skip
    if index % 10 == 9:
        tags["frugal.failed_gates"] = json.dumps(["synthetic gate: misses it by a synthetic bit"])
    place = (folder / "absent").as_uri()
    yield parent, chosen.pipeline, tags, _figures(chosen), ended, number + 1, place
    for row in rows:
        child = {ROLE: "rung", SYNTHETIC: "true", PARENT: parent, **rung_tags(row)}
        yield _id(numbers), row.rung, child, _figures(row), ended, number + 1, place


def _rungs(count: int, first: int, shared: dict[str, Any], numbers: random.Random) -> list[RungRow]:
    """Invent rungs: the dearer, the smaller the error, down to a floor."""
    rows: list[RungRow] = []
    for place in range(count):
        mae = 0.1 + 0.9 * 0.55**place * numbers.uniform(0.8, 1.2)
        grams = 1e-6 * 3.1**place * numbers.uniform(0.6, 1.5)
        last = place == count - 2 or count == 1
        rows.append(
            RungRow(
                **shared,
                rung=f"{_FAMILIES[place * 4 // max(count, 4)]}_{first + 1}_{place + 1}",
                family=_FAMILIES[place * 4 // max(count, 4)],
                over=rows[-1].rung if rows else None,
                verdict=_verdict(place, count),
                chosen=last,
                mae=mae, mae_ci=(0.93 * mae, 1.08 * mae), rmse=1.3 * mae,
                rmse_ci=(1.2 * mae, 1.45 * mae), nmae=mae / 5,
                nmae_ci=(0.93 * mae / 5, 1.08 * mae / 5), mase=mae / 0.3,
                mase_ci=(0.93 * mae / 0.3, 1.08 * mae / 0.3), mae_by_lead=_by_lead(mae),
                skill=1 - mae, skill_ci=(0.95 - mae, 1.04 - mae), validation_mae=mae,
                gain=0.3 if rows else None, gain_ci=(0.2, 0.4) if rows else None,
                pinball=mae / 3, pinball_ci=(0.3 * mae, 0.37 * mae), npinball=mae / 15,
                crps=mae / 1.5, crps_ci=(0.6 * mae, 0.74 * mae), coverage=0.8,
                coverage_ci=(0.77, 0.83), coverage_nominal=0.8, sharpness=3 * mae,
                nsharpness=0.6 * mae, fit_cpu_s=grams * 900,
                energy_wh=1000 * grams / shared["intensity_g_per_kwh"], co2e_g=grams,
                co2e_g_per_1000=grams / 5, co2e_spread=0.03, bytes=int(1500 * 2.2**place),
                latency_us=50.0 * 1.4**place,
            )
        )  # fmt: skip
    return rows


def _by_lead(mae: float) -> tuple[LeadReport, ...]:
    """Split an error over 48 half-hours so that their mean is the whole."""
    shares = ((0, 3600, 2, 0.5), (3600, 21600, 10, 0.8), (21600, 86400, 36, 39 / 36))
    return tuple(
        LeadReport(
            from_s=start, to_s=end, mae=share * mae,
            mae_ci=(0.9 * share * mae, 1.1 * share * mae), points=181 * steps,
        )
        for start, end, steps, share in shares
    )  # fmt: skip


def _verdict(place: int, count: int) -> Outcome:
    if place == 0:
        return "baseline"
    return "not proven" if place == count - 1 else "worth it"


def _figures(row: RungRow) -> dict[str, float]:
    return {name: float(value) for name, value in row.flat().items() if value is not None}


def _id(numbers: random.Random) -> str:
    return uuid.UUID(int=numbers.getrandbits(128), version=4).hex


def _write(connection: sqlalchemy.Connection, rows: Iterator[Row]) -> int:
    """Insert runs with what they say; returns how many."""
    runs, tags, metrics = [], [], []
    for run_id, name, said, figures, ended, experiment, place in rows:
        at = int(ended.timestamp() * 1000)
        runs.append((
            run_id, name, "LOCAL", "frugal-ai", "", "synthetic", "FINISHED", at - 60_000, at, "",
            "active", place, experiment,
        ))  # fmt: skip
        tags += [(run_id, key, value) for key, value in said.items()]
        metrics += [(run_id, key, value, at, 0, 0) for key, value in figures.items()]
    _insert(connection, "runs", _RUN_COLUMNS, runs)
    _insert(connection, "tags", ("run_uuid", "key", "value"), tags)
    _insert(connection, "latest_metrics",
            ("run_uuid", "key", "value", "timestamp", "step", "is_nan"), metrics)  # fmt: skip
    return len(runs)


def _insert(
    connection: sqlalchemy.Connection, table: str, columns: tuple[str, ...], rows: list[Any]
) -> None:
    statement = sqlalchemy.insert(
        sqlalchemy.table(table, *(sqlalchemy.column(name) for name in columns))
    )
    connection.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows])
