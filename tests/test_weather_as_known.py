"""No look-ahead in weather: what became known after an origin changes nothing that it leads to."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from frugal_ai.backtest.origins import IntArray
from frugal_ai.backtest.split import training_origins_of
from frugal_ai.backtest.windows import Series
from frugal_ai.check import check_pipeline
from frugal_ai.errors import PipelineError
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare
from frugal_ai.report import RunReport
from frugal_ai.run import Order, run

H, DAY = 3600, 86400
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
T0 = int(FIRST.timestamp())
HOURS = 70 * 24
LOOKBACK_H = 6 * 24  # what the recipe below reads before an origin
SETTINGS: dict[str, Any] = {
    "name": "known",
    "kind": "load",
    "unit": "MW",
    "source": {
        "name": "file",
        "path": "load.csv",
        "covariates": [
            {
                "name": "weather",
                "path": "weather.csv",
                "columns": {
                    "temp": {"column": "temp", "reduce": "mean"},
                    "sun": {"column": "sun", "series": "north"},
                },
            }
        ],
    },
    "series": ["a"],
    "step": "30min",
    "horizon": "1d",
    "timezone": "UTC",
    "covariates": {"known": ["temp", "sun"]},
    "recipe": {
        "features": [
            {"feature": "lag", "at": ["1d"]},
            {"feature": "known", "names": ["temp", "sun"], "mean": ["0d", "6h"]},
            {"feature": "known", "names": ["temp"], "before": ["6d"]},
        ],
        "basis": [{"feature": "weekday"}],
    },
    "rungs": [
        "persistence",
        {"rung": "seasonal_naive", "season": "1d"},
        "ridge",
        {"rung": "residual_boosting", "trees": 5, "leaves": 4},
    ],
    "periods": {
        "train": "2024-01-02T00:00:00Z",
        "validation": {"first": "2024-02-10", "last": "2024-02-22"},
        "test": {"first": "2024-02-24", "last": "2024-03-07"},
    },
    "cost": {"country": "FRA", "block_cpu_s": 0.002},
    "selection": {"resamples": 100},
}


def truth() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    hour = np.arange(HOURS + 72)
    rng = np.random.default_rng(0)
    temp = 10 + 6 * np.sin(2 * np.pi * hour / 24) + np.cumsum(rng.normal(size=len(hour))) / 5
    return temp, np.maximum(0.0, np.sin(2 * np.pi * (hour - 6) / 24))


def weather() -> pl.DataFrame:
    """Two cities, a run at 06:00 and at 18:00, there three hours later, 72 hours long."""
    rng = np.random.default_rng(1)
    return pl.concat(
        [one_run(city, start, rng) for start in range(-6, HOURS, 12) for city in ("north", "south")]
    )


def one_run(city: str, start: int, rng: np.random.Generator) -> pl.DataFrame:
    temp, sun = truth()
    lead = np.arange(max(0, -start), 72)
    error = rng.normal(size=len(lead)) * np.sqrt(lead + 1) / 4
    return pl.DataFrame(
        {
            "series_id": [city] * len(lead),
            "hour": start + lead,
            "available": [start + 3] * len(lead),
            "temp": (temp[start + lead] + error).round(3),
            "sun": (sun[start + lead] + error / 9).round(3),
        }
    )


def last_reader(hour: pl.Expr) -> pl.Expr:
    """The last origin that reads an hour, in hours."""
    return (hour + LOOKBACK_H) // 24 * 24


def poisoned(frame: pl.DataFrame, after_s: int = 1) -> pl.DataFrame:
    """Rows that became known after all origins that read their hour are absurd; some are added."""
    hour, available = pl.col("hour"), pl.col("available")
    rng = np.random.default_rng(2)
    absurd = pl.Series(rng.choice([-1e6, 1e6, 1e9], frame.height))
    late = available * H >= last_reader(hour) * H + after_s
    spoiled = frame.with_columns(
        pl.when(late).then(absurd).otherwise(pl.col(name)).alias(name) for name in ("temp", "sun")
    ).with_columns(seconds=available * H)
    hours = frame.select("series_id", "hour").unique().sort("series_id", "hour")
    more = hours.with_columns(
        available=last_reader(hour),
        temp=pl.lit(-1e7),
        sun=pl.lit(1e7),
        seconds=last_reader(hour) * H + after_s,
    )
    return pl.concat([spoiled, more.select(spoiled.columns)])


def write(folder: Path, frame: pl.DataFrame, name: str = "weather.csv") -> None:
    seconds = pl.col("seconds") if "seconds" in frame.columns else pl.col("available") * H
    stamped = frame.select(
        "series_id",
        timestamp=pl.lit(FIRST) + pl.duration(hours=pl.col("hour")),
        available_at=pl.lit(FIRST) + pl.duration(seconds=seconds),
        temp="temp",
        sun="sun",
    )
    if name.endswith(".parquet"):
        stamped.write_parquet(folder / name)
    else:
        stamped.write_csv(folder / name, datetime_format="%Y-%m-%dT%H:%M:%SZ")


def write_load(folder: Path) -> None:
    temp, sun = truth()
    half_hours = np.arange(2 * HOURS)
    rng = np.random.default_rng(3)
    value = 60 - 1.5 * temp[half_hours // 2] - 8 * sun[half_hours // 2]
    times = [(FIRST + timedelta(minutes=30 * int(i))).isoformat() for i in half_hours]
    pl.DataFrame(
        {
            "series_id": ["a"] * len(times),
            "timestamp": times,
            "value": (value + rng.normal(size=len(times))).round(3),
        }
    ).write_csv(folder / "load.csv")


Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write load, weather and pipeline in a folder of their own; return the pipeline's path."""

    def written(name: str, frame: pl.DataFrame, **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        write_load(folder)
        write(folder, frame)
        path = folder / "known.yaml"
        path.write_text(yaml.safe_dump(SETTINGS | changes))
        return path

    return written


def ready(path: Path) -> tuple[Pipeline, Prepared]:
    pipeline = read_pipeline(path)
    return pipeline, prepare(pipeline, path.parent, {}, lambda _: None)


def features(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Features of the training, validation and test origins, of all that the rungs read."""
    pipeline, prepared = ready(path)
    (series,), (grid,), split = prepared.series, prepared.grids, prepared.split
    graph = FeatureGraph((*pipeline.features.features, *pipeline.features.basis), grid)
    assert graph.reach.lookback == 2 * LOOKBACK_H
    origins: dict[str, IntArray] = {
        "training": training_origins_of(series, graph, split),
        "validation": split.validation,
        "test": split.test,
    }
    assert all(len(each) >= 13 for each in origins.values())
    return {name: graph.transform(series.windows(at, graph.reach)) for name, at in origins.items()}


def test_features_of_every_origin_are_those_without_the_poison(make: Make) -> None:
    clean, spoiled = features(make("clean", weather())), features(make("bad", poisoned(weather())))
    for period, expected in clean.items():
        assert np.isfinite(expected).all()
        assert np.abs(expected).max() < 1000
        np.testing.assert_array_equal(spoiled[period], expected)


def test_the_poison_is_one(make: Make) -> None:
    """A second earlier, at the origin itself, it is part of what was known, and it shows."""
    clean = features(make("clean", weather()))
    spoiled = features(make("bad", poisoned(weather(), after_s=0)))
    for period, expected in clean.items():
        different = spoiled[period] != expected
        assert different.any(axis=(1, 2)).all()  # at every origin


def test_each_half_hour_is_read_from_the_vintages_of_its_origin(make: Make) -> None:
    """Against rows that are filtered by hand, for a few origins of each period."""
    _, prepared = ready(make("clean", weather()))
    series, frame = prepared.series[0], weather()
    for origin in (T0 + 10 * DAY, int(prepared.split.validation[3]), int(prepared.split.test[-1])):
        there = frame.filter(pl.col("available") * H + T0 <= origin, series_id="north")
        newest = there.sort("available").group_by("hour").last().sort("hour")
        half_hours = (origin - T0) / H + np.arange(-2 * LOOKBACK_H, 48) / 2
        expected = np.interp(half_hours, newest["hour"].to_numpy(), newest["sun"].to_numpy())
        graph_reach = replace(
            FeatureGraph((), prepared.grids[0]).reach,
            lookback=2 * LOOKBACK_H,
            known=frozenset({"sun"}),
        )
        seen = series.windows(np.array([origin]), graph_reach).known[0, :, 0]
        np.testing.assert_allclose(seen, expected, rtol=1e-6, atol=1e-7)


def outcome(path: Path, empty_store: Path) -> tuple[RunReport, Path]:
    class Deaf:
        def tell(self, sentence: str) -> None:
            pass

        def step(self, what: str, done: int, total: int) -> None:
            """Hear of progress."""

        def climb(self, rung: str, done: int, total: int) -> None:
            pass

    out = path.parent / "out"
    shutil.copy(empty_store, path.parent)
    order = Order(path, out, {}, f"sqlite:///{path.parent / 'mlflow.db'}")
    return run(read_pipeline(path), order, Deaf()), out


def test_a_whole_run_is_the_same_with_and_without_the_poison(make: Make, empty_store: Path) -> None:
    rungs = {"rungs": SETTINGS["rungs"][2:], "selection": {"resamples": 100, "tolerance": 9.0}}
    found = [outcome(make("clean", weather(), **rungs), empty_store)]
    found.append(outcome(make("bad", poisoned(weather()), **rungs), empty_store))
    (clean, clean_out), (spoiled, spoiled_out) = found
    figures = {"mae", "mae_ci", "rmse", "nmae", "mase", "skill", "skill_ci", "validation_mae"}
    for one, other in zip(clean.rungs, spoiled.rungs, strict=True):
        assert other.model_dump(include=figures) == one.model_dump(include=figures)
        assert one.mae is not None
        assert one.mae < 5
    assert clean.chosen == spoiled.chosen
    assert clean.targets_digest == spoiled.targets_digest
    assert clean.data_digest != spoiled.data_digest  # the poison is part of the data
    assert (clean.weather, spoiled.weather) == ("as_known", "as_known")
    for name in ("bundle/model.onnx", "bundle/golden.json", "example/known.csv"):
        assert (clean_out / name).read_bytes() == (spoiled_out / name).read_bytes()
    bounds = [
        json.loads((out / "bundle" / "manifest.json").read_text())["bounds"]
        for out in (clean_out, spoiled_out)
    ]
    assert bounds[0] == bounds[1]
    card = (clean_out / "bundle" / "MODEL_CARD.md").read_text()
    assert "Weather as known at the origin" in card
    assert "erfect weather" not in card


def test_parquet_gives_the_same_data(make: Make) -> None:
    path = make("clean", weather())
    expected = ready(path)[1].panel.digest()
    write(path.parent, weather(), "weather.parquet")
    found = prepare(
        read_pipeline(path),
        path.parent,
        {"weather": path.parent / "weather.parquet"},
        lambda _: None,
    )
    assert found.panel.digest() == expected


def test_check_says_how_the_weather_was_known(make: Make) -> None:
    facts = dict(check_pipeline(make("clean", weather()), {}, lambda _: None).facts)
    assert facts["weather"] == "as known at the origin: temp, sun"


def test_training_origins_without_a_vintage_are_refused_before_anything_is_trained(
    make: Make,
) -> None:
    late = weather().filter(pl.col("available") >= 15 * 24)
    with pytest.raises(Exception, match="known covariate temp of a: no vintage is available yet"):
        ready(make("late", late))


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("available").group_by("series_id", "hour", maintain_order=True).last()


def without_vintages(path: Path) -> Path:
    """Take the column away that says when something became known."""
    table = pl.read_csv(path.parent / "weather.csv", infer_schema=False)
    table.drop("available_at").write_csv(path.parent / "weather.csv")
    return path


def test_without_vintages_the_pipeline_says_that_it_assumes_perfect_weather(make: Make) -> None:
    with pytest.raises(PipelineError) as caught:
        ready(without_vintages(make("silent", plain(weather()))))
    assert str(caught.value) == (
        "covariates: nothing says when temp, sun became known; give their table a column"
        " available_at, or write assume: perfect beside known to take them as they came, or"
        " certain: [temp, sun] if they are known for sure"
    )
    known = {"known": ["temp", "sun"]}
    path = without_vintages(
        make("said", plain(weather()), covariates=known | {"assume": "perfect"})
    )
    pipeline, prepared = ready(path)
    assert pipeline.covariates.weather(prepared.panel.vintages) == "perfect"
    half = {**known, "certain": ["sun"]}
    with pytest.raises(PipelineError, match="nothing says when temp became known; give"):
        ready(without_vintages(make("half", plain(weather()), covariates=half)))
    both = without_vintages(
        make("sure", plain(weather()), covariates={**known, "certain": [*known["known"]]})
    )
    pipeline, prepared = ready(both)
    assert pipeline.covariates.weather(prepared.panel.vintages) == "none"


def test_an_assumption_that_holds_for_nothing_is_told(make: Make) -> None:
    told: list[str] = []
    known = {"known": ["temp", "sun"], "assume": "perfect"}
    path = make("needless", weather(), covariates=known)
    prepared = prepare(read_pipeline(path), path.parent, {}, told.append)
    assert "covariates: assume: perfect holds for none of them" in told
    assert read_pipeline(path).covariates.weather(prepared.panel.vintages) == "as_known"


def test_the_panels_own_column_is_not_read(make: Make) -> None:
    """Of a covariate with vintages it is for ranges alone."""
    pipeline, prepared = ready(make("clean", weather()))
    series = prepared.series[0]
    graph = FeatureGraph(pipeline.features.features, prepared.grids[0])
    nothing = replace(series.panel, known=np.full_like(series.panel.known, np.nan))
    blind = Series(nothing, 0, series.filled, series.horizon)
    at = prepared.split.test
    np.testing.assert_array_equal(
        graph.transform(blind.windows(at, graph.reach)),
        graph.transform(series.windows(at, graph.reach)),
    )
