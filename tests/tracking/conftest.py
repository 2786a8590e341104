"""A run folder with invented figures, and stores to log it to."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import sqlalchemy
from onnx import TensorProto, helper
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry

import frugal_ai.tracking  # noqa: F401 - sets what mlflow reads when it is imported
from frugal_ai.report import RunReport

_EXAMPLE = Path(__file__).parents[1] / "report" / "run.json"
_HISTORY, _HORIZON = 96, 48

_RUNGS = {"seasonal_naive_week", "ridge", "basis_ridge"}

RunMaker = Callable[..., Path]


def _graph() -> bytes:
    """Repeat the last day of the history."""
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


@pytest.fixture(scope="session", autouse=True)
def hasty_disk() -> Iterator[None]:
    """Let SQLite not wait for the disk, a hundred times a run."""

    def hasten(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
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
