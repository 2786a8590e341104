"""Each formula by hand, in plain arithmetic."""

import numpy as np
import pytest

from frugal_ai.bill import stages
from frugal_ai.bill.amount import Amount

YEAR_H = 8766


def close(amount: Amount, kwh: float, grams: float, eur: float) -> bool:
    got = (amount.kwh, amount.gco2e, amount.eur)
    return got == pytest.approx((kwh, grams, eur))


def test_work() -> None:
    assert close(stages.work(0.5, 2, 100, 0.01, times=3), 1.5, 150, 0.06)


def test_inference() -> None:
    # 10 W x 1,000 forecasts a day x 0.36 s = 3,600 J = 0.001 kWh a day
    kwh = 0.001 * 365.25 * 2
    assert close(stages.inference(10 * 1000, 0.36, 2, 50, 0.2), kwh, 50 * kwh, 0.2 * kwh)


def test_idle() -> None:
    assert close(stages.idle(1000, 1, 50, 0.2), YEAR_H, 50 * YEAR_H, 0.2 * YEAR_H)


def test_server() -> None:
    kwh = 2 * 1.5 / 1000 * YEAR_H * 1.2
    assert close(stages.server(2, 1.5, 1.2, 1, 100, 0.01), kwh, 100 * kwh, 2 * YEAR_H * 0.01)


def test_traffic_with_electricity_and_with_life_cycle() -> None:
    assert close(stages.traffic(3e9, 0.01, 0, 100, 0.5), 0.03, 3, 1.5)
    assert close(stages.traffic(3e9, 0, 50, 100, 0.5), 0, 150, 1.5)


def test_lines() -> None:
    assert close(stages.lines(2, 4100, 3), 0, 2 * 4100 * 36, 0)


def test_storage() -> None:
    kwh = 2 * 3 * 1.2 / 1000 * YEAR_H * 1.5  # 2 TB three times at 1.2 Wh/(TB.h)
    assert close(stages.storage(2e12, 3, 1.2, 1.5, 1, 10, 0.02), kwh, 10 * kwh, 6000 * 0.02 * 12)


def test_embodied() -> None:
    assert close(stages.embodied_gateways(2, 3, 5), 0, 10_000, 15)
    assert close(stages.embodied_servers(10, 0.27), 0, 2.7, 0)


def test_scenarios_are_evaluated_at_once() -> None:
    intensity, years = np.array([10.0, 20.0, 40.0]), np.array([1.0, 1.0, 2.0])
    together = stages.idle(500, years, intensity, 0.2)
    alone = [stages.idle(500, y, i, 0.2) for y, i in zip(years, intensity, strict=True)]
    assert np.asarray(together.gco2e).tolist() == [one.gco2e for one in alone]
    assert np.asarray(together.kwh).tolist() == [one.kwh for one in alone]
