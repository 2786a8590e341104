from pathlib import Path

import numpy as np
import pytest

from frugal_ai.board.pictures import Pictures
from frugal_ai.board.store import Store
from frugal_ai.errors import DataError
from frugal_ai.report.forecasts import ForecastTable
from frugal_ai.tracking import default_uri, log_run


def write_forecasts(run_dir: Path) -> None:
    origins = 1_704_067_200 + 86_400 * np.arange(21, dtype=np.int64)
    hours = np.arange(24)
    forecast = np.broadcast_to(5 + np.sin(hours / 4), (1, 21, 24)).copy()
    actual = forecast + np.random.default_rng(1).normal(0, 0.3, forecast.shape)
    ForecastTable(
        series_ids=("feeder_load",), origins=origins, step_s=3600, actual=actual,
        forecast=forecast, baseline=forecast + 0.5, levels=(0.1, 0.5, 0.9),
        quantiles=forecast[..., None] + np.array([-0.4, 0.0, 0.4]),
    ).write(run_dir)  # fmt: skip


def store_of(run_dir: Path) -> Store:
    log_run(run_dir)
    return Store(default_uri(run_dir.parent))


def test_pictures_are_drawn_once_and_kept(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_forecasts(run_dir)
    store = store_of(run_dir)
    entry = store.snapshot().groups[0].choice
    assert entry is not None
    pictures = Pictures(store)
    drawn = pictures.get(entry, "error_by_lead_time")
    assert drawn is not None
    assert "Error by lead time" in drawn
    monkeypatch.setattr(Pictures, "_draw", None)  # it is not drawn again
    assert pictures.get(entry, "reliability") is not None
    assert pictures.get(entry, "forecast") is not None
    assert pictures.get(entry, "../run") is None


def test_forecasts_that_are_cut_are_told_without_the_place_where_they_lay(run_dir: Path) -> None:
    (run_dir / "forecasts.parquet").write_bytes(b"PAR1 cut")
    store = store_of(run_dir)
    entry = store.snapshot().groups[0].choice
    assert entry is not None
    with pytest.raises(DataError, match="cannot be drawn") as raised:
        Pictures(store).get(entry, "forecast")
    assert entry.row.run_id in str(raised.value)
    assert "/frugal-ai-" not in str(raised.value)
