"""A finished run beside LightGBM, numpy and C, all with the same forecasts."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.edge import c_code
from benchmarks.edge.nodes import nodes_of
from benchmarks.edge.speed import (
    LIGHTGBM,
    ONNXMLTOOLS,
    SHIPPED,
    TEACHER,
    TREES_ALONE,
    C,
    Effort,
    Place,
    Speed,
    feeds_of,
    measure,
)
from benchmarks.edge.teacher import Teacher, fitted_again
from benchmarks.peers.environments import Installed
from frugal_ai.errors import DataError, ExportError
from frugal_ai.pipeline import read_pipeline
from frugal_ai.run import Order, run

ROOT = Path(__file__).parents[2]


class Quiet:
    def tell(self, sentence: str) -> None:
        pass

    def step(self, what: str, done: int, total: int) -> None:
        """Hear of progress."""

    def climb(self, rung: str, done: int, total: int) -> None:
        pass


@dataclass(frozen=True)
class Finished:
    folder: Path
    teacher: Teacher
    speed: Speed


@pytest.fixture(scope="module")
def finished(
    small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> Finished:
    """The small pipeline with trees alone, not compressed, so that the bundle is the teacher."""
    base = tmp_path_factory.mktemp("speed")
    shutil.copy(empty_store, base)
    rungs = [{"rung": "seasonal_naive", "season": "1d"}, small_settings["rungs"][-1]]
    path = base / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings | {"rungs": rungs, "compress": False}))
    run(read_pipeline(path), Order(path, base / "run", {}), Quiet())
    teacher = fitted_again(path, 4)
    place = Place(base / "speed", {"lightgbm": Installed(Path(sys.executable), "3", 1, 1.0)})
    return Finished(base, teacher, measure(base / "run", teacher, place, Effort(2, 0.001, 1)))


def test_lightgbm_has_the_trees_of_the_graph(finished: Finished) -> None:
    nodes = nodes_of((finished.folder / "run" / "bundle" / "model.onnx").read_bytes())
    assert nodes is not None
    table = finished.teacher.booster.trees_to_dataframe()
    assert nodes.splits == int(table["split_feature"].notna().sum())


def test_every_contender_has_figures_or_a_reason(finished: Finished) -> None:
    speed = finished.speed
    keys = {row.key for row in speed.rows}
    assert keys == {SHIPPED, LIGHTGBM, TREES_ALONE, ONNXMLTOOLS, C}
    assert TEACHER not in keys  # nothing smaller was shipped
    first = speed.rows[0]
    assert (first.key, first.warm and first.warm.ratio) == (SHIPPED, 1.0)
    assert first.bytes == (finished.folder / "run" / "bundle" / "model.onnx").stat().st_size
    assert speed.of(ONNXMLTOOLS).failed == "onnxmltools: not installed"
    for key in (SHIPPED, LIGHTGBM):
        cold = speed.of(key).cold
        assert cold is not None
        assert 20 < cold.rss_mb < 1000
        assert cold.cpu_ms > 0
    slow, alone = speed.of(LIGHTGBM), speed.of(TREES_ALONE)
    assert slow.warm
    assert alone.warm
    assert slow.warm.cpu_us > alone.warm.cpu_us
    assert slow.difference is not None
    assert slow.difference < 1e-2  # one leaf more or less, where a feature is at its threshold


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc on this machine")
def test_c_says_what_the_graph_says_and_takes_nothing_from_the_heap(finished: Finished) -> None:
    row = finished.speed.of(C)
    assert row.failed == ""
    assert row.difference is not None
    assert row.difference < 1e-5
    assert finished.speed.heap == ()
    assert finished.speed.ram_bytes is not None
    assert row.cold
    assert row.cold.rss_mb < 20


def test_c_that_cannot_be_compiled_is_a_line(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from frugal_edge.bundle import open_bundle

    bundle = open_bundle(finished.folder / "run" / "bundle")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ExportError, match="no gcc on this machine"):
        c_code.compiled(bundle.folder, bundle.manifest, tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/false")
    with pytest.raises(ExportError, match="C: false: exit code 1"):
        c_code.compiled(bundle.folder, bundle.manifest, tmp_path)


def test_a_bundle_is_fed_what_its_manifest_names(finished: Finished) -> None:
    from frugal_edge.bundle import open_bundle

    manifest = open_bundle(finished.folder / "run" / "bundle").manifest
    feeds = feeds_of(manifest, finished.teacher.series, finished.teacher.origins)
    assert list(feeds) == list(manifest.inputs)
    for name, tensor in manifest.inputs.items():
        assert feeds[name].shape == (4, *tensor.shape[1:])
        assert feeds[name].dtype.name == tensor.dtype


def test_a_rung_without_trees_is_refused(small_settings: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings | {"rungs": ["persistence", "basis_ridge"]}))
    with pytest.raises(DataError, match="expected a rung with trees, got basis_ridge"):
        fitted_again(path, 4)
