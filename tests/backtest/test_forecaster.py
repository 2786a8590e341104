from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any

import hypothesis
import numpy as np
import pytest
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session
from hypothesis import strategies as st
from spox import Var

from frugal_ai.backtest.conformal import calibrate
from frugal_ai.backtest.forecaster import (
    Forecasts,
    OriginClocks,
    SeriesForecaster,
)
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.physical import Physical
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import Grid, local_grid
from frugal_ai.ladder.persistence import FirstColumn
from frugal_ai.ladder.rung import Float32Array, FloatArray

LEVELS = (0.1, 0.5, 0.9)
H, STEP = 4, 1800
ONE = OriginClocks.of((time(0),), STEP)
TWO = OriginClocks.of((time(12), time(0)), STEP)
NONE = Limits()
ALIKE = np.ones((400, H))  # errors that grow with nothing known


@dataclass(frozen=True)
class Crossing:
    """Quantiles of its own, which cross: the first feature times what follows."""

    factors: tuple[float, ...] = (2.0, 1.0, 0.5)

    def predict(self, features: Float32Array) -> FloatArray:
        return features[:, :, 0].astype(np.float64)

    def to_onnx(self, features: Var) -> Var:
        return FirstColumn().to_onnx(features)

    def predict_quantiles(self, features: Float32Array) -> FloatArray:
        return features[:, :, :1].astype(np.float64) * self.factors

    def quantiles_to_onnx(self, features: Var) -> Var:
        return op.mul(features, op.const(np.array(self.factors, np.float32)))


def features(n: int, seed: int = 0) -> Float32Array:
    return np.random.default_rng(seed).normal(5, 3, (n, H, 1)).astype(np.float32)


def with_slots(values: Float32Array) -> Float32Array:
    """Origins by turns at midnight and at noon."""
    slots = (np.arange(len(values))[:, None] % 2 * 24 + np.arange(H)) % 48
    return np.concatenate([values, slots[:, :, None].astype(np.float32)], axis=2)


def in_graph(
    forecaster: SeriesForecaster, values: Float32Array, drift: Float32Array | None
) -> dict[str, Float32Array]:
    argument = spox.argument(spox.Tensor(np.float32, ("B", *values.shape[1:])))
    inputs, outputs = forecaster.to_onnx(argument)
    model = spox.build({"features": argument} | inputs, outputs)
    session = quiet_session(model.SerializeToString())
    given = {"features": values} | ({} if drift is None else {"drift": drift})
    return dict(zip(outputs, session.run(list(outputs), given), strict=True))


def agree(
    forecaster: SeriesForecaster, values: Float32Array, drift: Float32Array | None = None
) -> Forecasts:
    native, graph = forecaster.predict(values, drift), in_graph(forecaster, values, drift)
    np.testing.assert_allclose(graph["forecast"], native.point, rtol=1e-6, atol=1e-5)
    if native.quantiles.shape[2]:
        np.testing.assert_allclose(graph["quantiles"], native.quantiles, rtol=1e-5, atol=1e-5)
        assert (np.diff(graph["quantiles"], axis=2) >= 0).all()
    else:
        assert set(graph) == {"forecast"}
    return native


def points(
    fitted: FirstColumn | Crossing, clocks: OriginClocks, limits: Limits
) -> SeriesForecaster:
    return SeriesForecaster(fitted, None, clocks, Physical(), limits)


def made(
    fitted: FirstColumn | Crossing, clocks: OriginClocks, limits: Limits, size: float = 1.0
) -> tuple[SeriesForecaster, Float32Array]:
    """A forecaster calibrated on errors of one size, twice that at noon; and its features."""
    seen = features(400)
    noise = np.random.default_rng(1).normal(0, size, (400, H))
    given = with_slots(seen) if len(clocks.at) > 1 else seen
    noise *= 1 + np.arange(400)[:, None] % 2 * (len(clocks.at) > 1)
    actual = seen[:, :, 0] + noise
    trial = points(fitted, clocks, limits)
    group, n_groups = clocks.group(given), len(clocks.at)
    calibrated = calibrate(trial.raw(given), actual, ALIKE, group, n_groups, LEVELS)
    return replace(trial, calibrated=calibrated), given


def test_a_point_forecaster_has_no_quantiles() -> None:
    native = agree(points(FirstColumn(), ONE, Limits(minimum=4.0)), features(6))
    assert native.quantiles.shape == (6, H, 0)
    assert native.point.min() == 4.0


def test_quantiles_surround_the_point_forecast_by_the_errors_seen() -> None:
    forecaster, given = made(FirstColumn(), ONE, NONE)
    native = agree(forecaster, given)
    distance = native.quantiles - native.point[:, :, None]
    np.testing.assert_allclose(distance.mean(axis=(0, 1)), [-1.28, 0.0, 1.28], atol=0.15)


def test_quantiles_do_not_cross_where_offsets_by_lead_time_would_make_them() -> None:
    rng = np.random.default_rng(0)
    seen = rng.uniform(0, 1, (200, H, 1)).astype(np.float32)
    # short lead times are far surer than the size of the forecast alone says
    size = seen[:, :, 0] * (1 - seen[:, :, 0]) * np.array([0.05, 0.5, 1.0, 2.0])
    trial = points(FirstColumn(), ONE, NONE)
    actual = seen[:, :, 0] + rng.normal(size=(200, H)) * size
    calibrated = calibrate(trial.raw(seen), actual, ALIKE[:200], ONE.group(seen), 1, LEVELS)
    given = np.linspace(0, 1, 101, dtype=np.float32)[:, None, None].repeat(H, axis=1)
    raw = calibrated.apply(given.astype(np.float64), ONE.group(given), ALIKE[:101])
    assert (np.diff(raw, axis=2) < 0).any()
    native = agree(replace(trial, calibrated=calibrated), given)
    assert (np.diff(native.quantiles, axis=2) >= 0).all()


