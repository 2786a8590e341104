from itertools import count

import pytest

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.meter import Meter
from frugal_ai.cost.replay import ReplayMeter
from frugal_ai.errors import CostError


def test_measurements_come_in_order_and_work_runs_once() -> None:
    prescribed = [Measurement.once(Reading(cpu, 0.0, cpu)) for cpu in (1.0, 2.0)]
    meter: Meter = ReplayMeter(prescribed)
    calls = count(1)
    results = [meter.measure(lambda: next(calls)) for _ in prescribed]
    assert results == [(1, prescribed[0]), (2, prescribed[1])]
    assert meter.overhead().cpu_s == 0


def test_exhausted() -> None:
    meter = ReplayMeter([])
    with pytest.raises(CostError, match="at most 0"):
        meter.measure(lambda: None)
