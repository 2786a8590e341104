"""What stands in for a model, how far forecasts were off, and what they take: each by an oracle."""

from pathlib import Path

import numpy as np
import pytest
from frugal_edge.errors import InputError
from frugal_edge.gateway import accuracy, degraded, energy
from frugal_edge.gateway.config import PowerSettings
from frugal_edge.gateway.target import Target
from frugal_edge.store.forecasts import Error
from frugal_edge.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

STEP, DAY = 900, 86400
ORIGIN = 1_717_192_800


def table(readings: dict[int, float]) -> Table | None:
    if not readings:
        return None
    times = sorted(readings)
    values = np.array([readings[time] for time in times])
    return Table(Path("readings"), np.array(times, np.int64), {"value": values})


def target(horizon: int, season_s: int = DAY) -> Target:
    return Target("feeder", "MW", STEP, horizon, season_s=season_s)


def seasonal_by_hand(
    readings: dict[int, float], horizon: int, season_s: int, seasons: int
) -> list[float] | None:
    """Look back season by season from each interval, past those that begin after the origin."""
    found = []
    for lead in range(horizon):
        time = ORIGIN + lead * STEP
        back = 1
        while time - back * season_s + STEP > ORIGIN:
            back += 1
        tried = [time - (back + n) * season_s for n in range(seasons)]
        seen = [readings[one] for one in tried if one in readings]
        if not seen:
            return None
        found.append(seen[0])
    return found


@settings(deadline=None)  # hundreds of steps in plain Python
@given(
    kept=st.sets(st.integers(1, 8 * 96), max_size=8 * 96).flatmap(
        lambda gaps: st.just(set(range(1, 8 * 96 + 1)) - gaps) | st.just(gaps)
    ),
    horizon=st.integers(1, 300),
    season_s=st.sampled_from([DAY, 2 * DAY, DAY // 2]),
    seasons=st.integers(1, 7),
)
def test_the_season_is_what_plain_python_finds(
    kept: set[int], horizon: int, season_s: int, seasons: int
) -> None:
    readings = {ORIGIN - n * STEP: float(n) for n in kept}
    expected = seasonal_by_hand(readings, horizon, season_s, seasons)
    about = target(horizon, season_s)
    if expected is None:
        with pytest.raises(InputError, match=f"no reading in {seasons} seasons for 20"):
            degraded.seasonal_naive(about, table(readings), ORIGIN, seasons)
    else:
        found = degraded.seasonal_naive(about, table(readings), ORIGIN, seasons)
        assert found.dtype == np.float32
        assert found.tolist() == expected


def test_persistence_is_the_last_reading_while_it_is_young() -> None:
    readings = table({ORIGIN - 5 * STEP: 3.0, ORIGIN - 4 * STEP: 4.5})
    assert degraded.persistence(target(3), readings, ORIGIN, 3 * STEP).tolist() == [4.5] * 3
    with pytest.raises(InputError, match=r"the last reading, of 2024-05-31T21:00:00Z, is too old"):
        degraded.persistence(target(3), readings, ORIGIN, 3 * STEP - 1)
    with pytest.raises(InputError, match="no reading at all"):
        degraded.persistence(target(3), None, ORIGIN, DAY)
    missing = table({ORIGIN - STEP: float("nan")})
    with pytest.raises(InputError, match="no reading at all"):
        degraded.persistence(target(3), missing, ORIGIN, DAY)


@given(
    st.lists(
        st.lists(st.none() | st.floats(-100, 100), min_size=3, max_size=3), min_size=1, max_size=30
    )
)
def test_over_the_first_forecasts_the_error_is_numpys_mean(came: list[list[float | None]]) -> None:
    errors: dict[int, Error] = {}
    forecasts = np.random.default_rng(0).uniform(-100, 100, (len(came), 3))
    actual = np.array([[np.nan if v is None else v for v in row] for row in came])
    for forecast, row in zip(forecasts, actual, strict=True):
        errors = {**errors, **accuracy.learn(errors, forecast, row)}
    for lead in range(3):
        off = forecasts[:, lead] - actual[:, lead]
        off = off[np.isfinite(off)]
        if not len(off):
            assert lead not in errors
            continue
        one = errors[lead]
        assert one.count == len(off)
        np.testing.assert_allclose([one.error, one.bias], [np.abs(off).mean(), off.mean()],
                                   rtol=1e-9, atol=1e-9)  # fmt: skip


def test_later_errors_count_more_than_old_ones() -> None:
    errors: dict[int, Error] = {}
    for _ in range(30):
        errors |= accuracy.learn(errors, [10.0], [0.0])
    for _ in range(60):
        errors |= accuracy.learn(errors, [0.0], [0.0])
    assert errors[0].error == pytest.approx(10 * (29 / 30) ** 60)
    assert errors[0].count == 90


def test_energy_is_power_times_time() -> None:
    power = PowerSettings(idle_w=2.0, busy_w=6.0, intensity=50.0, source="a meter", share=0.25)
    work, rest = energy.dynamic(power, 3.0), energy.idle(power, 7200.0)
    assert work.joules == 12.0
    assert rest.joules == 2.0 * 0.25 * 7200
    assert rest.grams == pytest.approx(rest.joules / 3.6e6 * 50)
