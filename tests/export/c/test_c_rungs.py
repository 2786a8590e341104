"""Whole graphs in C: what a gateway computes with onnxruntime, within 1e-5 of the series' mean."""

import ctypes
import math
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from frugal_edge.bundle import open_bundle
from numpy.typing import NDArray
from onnx.helper import make_node

from frugal_ai import ladder
from frugal_ai.backtest.evaluate import Task, evaluate, unmeasured
from frugal_ai.export.bundle import Provenance, write_bundle
from frugal_ai.export.c.scalar import FLOAT
from frugal_ai.export.c.source import export_c
from frugal_ai.export.model import to_onnx
from frugal_ai.features.graph import Windows
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare, task

Array = NDArray[Any]
Compare = Callable[..., Any]
NEAR = 1e-5  # of the mean
BUNDLES = sorted(Path(__file__).parents[3].glob("models/*/*/manifest.json"))
TREES: dict[str, Any] = {"trees": 10, "leaves": 7}
LOAD: dict[str, dict[str, Any]] = {
    "persistence": {"rung": "persistence"},
    "seasonal_naive": {"rung": "seasonal_naive", "season": "7d"},
    "climatology": {"rung": "climatology"},
    "ridge": {"rung": "ridge"},
    "basis_ridge": {"rung": "basis_ridge"},
    "linear_quantiles": {"rung": "linear_quantiles"},
    "boosting": {"rung": "boosting", **TREES},
    "residual_boosting": {"rung": "residual_boosting", **TREES},
    "stacked_boosting": {"rung": "stacked_boosting", **TREES},
}
PV: dict[str, Any] = {
    "kind": "pv",
    "series": ["feeder_pv"],
    "covariates": {"known": ["irradiance", "temperature"], "assume": "perfect"},
    "site": {"places": [{"latitude": 45.75, "longitude": 4.85}]},
    "recipe": None,
    "periods": {
        "train": "2022-10-01T00:00:00Z",
        "validation": {"first": "2023-03-01", "last": "2023-03-28", "at": ["06:00", "18:00"]},
        "test": {"first": "2023-04-01", "last": "2023-04-28", "at": ["06:00", "18:00"]},
    },
}


