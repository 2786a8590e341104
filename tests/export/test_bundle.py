import errno
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from frugal_edge.cli import main as edge
from frugal_edge.runtime import load

from frugal_ai.backtest.evaluate import SeriesModel, evaluate, unmeasured
from frugal_ai.backtest.forecaster import Forecasts
from frugal_ai.errors import ExportError, OutputError, ParityError
from frugal_ai.export import bundle as bundles
from frugal_ai.export.bundle import Provenance, write_bundle
from frugal_ai.export.example import write_example
from frugal_ai.export.model import OnnxModel, check_parity, to_onnx
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare, task

PROVENANCE = Provenance(
    created=int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()),
    data_digest="d" * 64,
    git_revision=None,
    metrics={"mae": 1.0},
    costs={"training_co2e_g": 0.1},
)


class Made:
    """A fitted rung with everything that a bundle is made of."""

    def __init__(self, path: Path, rung: str) -> None:
        self.pipeline: Pipeline = read_pipeline(path)
        self.prepared: Prepared = prepare(self.pipeline, path.parent, {}, lambda _: None)
        self.rung = next(one for one in self.pipeline.rungs if one.rung == rung)
        given = task(self.pipeline, self.prepared)
        self.evaluation = evaluate(self.rung, given, unmeasured)
        self.model: SeriesModel = self.evaluation.models[0]
        self.exported: OnnxModel = to_onnx(self.model)

    def write(self, folder: Path) -> str:
        return write_bundle(
            folder,
            pipeline=self.pipeline,
            rung=self.rung.name,
            series=self.prepared.series[0],
            graph=self.model.graph,
            exported=self.exported,
            origins=self.prepared.split.test,
            provenance=PROVENANCE,
            card="# card",
        )


@pytest.fixture(scope="module")
def made(small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Made:
    path = tmp_path_factory.mktemp("bundle") / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings))
    return Made(path, "basis_ridge")


def test_a_gateway_forecasts_what_the_backtest_did(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = made.write(tmp_path / "bundle")
    for k in range(4):  # day after day: quantiles drift with what the history tells
        origin = int(made.prepared.split.test[k])
        write_example(tmp_path / "in", made.prepared.series[0], made.model.graph, origin)
        files = ["--history", str(tmp_path / "in/history.csv")]
        files += ["--known", str(tmp_path / "in/known.csv"), "--json"]
        files += ["--state", str(tmp_path / "state.json")]
        assert edge(["forecast", str(tmp_path / "bundle"), *files]) == 0
        said = capsys.readouterr().out
        got = json.loads(said)
        assert identity in said
        values = _numbers(got)
        np.testing.assert_allclose(values, made.evaluation.test[0, k], rtol=1e-5)
        quantiles = [[row[f"q{level}"] for level in (0.1, 0.5, 0.9)] for row in got["forecast"]]
        np.testing.assert_allclose(quantiles, made.evaluation.test_quantiles[0, k], rtol=1e-5)
    assert made.evaluation.test_drift[0, 3].any()


def _numbers(answer: dict[str, Any]) -> list[float]:
    rows = next(value for value in answer.values() if isinstance(value, list) and len(value) == 48)
    return [row["value"] if isinstance(row, dict) else row for row in rows]


def test_the_manifest_says_what_the_model_needs(made: Made, tmp_path: Path) -> None:
    identity = made.write(tmp_path / "bundle")
    manifest = load(tmp_path / "bundle").manifest
    assert manifest.id == identity
    assert identity.startswith("small-basis_ridge-")
    assert manifest.columns("known") == ("temperature",)  # wind_speed is declared, but not read
    assert (manifest.step_s, manifest.horizon, manifest.history_steps) == (1800, 48, 336)
    assert manifest.origins.local_time == ("00:00",)
    assert manifest.gap_policy.max_gap_steps == 12
    assert manifest.simulated
    assert manifest.bounds.history is not None
    low, high = manifest.bounds.history
    values = made.prepared.panel.values
    assert low < np.nanmin(values) < np.nanmax(values) < high


def test_writing_again_replaces_the_bundle_and_leaves_nothing_else(
    made: Made, tmp_path: Path
) -> None:
    first = made.write(tmp_path / "bundle")
    (tmp_path / "bundle" / "MODEL_CARD.md").write_text("spoiled")
    assert made.write(tmp_path / "bundle") == first
    assert (tmp_path / "bundle" / "MODEL_CARD.md").read_text() == "# card"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("full_at", [0, 2, 4])
def test_a_full_disk_leaves_the_old_bundle_and_no_half_of_a_new_one(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_at: int
) -> None:
    made.write(tmp_path / "bundle")
    before = {p.name: p.read_bytes() for p in (tmp_path / "bundle").iterdir()}
    write, count = Path.write_bytes, 0

    def full(self: Path, content: bytes) -> int:
        nonlocal count
        count += 1
        if count > full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="bundle: cannot be written: No space left on device"):
        made.write(tmp_path / "bundle")
    assert {p.name: p.read_bytes() for p in (tmp_path / "bundle").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_bundle_that_a_gateway_would_refuse_is_not_put_in_place(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = bundles.golden

    def spoiled(*given: Any) -> dict[str, Any]:
        content = honest(*given)
        content["cases"][0]["outputs"]["forecast"][5] += 1
        return content

    monkeypatch.setattr(bundles, "golden", spoiled)
    with pytest.raises(ExportError, match=r"fails the gateway's checks: .*case 0.*step 5"):
        made.write(tmp_path / "bundle")
    assert not list(tmp_path.iterdir())


def test_parity_is_measured_and_enforced(made: Made) -> None:
    series, split = made.prepared.series[0], made.prepared.split
    windows = series.windows(split.test, made.model.graph.reach)
    (native,), (drift,) = made.evaluation.test_forecasts, made.evaluation.test_drift
    assert check_parity(made.exported, windows, native, 3.0, drift) < 1e-6
    point, quantiles = native.point.copy(), native.quantiles.copy()
    wrong = Forecasts(point, quantiles)
    quantiles[5, 9, 1] += 0.01
    said = rf"quantiles of ONNX and native within .* at origin {split.test[5]}, step 9"
    with pytest.raises(ParityError, match=said):
        check_parity(made.exported, windows, wrong, 3.0, drift)
    point[3, 7] += 0.01
    with pytest.raises(ParityError, match=rf"origin {split.test[3]}, step 7"):
        check_parity(made.exported, windows, wrong, 3.0, drift)
    point[:] = np.nan
    with pytest.raises(ParityError):
        check_parity(made.exported, windows, wrong, 3.0, drift)


def test_versions_are_as_old_as_the_graph_allows(made: Made) -> None:
    assert made.exported.ml_opset is None
    assert made.exported.opset == 13
    assert made.exported.ir_version == 7
