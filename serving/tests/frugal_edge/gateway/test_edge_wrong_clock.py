import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from frugal_edge.quality import Quality

ORIGIN, DAY, STEP, YEAR = 1_717_192_800, 86400, 1800, 365 * 86400

Site = Any  # of conftest.py
Days = Callable[..., dict[int, float]]


def test_a_year_behind_the_time_is_that_of_the_readings(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    site.now = ORIGIN - YEAR  # before the model was built
    receipt = site.feed(gateway, readings)
    assert receipt.accepted == len(readings)
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.origin) == (Quality.MODEL, ORIGIN)
    assert "clock is wrong, 2023-06-01T22:00:00Z is before its models were built" in str(issued)
    assert gateway.stores.counters.get("clock_trusted") == 0
    site.now = ORIGIN + 60  # set right
    assert gateway.cycle() == []
    site.now += DAY
    site.feed(gateway, readings_of_days(1, end=ORIGIN + DAY))
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.warnings) == (Quality.MODEL, ())


def test_with_a_wrong_clock_one_reading_cannot_bar_the_others(
    site: Site, readings_of_days: Days
) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    site.now = 0
    site.feed(gateway, readings)
    far = site.feed(gateway, {ORIGIN + 2 * YEAR // STEP * STEP: 10.0})
    assert "more than a year after the last reading" in far.refused[0][1]
    half = ORIGIN + YEAR // 2 // STEP * STEP
    assert site.feed(gateway, {half: 10.0}).accepted == 1  # who can tell?
    gateway.cycle()
    site.now = ORIGIN + 60
    assert site.feed(gateway, {ORIGIN: 12.0}).accepted == 1
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.origin) == (Quality.MODEL, ORIGIN)
    np.testing.assert_allclose(issued.values, list(readings.values())[-48:], rtol=1e-6)
    assert json.loads(site.open().body("feeder"))["origin"] == "2024-05-31T22:00:00Z"


def test_a_year_ahead_nothing_is_lost(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    site.feed(gateway, readings)
    gateway.cycle()
    site.now = ORIGIN + YEAR
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.UNAVAILABLE
    assert "none since 2025-05-29T20:00:00Z" in issued.warnings[0]
    assert issued.warnings[-1] == "persistence: no reading at all"
    assert site.feed(gateway, {ORIGIN: 12.0}).accepted == 1
    site.now = ORIGIN + 60
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.origin) == (Quality.MODEL, ORIGIN)
    gateway = site.open()
    assert json.loads(gateway.body("feeder"))["quality"] == "model"
    assert gateway.cycle() == []  # the forecast of the future is no longer the newest


def test_behind_but_after_the_model_was_built_readings_are_refused_and_kept_for_who_looks(
    site: Site, readings_of_days: Days
) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    site.feed(gateway, readings)
    gateway.cycle()
    site.now = ORIGIN - 20 * DAY
    receipt = site.feed(gateway, {ORIGIN: 12.0})
    assert receipt.accepted == 0
    assert "is in the future of the gateway's clock, 2024-05-11T22:00:00Z" in receipt.refused[0][1]
    assert "2024-05-31T22:00:00Z" in gateway.stores.quarantine.last()[0].content
    gateway.cycle()
    table = gateway.stores.readings.table("feeder", ("value",), 0, 2**40)
    assert table is not None
    assert len(table.times) == len(readings)  # what was there is there
    site.now = ORIGIN + DAY + 60
    site.feed(gateway, readings_of_days(1, end=ORIGIN + DAY))
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.MODEL


@pytest.mark.parametrize("jump", [-YEAR, YEAR, -ORIGIN, 30 * YEAR])
def test_a_clock_that_jumps_brings_nothing_down(
    site: Site, readings_of_days: Days, jump: int
) -> None:
    site.install(site.bundle(), trial=3)
    gateway = site.open()
    for step in range(4):
        site.now = ORIGIN + 60 + step * DAY + (jump if step % 2 else 0)
        site.feed(gateway, readings_of_days(3, end=ORIGIN + step * DAY))
        gateway.cycle()
        gateway.cycle()
    site.now = ORIGIN + 60 + 4 * DAY
    site.feed(gateway, readings_of_days(3, end=ORIGIN + 4 * DAY))
    gateway.cycle()
    assert json.loads(gateway.body("feeder"))["quality"] == "model"
