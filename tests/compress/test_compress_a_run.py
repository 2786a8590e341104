"""A run of a small pipeline is compressed, and its bundle made smaller, from end to end."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from frugal_edge.runtime import load

from frugal_ai.cli import commands
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.errors import CompressionError, DataError
from frugal_ai.leaderboard.compression import (
    compression_sentence,
    compression_svg,
    compression_table,
)
from frugal_ai.pipeline import read_pipeline
from frugal_ai.recompress import recompress
from frugal_ai.report import RunReport
from frugal_ai.run import Order, run

pytestmark = pytest.mark.usefixtures("store_beside")

TREES = [
    {"rung": "seasonal_naive"},
    {"rung": "residual_boosting", "trees": 120, "leaves": 15},
]


class Quiet:
    """Hears everything and says nothing."""

    def tell(self, sentence: str) -> None:
        """Hear a remark."""

    def step(self, what: str, done: int, total: int) -> None:
        """Hear of progress."""

    def climb(self, rung: str, done: int, total: int) -> None:
        """Hear of a rung."""


def made(folder: Path, write: Callable[..., Path], **changes: Any) -> tuple[RunReport, Path]:
    path = write(rungs=TREES, climb="full", **changes)
    report = run(read_pipeline(path), Order(path, folder / "run", {}), Quiet())
    return report, folder / "run"


@pytest.fixture(scope="module")
def finished(
    small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> tuple[RunReport, Path]:
    import yaml

    folder = tmp_path_factory.mktemp("compressed")
    shutil.copy(empty_store, folder)

    def write(**changes: Any) -> Path:
        path = folder / "small.yaml"
        path.write_text(yaml.safe_dump(small_settings | changes))
        return path

    return made(folder, write)


def test_every_candidate_is_reported_and_one_is_shipped(
    finished: tuple[RunReport, Path],
) -> None:
    report, folder = finished
    found = report.compression
    assert found is not None
    assert found.original == "residual_boosting"
    assert found.candidates[0].kind == "original"
    assert (found.candidates[0].retained, found.candidates[0].retained_least) == (1.0, 1.0)
    assert [one.kind for one in found.candidates if one.chosen] == [found.shipped]
    for one in found.candidates:
        assert (one.verdict == "fails") == bool(one.misses)
        assert one.parity is None or one.parity <= 1e-5
        assert one.latency_us > 0
    shipped = found.of(found.shipped)
    passing = [one.bytes for one in found.candidates if one.verdict != "fails"]
    assert shipped.bytes == min(passing)
    assert shipped.bytes < found.candidates[0].bytes
    lines = (folder / "compression.csv").read_text().splitlines()
    assert len(lines) == 1 + len(found.candidates)


def test_the_bundle_is_the_smaller_model_and_says_what_was_given_up(
    finished: tuple[RunReport, Path],
) -> None:
    report, folder = finished
    assert report.compression is not None
    shipped = report.compression.of(report.compression.shipped)
    small, whole = (load(folder / name) for name in ("bundle", "original"))
    assert (folder / "bundle" / "model.onnx").stat().st_size == shipped.bytes
    assert shipped.kind in small.manifest.rung
    assert whole.manifest.rung == "residual_boosting"
    told = small.manifest.metrics["compression"]
    assert isinstance(told, dict)
    assert told["original_bytes"] == (folder / "original" / "model.onnx").stat().st_size
    assert told["retained"] == pytest.approx(shipped.retained)
    card = (folder / "bundle" / "MODEL_CARD.md").read_text()
    assert "## What compression gave up" in card
    assert f"In the bundle: {shipped.kind} of residual_boosting" in card
    assert "compression" not in whole.manifest.metrics


def test_compressing_is_on_the_bill(finished: tuple[RunReport, Path]) -> None:
    report, folder = finished
    assert report.compression is not None
    lines = [
        one
        for one in read_ledger(folder / "ledger.jsonl")
        if one.stage in {"distillation", "quantization"}
    ]
    assert {one.rung for one in lines} == {"residual_boosting"}
    grams = 1000 * sum(one.emissions for one in lines)
    assert grams == pytest.approx(report.compression.co2e_g, rel=1e-6)
    paid = "paid for itself after" in compression_sentence(report.compression)
    assert paid == bool(report.compression.pays_after)  # latencies are measured, and swing


def test_table_and_picture_show_every_candidate(finished: tuple[RunReport, Path]) -> None:
    report, folder = finished
    found = report.compression
    assert found is not None
    table = compression_table(found)
    drawn = (folder / "compression.svg").read_text()
    assert drawn == compression_svg(found, report.title or report.pipeline)
    for one in found.candidates:
        assert one.kind in drawn
    assert list(table.rows) == list(found.candidates)


def test_a_finished_run_is_compressed_anew_for_other_gates(
    write_small: Callable[..., Path], tmp_path: Path
) -> None:
    report, folder = made(tmp_path, write_small, compress=False)
    assert report.compression is None
    assert not (folder / "original").exists()
    whole = (folder / "bundle" / "model.onnx").read_bytes()
    said: list[str] = []
    again, where = recompress(
        folder / "bundle", {"keep": 0.5, "keep_each": 0.5}, said.append, Quiet().step
    )
    assert where == folder.resolve()
    assert again.compression is not None
    assert (folder / "original" / "model.onnx").read_bytes() == whole
    size = (folder / "bundle" / "model.onnx").stat().st_size
    assert size == again.compression.of(again.compression.shipped).bytes < len(whole)
    assert RunReport.read(folder).compression == again.compression
    assert {one.stage for one in read_ledger(folder / "ledger.jsonl")} >= {"distillation"}

    result = CliRunner().invoke(commands, ["compress", str(folder), "--max-bytes", "1kB"])
    assert result.exit_code == 0, result.output
    assert "shipped: original, nothing passes the gates" in result.output
    assert (folder / "bundle" / "model.onnx").read_bytes() == whole
    assert not (folder / "original").exists()


def test_what_cannot_be_compressed_is_said_in_one_line(
    finished: tuple[RunReport, Path], tmp_path: Path
) -> None:
    _, folder = finished
    with pytest.raises(CompressionError, match="expected a run folder, or a bundle in one"):
        recompress(tmp_path, {}, print, Quiet().step)
    with pytest.raises(CompressionError, match="max_bytes: expected a size such as 64kB"):
        recompress(folder, {"max_bytes": "small"}, print, Quiet().step)
    content = json.loads((folder / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(content | {"data_digest": "0" * 64}))
    with pytest.raises(DataError, match="have changed since the run"):
        recompress(tmp_path, {}, print, Quiet().step)


def test_a_rung_without_a_gain_leaves_nothing_to_distil(
    write_small: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_small(rungs=[{"rung": "climatology"}])
    report = run(read_pipeline(path), Order(path, tmp_path / "run", {}), Quiet())
    found = report.compression
    assert found is not None
    assert [one.kind for one in found.candidates] == ["original"]
    assert found.reason == "a naive rung has nothing to distil"
    assert np.isfinite(found.candidates[0].latency_us)
    with pytest.raises(CompressionError, match=r"nothing passes the gates: original: \d+ bytes"):
        recompress(tmp_path / "run", {"max_bytes": "1kB", "strict": True}, print, Quiet().step)
    assert RunReport.read(tmp_path / "run") == report


def test_a_model_without_skill_gives_way_to_the_naive_rung(
    write_small: Callable[..., Path], tmp_path: Path
) -> None:
    hopeless = {"rung": "boosting", "trees": 1, "leaves": 2, "learning_rate": 0.01}
    path = write_small(rungs=[hopeless], climb="full")
    report = run(read_pipeline(path), Order(path, tmp_path / "run", {}), Quiet())
    found = report.compression
    assert found is not None
    assert [one.kind for one in found.candidates] == ["original", "seasonal_naive"]
    assert found.shipped == "seasonal_naive"
    assert load(tmp_path / "run" / "bundle").manifest.rung == "boosting-seasonal_naive"


def altered(folder: Path, edit: Callable[[Path], None]) -> None:
    """Change the model of a bundle, and what its manifest says of it."""
    edit(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    content = (folder / "model.onnx").read_bytes()
    manifest["files"]["model.onnx"] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def foreign(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    model.graph.node[0].domain = "com.example"
    model.graph.node[0].op_type = "Secret"
    onnx.save(model, folder / "model.onnx")


def of_a_newer_schema(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 99}))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (foreign, r"model.onnx: expected operators of ONNX alone, got Secret of com.example"),
        (of_a_newer_schema, r"schema_version: this frugal-edge reads up to \d+, got 99"),
    ],
)
def test_a_bundle_that_is_not_understood_is_refused(
    finished: tuple[RunReport, Path], tmp_path: Path, edit: Callable[[Path], None], says: str
) -> None:
    _, folder = finished
    shutil.copytree(folder, tmp_path / "run")
    altered(tmp_path / "run" / "original", edit)
    with pytest.raises(CompressionError, match=says):
        recompress(tmp_path / "run", {}, print, Quiet().step)
