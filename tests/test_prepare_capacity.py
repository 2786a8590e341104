"""A capacity that a target is counted in: zero or missing is said before anything is trained."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from frugal_ai.backtest.evaluate import evaluate, unmeasured
from frugal_ai.errors import DataError
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare, task

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 60
SETTINGS: dict[str, Any] = {
    "name": "plant",
    "kind": "wind",
    "unit": "MW",
    "source": {"name": "file", "path": "plant.csv"},
    "series": ["a"],
    "step": "1h",
    "horizon": "1d",
    "timezone": "UTC",
    "covariates": {"known": ["ws", "size"], "assume": "perfect"},
    "site": {"capacity": "size"},
    "recipe": {
        "features": [
            {"feature": "lag", "at": ["1d"]},
            {"feature": "known", "names": ["ws"]},
            {"feature": "spline", "of": {"feature": "known", "names": ["ws"]}, "pieces": 3},
        ]
    },
    "rungs": ["persistence", "ridge"],
    "quantiles": [0.2, 0.5, 0.8],
    "periods": {
        "train": "2024-01-02T00:00:00Z",
        "validation": {"first": "2024-02-10", "last": "2024-02-16"},
        "test": {"first": "2024-02-18", "last": "2024-02-24"},
    },
    "cost": {"country": "FRA"},
}
Edit = Callable[[pl.DataFrame], pl.DataFrame]


def rows() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    hour = np.arange(DAYS * 24)
    wind = rng.gamma(2, 4, len(hour))
    size = np.where(hour < 30 * 24, 10.0, 20.0)
    return pl.DataFrame(
        {
            "series_id": ["a"] * len(hour),
            "timestamp": [(FIRST + timedelta(hours=int(h))).isoformat() for h in hour],
            "value": size * np.clip(wind / 20, 0, 1),
            "ws": wind,
            "size": size,
            "hour": hour,
        }
    )


def at(hour: int, value: float | None, hours: int = 1) -> Edit:
    here = pl.col("hour").is_between(hour, hour + hours - 1)
    return lambda frame: frame.with_columns(
        pl.when(here).then(pl.lit(value)).otherwise(pl.col("size")).alias("size")
    )


def made(folder: Path, edit: Edit | None = None, **changes: Any) -> tuple[Pipeline, Prepared]:
    frame = edit(rows()) if edit else rows()
    frame.drop("hour").write_csv(folder / "plant.csv")
    path = folder / "plant.yaml"
    path.write_text(yaml.safe_dump(SETTINGS | changes))
    pipeline = read_pipeline(path)
    return pipeline, prepare(pipeline, folder, {}, lambda _: None)


@pytest.mark.parametrize(
    ("day", "value"),
    [(10, 0.0), (42, 0.0), (54, -1.0)],
    ids=["training", "validation", "last test target"],
)
def test_a_capacity_of_zero_is_refused(tmp_path: Path, day: int, value: float) -> None:
    when = FIRST + timedelta(days=day, hours=5)
    said = rf"a: site\.capacity: expected size above 0 at {when:%Y-%m-%dT%H:%M:%SZ}, got {value:g}"
    with pytest.raises(DataError, match=said) as caught:
        made(tmp_path, at(day * 24 + 5, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("day", [10, 42, 54])
def test_a_capacity_that_is_missing_is_refused(tmp_path: Path, day: int) -> None:
    when = FIRST + timedelta(days=day, hours=5)
    with pytest.raises(DataError, match=rf"size.*{when:%Y-%m-%dT%H}") as caught:
        made(tmp_path, at(day * 24 + 5, None, hours=10))
    assert "\n" not in str(caught.value)


def test_what_no_model_divides_by_may_be_zero(tmp_path: Path) -> None:
    made(tmp_path, at(10 * 24 + 5, 0.0), site={})


def test_before_the_training_period_nothing_is_read(tmp_path: Path) -> None:
    made(tmp_path, at(5, 0.0))


def test_the_task_is_counted_in_the_capacity(tmp_path: Path) -> None:
    pipeline, prepared = made(tmp_path)
    ready = task(pipeline, prepared)
    assert ready.physical.unit
    assert ready.physical.full
    assert ready.grids[0].capacity == "size"
    ridge = next(rung for rung in pipeline.rungs if rung.family == "linear")
    found = evaluate(ridge, ready, unmeasured)
    assert found.test.max() <= 20.0
    actual = prepared.series[0].targets(prepared.split.test)
    assert np.abs(found.test[0] - actual).mean() < 1.5


def test_percentiles_are_those_of_what_training_saw(tmp_path: Path) -> None:
    _, prepared = made(tmp_path)
    table = prepared.grids[0].percentiles["ws"]
    assert table.shape == (101,)
    seen = rows()["ws"].to_numpy()[24 : 40 * 24]  # from the start of training to validation
    np.testing.assert_allclose(table[1:-1], np.percentile(seen, np.arange(1, 100)), rtol=0.15)
    poisoned = lambda frame: frame.with_columns(  # noqa: E731 - short
        pl.when(pl.col("hour") >= 40 * 24).then(999.0).otherwise(pl.col("ws")).alias("ws")
    )
    np.testing.assert_array_equal(made(tmp_path, poisoned)[1].grids[0].percentiles["ws"], table)
