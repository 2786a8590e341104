"""Graphs on the oldest onnxruntime that their manifests name, where `make oldest` has put it."""

import json
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from frugal_ai.backtest.evaluate import evaluate, unmeasured
from frugal_ai.errors import ExportError
from frugal_ai.export.model import PARITY, OnnxModel, to_onnx
from frugal_ai.export.packed import serialized
from frugal_ai.export.versions import ir_version, minimum_onnxruntime
from frugal_ai.features.graph import Windows
from frugal_ai.ladder import make
from frugal_ai.pipeline import read_pipeline
from frugal_ai.prepare import prepare, task

ROOT = Path(__file__).parents[2]
OLDEST = {"basis_ridge": "plain", "residual_boosting": "trees"}
# the gateway's own code, with numpy and onnxruntime alone
REPLAY = """
import json, sys
import numpy as np, onnxruntime
from frugal_edge.session import quiet_session
given = dict(np.load(sys.argv[2]))
session = quiet_session(open(sys.argv[1], "rb").read())
found = session.run(None, {one.name: given[one.name] for one in session.get_inputs()})
np.savez(sys.argv[3], **{one.name: v for one, v in zip(session.get_outputs(), found)})
print(json.dumps(onnxruntime.__version__))
"""


def exported(path: Path, rung: str) -> tuple[OnnxModel, Windows, float]:
    """Fit a rung of a pipeline and cut the windows of its test."""
    pipeline = read_pipeline(path)
    prepared = prepare(pipeline, path.parent, {}, lambda _: None)
    kinds = {"basis_ridge": {}, "residual_boosting": {"trees": 10, "leaves": 7}}
    found = evaluate(make({"rung": rung, **kinds[rung]}), task(pipeline, prepared), unmeasured)
    windows = prepared.series[0].windows(prepared.split.test, found.models[0].graph.reach)
    return to_onnx(found.models[0]), windows, float(np.nanmean(np.abs(prepared.panel.values)))


@pytest.mark.parametrize("rung", OLDEST)
def test_it_forecasts_the_same_there(
    rung: str, write_small: Callable[..., Path], tmp_path: Path
) -> None:
    python = ROOT / ".venv-oldest" / OLDEST[rung] / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment at {python.relative_to(ROOT)}; make oldest installs it")
    model, windows, mean = exported(write_small(), rung)
    graph = tmp_path / "model.onnx"
    graph.write_bytes(serialized(onnx.load_model_from_string(model.content)))
    assert model.drift_shape is not None
    drift = np.zeros((len(windows), *model.drift_shape), np.float32)
    given: dict[str, Any] = {**windows.tensors(slice(None)), "drift": drift}
    np.savez(tmp_path / "given.npz", **given)
    done = subprocess.run(
        [python, "-c", REPLAY, graph, tmp_path / "given.npz", tmp_path / "found.npz"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "serving")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    version = minimum_onnxruntime(model.opset, model.ml_opset, model.ir_version)
    assert json.loads(done.stdout).startswith(f"{version}.")
    there, here = dict(np.load(tmp_path / "found.npz")), model.run(windows)
    assert set(there) == set(here) == {"forecast", "quantiles"}
    for name, expected in here.items():
        np.testing.assert_allclose(there[name], expected, rtol=0, atol=PARITY * mean)


@cache
def _known() -> dict[int, int]:
    """Return onnx's own table: the oldest representation of each main operator set."""
    table = onnx.helper.OP_SET_ID_VERSION_MAP
    return {version: ir for (domain, version), ir in table.items() if domain == "ai.onnx"}


@pytest.mark.parametrize("opset", [13, 14, 15, 16, 17])
def test_representations_are_those_of_onnx(opset: int) -> None:
    assert ir_version(opset) == _known()[opset]
    trees = onnx.helper.OP_SET_ID_VERSION_MAP["ai.onnx.ml", 5]
    assert ir_version(opset, 5) == trees


def test_the_runtime_that_a_graph_needs() -> None:
    assert minimum_onnxruntime(13, None, 7) == "1.15"
    assert minimum_onnxruntime(13, 5, 10) == "1.21"
    with pytest.raises(ExportError, match=r"expected a graph of opset 17 .* got 21 and 10"):
        minimum_onnxruntime(21, None, 10)
