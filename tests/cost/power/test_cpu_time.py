import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.cost.power.cpu_time import CpuTimeModel
from frugal_ai.cost.power.model import PowerModel
from frugal_ai.errors import CostError

TIME = st.floats(0, 1e9)


def test_by_hand() -> None:
    model: PowerModel = CpuTimeModel.from_tdp(tdp_w=280, threads=96, reserved_threads=2)
    energy = model.energy(cpu_s=10, wall_s=6)
    assert energy.dynamic_j == pytest.approx(0.6 * 280 / 96 * 10)
    assert energy.idle_share_j == pytest.approx(0.2 * 280 / 96 * 2 * 6)
    assert energy.method == "cpu_time_model"
    assert model.quality == "low"


def test_fully_busy_processor_draws_80_percent_of_its_tdp() -> None:
    model = CpuTimeModel.from_tdp(tdp_w=100, threads=8, reserved_threads=8)
    energy = model.energy(cpu_s=8, wall_s=1)
    assert energy.dynamic_j + energy.idle_share_j == pytest.approx(80)


@given(TIME, TIME, TIME, TIME)
def test_more_time_never_costs_less(cpu: float, more: float, wall: float, longer: float) -> None:
    model = CpuTimeModel.from_tdp(tdp_w=8, threads=2)
    little, much = model.energy(cpu, wall), model.energy(cpu + more, wall + longer)
    assert much.dynamic_j >= little.dynamic_j
    assert much.idle_share_j >= little.idle_share_j


@pytest.mark.parametrize("time", [-1.0, math.nan, math.inf])
def test_impossible_times_are_refused(time: float) -> None:
    model = CpuTimeModel.from_tdp(tdp_w=8, threads=2)
    with pytest.raises(CostError, match="cpu_s"):
        model.energy(time, 1.0)
    with pytest.raises(CostError, match="wall_s"):
        model.energy(1.0, time)


@pytest.mark.parametrize(
    ("tdp_w", "threads", "reserved", "spread"),
    [(0, 2, 1, 2), (-5, 2, 1, 2), (math.inf, 2, 1, 2), (8, 0, 1, 2), (8, 2, 3, 2), (8, 2, 1, 0.5)],
)
def test_impossible_processors_are_refused(
    tdp_w: float, threads: int, reserved: int, spread: float
) -> None:
    with pytest.raises(CostError, match="power: expected"):
        CpuTimeModel.from_tdp(tdp_w, threads, reserved, spread)
