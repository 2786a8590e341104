"""The feature graph against an oracle in plain Python that shares no code with it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.lag import known_lag
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import Grid, local_grid
from frugal_ai.features.recipe import Recipe

STEP = 1800
HORIZON = 48
ZONES = {"Europe/Paris": "FR", "America/New_York": "US", "Asia/Kolkata": "IN", "UTC": None}
KNOWN = ("temperature", "wind")
PAST = ("flow",)
FIRST, LAST = datetime(2020, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)


def grid(zone: str, horizon: int = HORIZON, step: int = STEP) -> Grid:
    return local_grid(
        step_s=step,
        horizon=horizon,
        timezone=zone,
        holidays=ZONES[zone],
        valid_from=int(FIRST.timestamp()),
        valid_until=int(LAST.timestamp()),
        known_names=KNOWN,
        past_names=PAST,
        static={"capacity": 2.5},
    )


def windows(graph: FeatureGraph, origins: NDArray[np.int64], seed: int) -> Windows:
    rng = np.random.default_rng(seed)
    reach, count = graph.reach, len(origins)
    steps = max(reach.history, 1)
    span = reach.lookback + graph.grid.horizon
    shape = (count, span, len(graph.inputs.known_names))
    return Windows(
        history=rng.normal(5e4, 1e4, (count, steps)).astype(np.float32),
        origin=origins,
        known=rng.normal(10, 8, shape).astype(np.float32),
        past=rng.normal(3, 1, (count, steps, len(graph.inputs.past_names))).astype(np.float32),
    )


def computed(blocks: list[dict[str, Any]], zone: str, seed: int = 0) -> tuple[Any, ...]:
    recipe = Recipe.model_validate({"features": blocks})
    graph = FeatureGraph(recipe.features, grid(zone))
    rng = np.random.default_rng(seed)
    span = int((LAST - FIRST).total_seconds()) // STEP
    origins = int(FIRST.timestamp()) + STEP * np.sort(rng.integers(0, span, 40))
    # clock changes and the turn of the year, whatever the draw
    edges = ("2024-03-30T23", "2024-10-26T22", "2024-12-31T10", "2024-02-28T12", "2024-11-02T12",
             "2025-03-08T12")  # fmt: skip
    instants = [int(datetime.fromisoformat(f"{edge}:00Z").timestamp()) for edge in edges]
    origins = np.concatenate([origins, instants])
    cut = windows(graph, origins, seed)
    return graph, cut, graph.transform(cut)


def local_times(cut: Windows, zone: str) -> list[list[datetime]]:
    place = ZoneInfo(zone)
    return [
        [datetime.fromtimestamp(int(o) + h * STEP, UTC).astimezone(place) for h in range(HORIZON)]
        for o in cut.origin
    ]


def each_local(cut: Windows, zone: str, ask: Callable[[datetime], float]) -> NDArray[np.float32]:
    return np.array([[ask(t) for t in row] for row in local_times(cut, zone)], np.float32)


def assert_ulp(got: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    np.testing.assert_array_max_ulp(got, expected.astype(np.float32), maxulp=1)


@pytest.mark.parametrize("zone", ZONES)
def test_clock_agrees_with_zoneinfo(zone: str) -> None:
    graph, cut, got = computed([{"feature": "clock"}, {"feature": "weekday"}], zone)
    assert graph.columns[:3] == ("hour", "weekday", "day_of_year")
    hour = each_local(cut, zone, lambda t: t.hour + t.minute / 60)
    weekday = each_local(cut, zone, lambda t: t.weekday())
    np.testing.assert_array_equal(got[:, :, 0], hour)
    np.testing.assert_array_equal(got[:, :, 1], weekday)
    np.testing.assert_array_equal(got[:, :, 3:], np.eye(7, dtype=np.float32)[weekday.astype(int)])


@pytest.mark.parametrize("zone", ZONES)
def test_day_of_year_drifts_by_a_day_at_most(zone: str) -> None:
    _, cut, got = computed([{"feature": "clock"}], zone)
    day = each_local(cut, zone, lambda t: t.timetuple().tm_yday - 1)
    apart = np.abs(got[:, :, 2] - day)
    assert np.minimum(apart, 365 - apart).max() <= 1


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Asia/Kolkata"])
def test_holidays_and_bridges_agree_with_the_calendar(zone: str) -> None:
    block = {
        "feature": "holiday",
        "days_before": [0, 1, 7, -1],
        "flags": ["holiday", "bridge", "yearend"],
    }
    _, cut, got = computed([block], zone)
    country = holidays.country_holidays(ZONES[zone] or "", years=range(2020, 2029))

    def off(day: date) -> bool:
        return day in country

    def bridge(day: date) -> bool:
        before, after = day - timedelta(1), day + timedelta(1)
        weekend = (before.weekday() == 6, after.weekday() == 5)
        return (
            day.weekday() < 5
            and not off(day)
            and (off(before) or off(after))
            and (off(before) or weekend[0])
            and (off(after) or weekend[1])
        )

    def yearend(day: date) -> bool:
        return (day.month, day.day) >= (12, 24) or (day.month, day.day) == (1, 1)

    for i, shift in enumerate([0, 1, 7, -1]):
        for j, flag in enumerate([off, bridge, yearend]):
            expected = each_local(cut, zone, lambda t: flag(t.date() - timedelta(shift)))  # noqa: B023
            np.testing.assert_array_equal(got[:, :, 3 * i + j], expected)


@pytest.mark.parametrize("period", ["day", "week", "year"])
def test_fourier_terms(period: str) -> None:
    zone = "Europe/Paris"
    _, cut, got = computed([{"feature": "fourier", "period": period, "harmonics": 3}], zone)
    length = {"day": 86400, "week": 7 * 86400, "year": 365.25 * 86400}[period]

    def phase(t: datetime) -> float:
        clock = t.replace(tzinfo=UTC).timestamp()
        return float((clock - (4 * 86400 if period == "week" else 0)) % length / length)

    turns = np.array([[phase(t) for t in row] for row in local_times(cut, zone)])
    for k in range(1, 4):
        np.testing.assert_allclose(got[:, :, k - 1], np.sin(2 * np.pi * k * turns), atol=2e-7)
        np.testing.assert_allclose(got[:, :, k + 2], np.cos(2 * np.pi * k * turns), atol=2e-7)


def test_lags_and_last_values_are_gathers() -> None:
    blocks: list[dict[str, Any]] = [
        {"feature": "lag", "at": ["1d", "7d", "30min"]},
        {"feature": "last", "steps": 3},
        {"feature": "last", "steps": 2, "of": "flow"},
    ]
    graph, cut, got = computed(blocks, "Europe/Paris")
    steps = cut.history.shape[1]
    for h in range(HORIZON):
        for column, lag in ((0, 48), (1, 336), (2, h + 1)):
            np.testing.assert_array_equal(got[:, h, column], cut.history[:, steps + h - lag])
        for k in range(3):
            np.testing.assert_array_equal(got[:, h, 3 + k], cut.history[:, -1 - k])
        for k in range(2):
            np.testing.assert_array_equal(got[:, h, 6 + k], cut.past[:, -1 - k, 0])
    assert graph.columns[3:] == ("last_1", "last_2", "last_3", "flow_last_1", "flow_last_2")


@given(
    lag=st.integers(1, 2000), horizon=st.integers(1, 500), period=st.sampled_from([1, 24, 48, 336])
)
def test_a_lengthened_lag_is_the_shortest_that_is_known(
    lag: int, horizon: int, period: int
) -> None:
    lags = known_lag(lag, horizon, period)
    lead = np.arange(horizon)
    assert (lags > lead).all()
    assert ((lags - lag) % period == 0).all()
    assert ((lags == lag) | (lags - period <= lead)).all()


def test_rolling_statistics() -> None:
    stats = ["mean", "min", "max", "std"]
    blocks: list[dict[str, Any]] = [
        {"feature": "rolling", "window": ["1d", "7d"], "stats": stats},
        {"feature": "lag", "at": ["1d"], "minus_mean": "7d"},
    ]
    _, cut, got = computed(blocks, "Europe/Paris")
    for i, window in enumerate((48, 336)):
        recent = cut.history[:, -window:].astype(np.float64)
        for j, stat in enumerate((np.mean, np.min, np.max, np.std)):
            expected = np.repeat(stat(recent, axis=1)[:, None], HORIZON, axis=1)  # type: ignore[operator]  # numpy's overloads
            assert_ulp(got[:, :, 4 * i + j], expected)
    level = cut.history[:, -336:].astype(np.float64).mean(axis=1).astype(np.float32)
    lagged = cut.history[:, -48:]
    assert_ulp(got[:, :, 8], lagged - level[:, None])


def test_known_covariates_shifted_and_averaged() -> None:
    blocks: list[dict[str, Any]] = [
        {"feature": "known", "names": ["wind"], "before": ["0d", "1d"], "mean": ["0d", "6h"]},
        {
            "feature": "spline",
            "of": {"feature": "known", "names": ["temperature"]},
            "knots": [0, 15.5],
        },
        {"feature": "static", "names": ["capacity"]},
        {"feature": "horizon"},
    ]
    graph, cut, got = computed(blocks, "Europe/Paris")
    assert graph.inputs.known_names == KNOWN
    assert graph.reach.lookback == 48 + 12 - 1
    target = graph.reach.lookback + np.arange(HORIZON)
    wind, warm = (cut.known[:, :, i].astype(np.float64) for i in (1, 0))
    np.testing.assert_array_equal(got[:, :, 0], cut.known[:, target, 1])
    np.testing.assert_array_equal(got[:, :, 1], cut.known[:, target - 48, 1])
    for column, shift in ((2, 0), (3, 48)):
        mean = np.stack([wind[:, target - shift - k] for k in range(12)]).mean(axis=0)
        np.testing.assert_allclose(got[:, :, column], mean, rtol=2e-7, atol=1e-6)
    np.testing.assert_array_equal(got[:, :, 4], cut.known[:, target, 0])
    for column, knot in ((5, 0.0), (6, 15.5)):
        assert_ulp(got[:, :, column], np.maximum(warm[:, target] - knot, 0))
    assert (got[:, :, 7] == 2.5).all()
    np.testing.assert_array_equal(got[:, :, 8], np.tile(np.arange(48) / 2, (len(cut), 1)))


def test_products_are_every_column_times_every_column() -> None:
    lag = {"feature": "lag", "at": ["1d", "2d"]}
    day = {"feature": "weekday"}
    graph, _, got = computed([lag, day, {"feature": "product", "of": lag, "by": day}], "UTC")
    expected = (got[:, :, :2, None] * got[:, :, None, 2:9]).reshape(len(got), HORIZON, 14)
    np.testing.assert_array_equal(got[:, :, 9:], expected)
    assert graph.columns[9] == "lag_1d_x_weekday_mon"


@settings(max_examples=25, deadline=None)
@given(
    start=st.datetimes(datetime(2021, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 - made UTC below
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "UTC"]),
)
def test_slot_of_the_week_at_any_instant(start: datetime, zone: str) -> None:
    recipe = Recipe.model_validate({"features": [{"feature": "slot"}]})
    graph = FeatureGraph(recipe.features, grid(zone))
    origin = int(start.replace(tzinfo=UTC).timestamp()) // STEP * STEP
    cut = windows(graph, np.array([origin]), 0)
    expected = each_local(
        cut, zone, lambda t: (t.weekday() * 86400 + t.hour * 3600 + t.minute * 60) // STEP
    )
    np.testing.assert_array_equal(graph.transform(cut)[:, :, 0], expected)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"feature": "lag", "at": ["20min"]}, "expected a multiple of the step .30min., got 20min"),
        ({"feature": "lag", "at": ["0d"]}, "expected at least one step"),
        ({"feature": "rolling", "window": ["0d"]}, "rolling.window: expected at least one step"),
        ({"feature": "known", "names": ["sun"]}, "known covariate .*temperature, wind.*'sun'"),
        ({"feature": "last", "of": "sun"}, "past covariate .*flow.*'sun'"),
        ({"feature": "static", "names": ["age"]}, "static covariate .*capacity.*'age'"),
    ],
)
def test_a_block_that_does_not_fit_the_grid_is_refused(block: dict[str, Any], said: str) -> None:
    recipe = Recipe.model_validate({"features": [block]})
    graph = FeatureGraph(recipe.features, grid("UTC"))
    with pytest.raises(PipelineError, match=said):
        _ = graph.columns, graph.reach, graph.build()


def test_batches_do_not_change_the_features(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[dict[str, Any]] = [{"feature": "lag", "at": ["1d"]}, {"feature": "clock"}]
    graph, cut, whole = computed(blocks, "UTC")
    monkeypatch.setattr("frugal_ai.features.graph._BATCH", 7)
    np.testing.assert_array_equal(graph.transform(cut), whole)
