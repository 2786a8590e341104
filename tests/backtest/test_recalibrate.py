from dataclasses import dataclass
from datetime import time

import numpy as np
import pytest
from frugal_edge.drift import Drift
from spox import Var

from frugal_ai.backtest.conformal import calibrate
from frugal_ai.backtest.forecaster import OriginClocks, SeriesForecaster
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.physical import Physical
from frugal_ai.backtest.recalibrate import follow
from frugal_ai.ladder.persistence import FirstColumn
from frugal_ai.ladder.rung import Float32Array, FloatArray

LEVELS = (0.1, 0.5, 0.9)
H, STEP, DAY = 24, 3600, 86400
N = 300


@dataclass(frozen=True)
class Calm:
    """What was learnt before the series changed: 1.28 to either side."""

    def apply(self, raw: FloatArray, group: object, spread: object) -> FloatArray:
        return np.asarray(raw + np.array([-1.2816, 0.0, 1.2816]))

    def apply_onnx(self, raw: Var, group: object, spread: object) -> Var:
        raise NotImplementedError


def forecaster(*, drifts: bool = True) -> SeriesForecaster:
    clocks = OriginClocks((time(0),), STEP)
    return SeriesForecaster(
        FirstColumn(), Calm(), clocks, Physical(), Limits(), levels=LEVELS, drifts=drifts
    )


def days(every_s: int = DAY) -> tuple[Float32Array, np.ndarray, FloatArray]:
    """Features, origins, and what came: noise around the features, on a level 2 above them."""
    rng = np.random.default_rng(0)
    features = rng.normal(50, 10, (N, H, 1)).astype(np.float32)
    actual = features[:, :, 0] + 2.0 + rng.normal(0, 1, (N, H))
    return features, np.arange(N, dtype=np.int64) * every_s, actual


def test_a_series_that_has_changed_is_covered_again() -> None:
    features, origins, actual = days()
    still, none = follow(forecaster(drifts=False), features, origins, actual, STEP)
    moving, drift = follow(forecaster(), features, origins, actual, STEP)
    assert none.shape == (N, H, 0)
    assert drift.shape == (N, H, 3)
    late = slice(100, None)
    shares = {
        name: (actual[late, :, None] <= found.quantiles[late]).mean(axis=(0, 1))
        for name, found in {"still": still, "moving": moving}.items()
    }
    assert shares["still"][2] < 0.3
    assert shares["moving"] == pytest.approx(LEVELS, abs=0.03)
    errors = [np.abs(found.point[late] - actual[late]).mean() for found in (still, moving)]
    assert errors[1] < 0.5 * errors[0]


def test_the_forecasts_are_those_of_the_drift_that_is_given() -> None:
    features, origins, actual = days()
    found, drift = follow(forecaster(), features, origins, actual, STEP)
    again = forecaster().predict(features, drift)
    np.testing.assert_array_equal(again.quantiles, found.quantiles)
    np.testing.assert_array_equal(again.point, found.point)


@pytest.mark.parametrize("every_s", [DAY, DAY // 4, 2 * DAY, STEP])
def test_nothing_is_learnt_from_what_is_not_over(every_s: int) -> None:
    features, origins, actual = days(every_s)
    before = follow(forecaster(), features, origins, actual, STEP)[0]
    for o in (0, 30, 299):
        over = origins[:, None] + (np.arange(H) + 1) * STEP <= origins[o]  # [O, H]
        poisoned = np.where(over, actual, 1e6)
        after = follow(forecaster(), features, origins, poisoned, STEP)[0]
        np.testing.assert_array_equal(after.quantiles[: o + 1], before.quantiles[: o + 1])


def test_a_gateway_that_learns_day_by_day_gets_the_same() -> None:
    features, origins, actual = days()
    actual[20:25] = np.nan
    found, given = follow(forecaster(), features, origins, actual, STEP)
    drift = Drift.none(LEVELS, STEP)
    for o, origin in enumerate(origins.tolist()):
        np.testing.assert_array_equal(drift.ahead(origin, H), given[o])
        drift = drift.learn(origin, found.quantiles[o], actual[o])


def test_calibration_and_drift_work_together() -> None:
    features, origins, actual = days()
    clocks = OriginClocks((time(0),), STEP)
    ones, group = np.ones(actual.shape), np.zeros(N, np.int64)
    learnt = calibrate(features.astype(np.float64), actual - 2.0, ones, group, 1, LEVELS)
    one = SeriesForecaster(
        FirstColumn(), learnt, clocks, Physical(), Limits(), levels=LEVELS, drifts=True
    )
    found, _ = follow(one, features, origins, actual, STEP)
    inside = (actual >= found.quantiles[:, :, 0]) & (actual <= found.quantiles[:, :, 2])
    assert inside[100:].mean() == pytest.approx(0.8, abs=0.03)
