import pytest

from frugal_ai.cost.power.cpu_time import CpuTimeModel
from frugal_ai.cost.power.gauge import Drawn, Probe, Seen
from frugal_ai.cost.power.metered import MeteredModel
from frugal_ai.cost.power.model import PowerModel
from frugal_ai.cost.replay import ReplayGauge

MODEL = CpuTimeModel.from_tdp(40, threads=4)  # 6 W a busy thread, 8 W idle


NOTHING = Seen(0.0, 0.0, 0.0)


def metered(seen: Seen = NOTHING) -> MeteredModel:
    probe = Probe(ReplayGauge())
    probe.seen = seen
    return MeteredModel(MODEL, probe)


def test_own_share_of_what_was_drawn() -> None:
    model: PowerModel = metered()
    energy = model.energy(cpu_s=5, wall_s=10, drawn=Drawn(joules=200, busy_s=20))
    assert energy.dynamic_j == pytest.approx((200 - 8 * 10) * 5 / 20)
    assert energy.idle_share_j == pytest.approx(8 * 10 / 4)
    assert (energy.method, energy.quality, energy.spread) == ("rapl", "medium", 1.25)


def test_idle_power_is_never_more_than_was_drawn() -> None:
    energy = metered().energy(cpu_s=5, wall_s=10, drawn=Drawn(joules=40, busy_s=5))
    assert energy.dynamic_j == 0
    assert energy.idle_share_j == pytest.approx(10)


def test_short_work_has_the_watts_that_were_seen() -> None:
    model = metered(Seen(joules=200, busy_s=20, wall_s=10))
    assert model.w_per_core_dynamic == pytest.approx((200 - 80) / 20)
    energy = model.energy(cpu_s=0.1, wall_s=0.1)
    assert energy.dynamic_j == pytest.approx(0.6)
    assert (energy.method, energy.quality, energy.spread) == ("cpu_time_model", "low", 2.0)


@pytest.mark.parametrize("seen", [Seen(0, 0, 0), Seen(70, 20, 10)])
def test_short_work_has_the_models_watts_until_then(seen: Seen) -> None:
    assert metered(seen).energy(cpu_s=2, wall_s=2).dynamic_j == pytest.approx(6 * 2)


def test_gauge_that_was_given_up_leaves_the_model() -> None:
    model = metered(Seen(joules=200, busy_s=10, wall_s=10))
    model.probe.failed = True
    assert model.w_per_core_dynamic == 6