class Place:
    """A small pipeline, prepared."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        path = folder / "small.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in settings.items() if v is not None}))
        self.pipeline: Pipeline = read_pipeline(path)
        self.prepared: Prepared = prepare(self.pipeline, folder, {}, lambda _: None)
        self.task: Task = task(self.pipeline, self.prepared)

    def model(self, rung: dict[str, Any]) -> tuple[bytes, Windows]:
        """Return the graph of a rung and the windows of the test."""
        found = evaluate(ladder.make(rung), self.task, unmeasured)
        windows = self.prepared.series[0].windows(
            self.prepared.split.test, found.models[0].graph.reach
        )
        return to_onnx(found.models[0]).content, windows

    def bundle(self, rung: dict[str, Any], folder: Path) -> Path:
        """Write the bundle of a rung."""
        made = ladder.make(rung)
        model = evaluate(made, self.task, unmeasured).models[0]
        write_bundle(
            folder,
            pipeline=self.pipeline,
            rung=made.name,
            series=self.prepared.series[0],
            graph=model.graph,
            exported=to_onnx(model),
            origins=self.prepared.split.test,
            provenance=Provenance(1767225600, "d" * 64, None, {}, {}),
            card="# card",
        )
        return folder


@pytest.fixture(scope="module")
def load(small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("load"), small_settings)


@pytest.fixture(scope="module")
def pv(small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("pv"), small_settings | PV)


def assert_near(model: Any, feeds: list[dict[str, Array]], mean: float) -> None:
    """Compare forecast and quantiles; every output must be finite."""
    for feed in feeds:
        for got, expected in zip(model.c(feed), model.onnx(feed), strict=True):
            assert np.isfinite(expected).all()
            # noise makes forecasts of many times the mean, of which float32 has as many digits
            size = max(mean, float(np.abs(expected).max()))
            np.testing.assert_allclose(got, expected, rtol=0, atol=NEAR * size)


def feeds_of(model: Any, windows: Windows) -> list[dict[str, Array]]:
    """Make inputs of windows as they are, and of windows with noise and drift."""
    rng = np.random.default_rng(0)
    feeds = []
    for row in range(0, len(windows), 3):
        plain: dict[str, Array] = dict(windows.tensors(slice(row, row + 1)))
        feed = {}
        for spec in model.compiled.inputs:
            value = plain.get(spec.name, np.zeros(spec.shape, np.float32))
            if spec.name not in plain or (row % 2 and spec.dtype == FLOAT):
                value = value + rng.normal(0, 0.3, spec.shape).astype(np.float32)
            feed[spec.name] = value
        feeds.append(feed)
    return feeds


@pytest.mark.parametrize("rung", LOAD)
def test_load(load: Place, both: Compare, rung: str) -> None:
    content, windows = load.model(LOAD[rung])
    model = both(content, "-O2")
    mean = float(np.nanmean(np.abs(load.prepared.panel.values)))
    assert_near(model, feeds_of(model, windows), mean)


@pytest.mark.parametrize("rung", ["linear_quantiles", "boosting", "basis_ridge"])
def test_pv_with_sun_night_and_two_times_of_day(
    pv: Place, both: Compare, gcc: Any, rung: str
) -> None:
    content, windows = pv.model(LOAD[rung])
    checks = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
    model = both(content, "-O1", *(checks if gcc.links(*checks) else ()))
    mean = float(np.nanmean(np.abs(pv.prepared.panel.values)))
    feeds = feeds_of(model, windows)
    assert_near(model, feeds, mean)
    assert any((model.c(feed)[0] == 0).any() for feed in feeds), "the night is not in the test"


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.parent.name)
def test_reference_bundles(both: Compare, path: Path) -> None:
    bundle = open_bundle(path.parent)
    model = both(bundle.content["model.onnx"], "-O2")
    rng = np.random.default_rng(0)
    origins, bounds = bundle.manifest.origins, bundle.manifest.bounds.history
    assert bounds is not None
    feeds = []
    for origin in np.linspace(origins.valid_from, origins.valid_until, 60).astype(np.int64):
        feed: dict[str, Array] = {}
        for spec in model.compiled.inputs:
            feed[spec.name] = rng.uniform(*bounds, spec.shape).astype(np.float32)
        feed["origin"] = np.array([origin // 1800 * 1800])
        feeds.append(feed)
    assert_near(model, feeds, (bounds[1] - bounds[0]) / 4)


def test_a_perceptron(both: Compare, graph_of: Callable[..., bytes]) -> None:
    """Scaler, two layers, large weights of each kind, an output for each lead time."""
    rng = np.random.default_rng(1)
    constants = {
        "mean": rng.normal(5, 1, 60).astype(np.float32),
        "scale": rng.uniform(0.2, 2, 60).astype(np.float32),
        "w1": rng.normal(0, 0.2, (60, 48)).astype(np.float16),
        "b1": rng.normal(0, 0.1, 48).astype(np.float32),
        "w2": rng.integers(-127, 128, (48, 48)).astype(np.int8),
        "s2": np.full((1, 48), 0.01, np.float32),
        "b2": rng.normal(5, 1, 48).astype(np.float32),
    }
    nodes = [
        make_node("Sub", ["x", "mean"], ["a"]),
        make_node("Mul", ["a", "scale"], ["b"]),
        make_node("Cast", ["w1"], ["c"], to=1),
        make_node("Gemm", ["b", "c", "b1"], ["d"]),
        make_node("Tanh", ["d"], ["e"]),
        # onnxruntime would round the activations after a DequantizeLinear of weights, C does not
        make_node("Cast", ["w2"], ["f"], to=1),
        make_node("Mul", ["f", "s2"], ["g"]),
        make_node("Gemm", ["e", "g", "b2"], ["y"]),
    ]
    x = rng.normal(5, 2, (1, 60)).astype(np.float32)
    model = both(graph_of(nodes, {"x": x}, constants), "-O2")
    assert "int8_t" in model.compiled.definitions
    assert "half(" in model.compiled.definitions
    noisy = [{"x": x + rng.normal(0, 1, x.shape).astype(np.float32)} for _ in range(20)]
    assert_near(model, noisy, 5.0)


@pytest.mark.parametrize("rung", ["basis_ridge", "residual_boosting", "persistence", "climatology"])
def test_a_bundle_with_drift(load: Place, gcc: Any, tmp_path: Path, rung: str) -> None:
    path = export_c(load.bundle(LOAD[rung], tmp_path / "bundle"), tmp_path)
    done = subprocess.run(
        [gcc.program_of(path, "-O2", "-DFRUGAL_GOLDEN")], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("2 golden cases, largest difference ")
    library = gcc.library(path.read_text(), "-O2")
    size = 48 * 3
    reads = open_bundle(tmp_path / "bundle").manifest.inputs
    inputs = [
        ctypes.c_int64(int(load.prepared.split.test[0]))
        if name == "origin"
        else (ctypes.c_float * math.prod(size or 1 for size in reads[name].shape))(*[1.0])
        for name in ("history", "origin", "known")
        if name in reads
    ]
    found = []
    for drift in (None, (ctypes.c_float * size)(), (ctypes.c_float * size)(*[0.5] * size)):
        point, quantiles = (ctypes.c_float * 48)(), (ctypes.c_float * size)()
        code = library.frugal_feeder_load_forecast(*inputs, drift, point, quantiles)
        assert code == 0
        found.append(list(quantiles))
    assert found[0] == found[1], "no drift is a drift of zero"
    assert found[0] != found[2]


def test_memory_is_reused_and_rows_stay_small(load: Place, both: Compare) -> None:
    """Features of all steps at once would take 48 times as much as those of one."""
    content, _ = load.model(LOAD["basis_ridge"])
    definitions = both(content).compiled.definitions
    found = re.findall(r"^static \w+ work_\w+\[(\d+)\];", definitions, re.MULTILINE)
    assert sum(map(int, found)) < 48 * 20


def test_a_table_of_a_table_takes_no_room(both: Compare, graph_of: Callable[..., bytes]) -> None:
    rng = np.random.default_rng(2)
    constants = {
        "table": rng.normal(size=(9, 5)).astype(np.float32), "index": rng.integers(0, 9, 700),
    }  # fmt: skip
    nodes = [
        make_node("Gather", ["table", "index"], ["whole"]),
        make_node("Gather", ["whole", "x"], ["y"]),
    ]
    given = {"x": rng.integers(0, 700, (1, 48))}
    model = both(graph_of(nodes, given, constants), "-O2")
    assert "[3500]" not in model.compiled.definitions
    model.agree(given)
