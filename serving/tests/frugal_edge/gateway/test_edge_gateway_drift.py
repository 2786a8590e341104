import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from frugal_edge.drift import Drift
from frugal_edge.errors import StoreError
from frugal_edge.store.forecasts import Forecasts

ORIGIN, DAY, STEP, HORIZON = 1_717_192_800, 86400, 1800, 48
OFFSETS = {0.1: -1.0, 0.5: 0.0, 0.9: 1.0}
READS = ("history", "drift")

Site = Any  # of conftest.py
Days = Callable[..., dict[int, float]]


def came(day: int) -> dict[int, float]:
    """Return what is read on a day: above all quantiles of the season before it."""
    start = ORIGIN + day * DAY
    return {start + n * STEP: 20.0 + 3 * day + n % 7 for n in range(HORIZON)}


def run(site: Site, readings_of_days: Days, *, restarts: bool) -> list[bytes]:
    site.install(site.bundle(READS, offsets=OFFSETS))
    gateway, bodies = site.open(), []
    site.feed(gateway, readings_of_days(3))
    for day in range(8):
        site.now = ORIGIN + day * DAY + 60
        gateway.cycle()
        bodies.append(gateway.body("feeder"))
        site.now += DAY - 60
        site.feed(gateway, came(day))
        if restarts:
            gateway = site.open()
    return bodies


def test_quantiles_follow_what_arrives_as_a_drift_by_hand_does(
    site: Site, readings_of_days: Days
) -> None:
    bodies = [json.loads(one) for one in run(site, readings_of_days, restarts=False)]
    drift, before = Drift.none((0.1, 0.5, 0.9), STEP), readings_of_days(1)
    width, moved = 2.0, 0.0
    for day, body in enumerate(bodies):
        origin = ORIGIN + day * DAY
        level = np.array(list(before.values()))[:, None]
        ahead = drift.ahead(origin, HORIZON)
        expected = level + np.array(list(OFFSETS.values())) + width * ahead
        np.testing.assert_allclose(body["quantiles"], expected, rtol=1e-5)
        before = came(day)
        drift = drift.learn(origin, body["quantiles"], list(before.values()))
        moved = float(np.abs(ahead).max())
    assert moved > 0.3  # it has learnt something


def test_with_restarts_the_forecasts_are_the_same(
    site: Site, readings_of_days: Days, tmp_path: Any
) -> None:
    straight = run(site, readings_of_days, restarts=False)
    site.close()
    site.state, site.now = tmp_path / "other", ORIGIN + 60
    again = run(site, readings_of_days, restarts=True)
    named = b"load-naive_day-000000000002", b"load-naive_day-000000000001"
    assert [one.replace(*named) for one in again] == straight


def test_another_model_starts_anew(site: Site, readings_of_days: Days) -> None:
    run(site, readings_of_days, restarts=False)
    site.install(site.bundle(READS, offsets=OFFSETS))
    gateway = site.opened[0]
    site.now = ORIGIN + 8 * DAY + 60
    gateway.cycle()
    quantiles = np.array(json.loads(gateway.body("feeder"))["quantiles"])
    np.testing.assert_allclose(quantiles[:, 2] - quantiles[:, 0], 2.0, rtol=1e-5)
    np.testing.assert_allclose(quantiles[:, 1], list(came(7).values()), rtol=1e-5)


def test_a_drift_that_cannot_be_kept_costs_no_forecast(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(site.bundle(READS, offsets=OFFSETS))
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))

    def full(*_: object) -> None:
        raise StoreError("gateway.db: database or disk is full")

    monkeypatch.setattr(Forecasts, "put_drift", full)
    assert json.loads(gateway.cycle()[0].as_json())["quality"] == "model"


def test_a_drift_that_cannot_be_read_costs_no_forecast(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle(READS, offsets=OFFSETS))
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    gateway.stores.forecasts.put_drift("feeder", '{"model": 1}')
    (issued,) = gateway.cycle()
    assert json.loads(issued.as_json())["quality"] == "model"