def test_limits_hold_for_quantiles_too() -> None:
    forecaster, given = made(FirstColumn(), ONE, Limits(minimum=0.0, maximum=6.0))
    native = agree(forecaster, given)
    for values in (native.point, native.quantiles):
        assert values.min() == 0.0
        assert values.max() == 6.0


def test_origins_at_different_times_have_intervals_of_their_own() -> None:
    forecaster, given = made(FirstColumn(), TWO, NONE)
    native = agree(forecaster, given)
    widths = (native.quantiles[:, :, 2] - native.quantiles[:, :, 0]).mean(axis=1)
    np.testing.assert_allclose(widths[::2].mean(), 2.56, atol=0.3)
    np.testing.assert_allclose(widths[1::2].mean(), 5.12, atol=0.6)


def test_a_rungs_own_quantiles_are_calibrated_and_never_cross() -> None:
    forecaster, given = made(Crossing(), ONE, NONE)
    raw = Crossing().predict_quantiles(given)
    assert (np.diff(raw, axis=2) < 0).any()
    native = agree(forecaster, given)
    assert (np.diff(native.quantiles, axis=2) >= 0).all()


def test_a_rung_with_quantiles_reads_no_clock() -> None:
    forecaster, given = made(Crossing(), TWO, Limits(minimum=0.0))
    agree(forecaster, given)


def grid() -> Grid:
    start = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
    return local_grid(
        step_s=STEP, horizon=H, timezone="Europe/Paris", holidays=None,
        valid_from=start, valid_until=start + 366 * 86400,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("instant", "group"),
    [
        ("2024-01-15T23:00", 0),  # midnight in winter
        ("2024-07-15T22:00", 0),  # midnight in summer
        ("2024-01-15T01:30", 1),  # 02:30 in winter
        ("2024-03-31T01:30", 1),  # 02:30 is left out: that instant is 03:30
        ("2024-07-15T10:00", 2),  # noon
    ],
)
def test_an_origin_belongs_to_its_local_time(instant: str, group: int) -> None:
    clocks = OriginClocks.of((time(12), time(2, 30), time(0)), STEP)
    origin = np.array([int(datetime.fromisoformat(f"{instant}+00:00").timestamp())])
    assert clocks.names == ("00:00", "02:30", "12:00")
    assert clocks.group_at(origin, grid()).tolist() == [group]
    nothing = np.empty((1, 1, 0), np.float32)
    windows = Windows(
        np.zeros((1, 1), np.float32), origin, np.empty((1, H, 0), np.float32), nothing
    )
    computed = FeatureGraph(clocks.blocks, grid()).transform(windows)
    assert clocks.group(computed).tolist() == [group]


def test_one_local_time_needs_no_column() -> None:
    assert ONE.blocks == ()
    assert ONE.group_at(np.array([0, 1800]), grid()).tolist() == [0, 0]


def test_the_forecast_is_the_median_where_there_is_one() -> None:
    forecaster, given = made(FirstColumn(), ONE, NONE)
    native = agree(replace(forecaster, levels=LEVELS), given)
    np.testing.assert_array_equal(native.point, native.quantiles[:, :, 1])


@pytest.mark.parametrize("settings", [{"repeats": True, "levels": LEVELS}, {"levels": (0.1, 0.9)}])
def test_the_forecast_is_the_rungs_own_where_it_repeats_or_has_no_median(
    settings: dict[str, Any],
) -> None:
    forecaster, given = made(FirstColumn(), ONE, NONE)
    native = agree(replace(forecaster, **settings), given)
    np.testing.assert_array_equal(native.point, given[:, :, 0])


@pytest.mark.parametrize("fitted", [FirstColumn(), Crossing()])
@pytest.mark.parametrize("clocks", [ONE, TWO])
def test_drift_moves_quantiles_by_their_width(
    fitted: FirstColumn | Crossing, clocks: OriginClocks
) -> None:
    still, given = made(fitted, clocks, NONE)
    moving = replace(still, levels=LEVELS, drifts=True)
    drift = np.zeros((len(given), H, 3), np.float32)
    plain = agree(moving, given, drift).quantiles
    width = plain[:, :, -1:] - plain[:, :, :1]
    drift[:, 1] = 0.5
    moved = agree(moving, given, drift).quantiles
    np.testing.assert_allclose(moved[:, 1], plain[:, 1] + 0.5 * width[:, 1], rtol=1e-6)
    np.testing.assert_array_equal(moved[:, 0], plain[:, 0])


@hypothesis.given(st.integers(0, 2**31))
@hypothesis.settings(max_examples=20, deadline=None)
def test_no_drift_makes_quantiles_cross_or_leave_the_limits(seed: int) -> None:
    forecaster, values = made(FirstColumn(), ONE, Limits(minimum=0.0, maximum=9.0))
    drift = np.random.default_rng(seed).uniform(-4, 4, (len(values), H, 3)).astype(np.float32)
    found = agree(replace(forecaster, levels=LEVELS, drifts=True), values, drift)
    assert found.quantiles.min() >= 0.0
    assert found.quantiles.max() <= 9.0
