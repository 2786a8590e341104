"""Small pipelines, run folders with invented figures, and stores to log them to."""

import hashlib
import json
import math
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import settings

# how long an example takes says more of the machine than of the code
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")

SMALL: dict[str, Any] = {
    "name": "small",
    "title": "Small pipeline",
    "kind": "load",
    "unit": "MW",
    "source": {"name": "sample", "first": "2022-10-01", "last": "2023-05-10"},
    "series": ["feeder_load"],
    "step": "30min",
    "horizon": "1d",
    "timezone": "Europe/Paris",
    "holidays": "FR",
    "covariates": {"known": ["temperature", "wind_speed"], "assume": "perfect"},
    "recipe": {
        "features": [
            {"feature": "lag", "at": ["1d", "7d"], "minus_mean": "7d"},
            {"feature": "rolling", "window": ["7d"]},
            {"feature": "fourier", "period": "day"},
            {"feature": "known", "names": ["temperature"]},
        ],
        "basis": [{"feature": "weekday"}],
    },
    "rungs": [
        "persistence",
        {"rung": "seasonal_naive", "season": "1d"},
        "basis_ridge",
        {"rung": "residual_boosting", "trees": 10, "leaves": 7},
    ],
    "periods": {
        "train": "2022-10-01T00:00:00Z",
        "validation": {"first": "2023-03-01", "last": "2023-03-28"},
        "test": {"first": "2023-04-01", "last": "2023-04-28"},
    },
    "cost": {"country": "FRA", "block_cpu_s": 0.002},
    "selection": {"resamples": 200},
}


@pytest.fixture(scope="session")
def small_settings() -> dict[str, Any]:
    """Content of the small pipeline."""
    return SMALL


@pytest.fixture
def write_small(tmp_path: Path) -> Callable[..., Path]:
    """Write the small pipeline, with some sections replaced, and return its path."""

    def write(**changes: Any) -> Path:
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(SMALL | changes))
        return path

    return write


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of MLflow without runs: to create one takes seconds, to copy it nothing."""
    from frugal_ai.tracking.store import open_store

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    with open_store(f"sqlite:///{path}", writing=True):
        return path


@pytest.fixture
def store_beside(tmp_path: Path, empty_store: Path) -> None:
    """Put a store where a run whose folder lies in ``tmp_path`` looks for one."""
    shutil.copy(empty_store, tmp_path)


@pytest.fixture
def command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of `frugal-ai` in ``tmp_path``, and in this process: to start one is slow."""
    from frugal_ai.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def start(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = ["frugal-ai", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", words)
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return start


INTENSITY: dict[str, Any] = {
    "name": "intensity",
    "title": "Carbon intensity of a small grid",
    "kind": "intensity",
    "unit": "gCO2e/kWh",
    "counts": {"kind": "average", "basis": "direct", "scope": "production"},
    "source": {"name": "file", "path": "grid.csv"},
    "series": ["grid"],
    "step": "1h",
    "horizon": "27h",
    "timezone": "UTC",
    "covariates": {"past": ["gas"]},
    "rungs": ["persistence", {"rung": "seasonal_naive", "season": "1d"}, "ridge"],
    "climb": "full",
    "periods": {
        "train": "2023-01-01T00:00:00Z",
        "validation": {"first": "2023-02-10", "last": "2023-03-10", "at": ["00:00", "12:00"]},
        "test": {"first": "2023-03-13", "last": "2023-03-30", "at": ["00:00", "12:00"]},
    },
    "compress": False,
    "cost": {"country": "FRA", "block_cpu_s": 0.002},
    "selection": {"resamples": 200},
}


@dataclass(frozen=True)
class IntensityRun:
    """A finished run on a made-up grid, greenest at 14:00 UTC every day.

    Attributes
    ----------
    pipeline, history, folder
        Its file, all its observations, its run folder.
    """

    pipeline: Path
    history: Path
    folder: Path

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"


def grid_intensity(at: datetime) -> float:
    """Intensity of the made-up grid [gCO2e/kWh]."""
    slow = 15 * math.sin(at.timestamp() / 400_000)
    return 60 + slow - 25 * math.cos(math.tau * (at.hour - 14) / 24)


def climb_intensity(folder: Path, store: Path, **changes: Any) -> IntensityRun:
    """Run a small pipeline that forecasts carbon intensity, with some sections replaced."""
    from frugal_ai.pipeline import read_pipeline
    from frugal_ai.run import Order, run

    class Silent:
        def tell(self, sentence: str) -> None:
            pass

        def climb(self, rung: str, done: int, total: int) -> None:
            pass

        def step(self, what: str, done: int, total: int) -> None:
            pass

    shutil.copy(store, folder)
    times = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(24 * 95)]
    rows = [
        f"grid,{at:%Y-%m-%dT%H:%MZ},{grid_intensity(at):.4f},{grid_intensity(at) * 50:.2f},"
        f"{-grid_intensity(at) / 10:.3f}"
        for at in times
    ]
    history = folder / "grid.csv"
    history.write_text("\n".join(["series_id,timestamp,value,gas,wind", *rows]) + "\n")
    path = folder / "intensity.yaml"
    path.write_text(yaml.safe_dump(INTENSITY | changes))
    run(read_pipeline(path), Order(path, folder / "run", {}), Silent())
    return IntensityRun(path, history, folder / "run")


@pytest.fixture(scope="session")
def intensity_run(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> IntensityRun:
    """Run the small pipeline of intensity, once."""
    return climb_intensity(tmp_path_factory.mktemp("intensity"), empty_store)


@pytest.fixture(scope="session")
def windy_intensity_run(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> IntensityRun:
    """Run it with the wind known ahead."""
    covariates = {"known": ["wind"], "assume": "perfect"}
    folder = tmp_path_factory.mktemp("windy-intensity")
    return climb_intensity(folder, empty_store, covariates=covariates, rungs=["ridge"])


_EXAMPLE = Path(__file__).parent / "report" / "run.json"
_HISTORY, _HORIZON = 96, 48

_RUNGS = {"seasonal_naive_week", "ridge", "basis_ridge"}

RunMaker = Callable[..., Path]


def _graph() -> bytes:
    """Repeat the last day of the history."""
    import onnx
    from onnx import TensorProto, helper

    history = helper.make_tensor_value_info("history", TensorProto.FLOAT, ["B", _HISTORY])
    forecast = helper.make_tensor_value_info("forecast", TensorProto.FLOAT, ["B", _HORIZON])
    last = helper.make_tensor("last", TensorProto.INT64, [1], [_HISTORY - _HORIZON])
    end = helper.make_tensor("end", TensorProto.INT64, [1], [_HISTORY])
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    node = helper.make_node("Slice", ["history", "last", "end", "axis"], ["forecast"])
    graph = helper.make_graph([node], "naive", [history], [forecast], [last, end, axis])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _manifest(series: str, files: dict[str, bytes]) -> dict[str, Any]:
    history = {"name": "history", "dtype": "float32", "axes": ["B", "N"], "shape": [None, _HISTORY]}
    forecast = {"name": "forecast", "dtype": "float32", "axes": ["B", "H"]}
    return {
        "schema_version": 1,
        "id": f"load-basis_ridge-{series}",
        "sequence": 1,
        "pipeline": "load",
        "kind": "load",
        "simulated": True,
        "rung": "basis_ridge",
        "series_id": series,
        "unit": "MW",
        "timezone": "Europe/Paris",
        "step_s": 1800,
        "horizon": _HORIZON,
        "quantiles": [],
        "inputs": [history],
        "outputs": [{**forecast, "shape": [None, _HORIZON]}],
        "history_steps": _HISTORY,
        "origins": {
            "valid_from": "2021-01-01T00:00:00Z",
            "valid_until": "2034-01-01T00:00:00Z",
            "local_time": ["00:00"],
            "every_s": 86400,
        },
        "gap_policy": {"max_gap_steps": 6, "fill": "linear"},
        "bounds": {"history": [0.0, 90000.0], "known": {}, "past": {}},
        "metrics": {},
        "costs": {},
        "mlflow": None,
        "git_revision": None,
        "data_digest": "ab" * 32,
        "created": "2026-11-20T08:09:00Z",
        "onnx": {"opset": 18, "ml_opset": None, "ir_version": 9},
        "minimum_onnxruntime": "1.20",
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
    }


def write_bundle(folder: Path, series: str) -> None:
    history = np.arange(_HISTORY, dtype=np.float32).tolist()
    case = {"inputs": {"history": history}, "outputs": {"forecast": history[-_HORIZON:]}}
    files = {
        "model.onnx": _graph(),
        "golden.json": json.dumps({"tolerance_abs": 0.5, "cases": [case]}).encode(),
        "fallback.json": b'{"kind": "seasonal_naive", "season_s": 86400}',
        "MODEL_CARD.md": b"# Model card\n",
    }
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(_manifest(series, files)), encoding="utf-8")


@pytest.fixture(scope="session")
def hasty_disk() -> Iterator[None]:
    """Let SQLite not wait for the disk, a hundred times a run."""
    import sqlalchemy
    from sqlalchemy import event

    def hasten(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(sqlalchemy.Engine, "connect", hasten)
    yield
    event.remove(sqlalchemy.Engine, "connect", hasten)


@pytest.fixture
def run_dir(tmp_path: Path, empty_store: Path) -> Path:
    folder = make_run_dir(tmp_path / "runs")
    shutil.copy(empty_store, folder.parent)
    return folder


@pytest.fixture
def make_run() -> RunMaker:
    return make_run_dir


def make_run_dir(runs: Path, **changes: Any) -> Path:
    from frugal_ai.report import RunReport

    report = RunReport.read(_EXAMPLE.parent)
    few = {"rungs": tuple(rung for rung in report.rungs if rung.rung in _RUNGS)}
    report = report.model_copy(update=few | changes)
    folder = runs / report.run_id
    folder.mkdir(parents=True)
    report.write(folder)
    (folder / "ledger.jsonl").write_text('{"record_version": 1}\n', encoding="utf-8")
    for name in ("pareto.svg", "leaderboard.json", "leaderboard.csv"):
        (folder / name).write_text(name, encoding="utf-8")
    for name in report.bundles:
        write_bundle(folder / name, "feeder_load" if name == "bundle" else Path(name).name)
    return folder
