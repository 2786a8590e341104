"""What a rung is charged with, from measurements that are prescribed."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from typing import TypeVar

import pytest

from frugal_ai.accounts import Account, RungCost
from frugal_ai.backtest.evaluate import Stage
from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import Cost, CostSettings, build_context
from frugal_ai.cost.hardware import Host
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.replay import ReplayMeter

T = TypeVar("T")

HOST = Host(cpu="AMD EPYC", threads=2, ram_gb=25.0, os="Linux", python="3.11.7")
PUE = 1.5
DYNAMIC_W, IDLE_W = 0.6 * 4, 0.2 * 4  # of one thread of an unknown processor
GRAMS_PER_J = PUE * 56.039 / 3.6e6
BLOCKS_2 = 1.128  # expected range of two values in standard deviations


def spent(cpu_s: float, wall_s: float | None = None, spread: float | None = None) -> Measurement:
    once = Measurement.once(Reading(cpu_s, 0.0, cpu_s if wall_s is None else wall_s))
    if spread is None:
        return once
    # repeats cost more than the one execution that is reported
    return replace(once, rel_spread=spread, n_blocks=2, n_repeats=9, total_cpu_s=18 * cpu_s)


class SpyMeter(ReplayMeter):
    """Remembers what it was asked to repeat."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        super().__init__(measurements)
        self.repeats: list[bool] = []

    def measure(self, work: Callable[[], T], *, repeat: bool = True) -> tuple[T, Measurement]:
        self.repeats.append(repeat)
        return super().measure(work, repeat=repeat)


def ledger() -> Ledger:
    context = build_context(CostSettings(country="FRA", pue=PUE), HOST)
    return Ledger(context, run_id="r1", project_name="load")


def opened(*measurements: Measurement) -> tuple[Account, Ledger, SpyMeter]:
    book, meter = ledger(), SpyMeter(measurements)
    return Account("ridge", meter, book), book, meter


STAGES: tuple[Stage, ...] = ("features", "tuning", "training")
# one series after the other, then the replay of each, then one forecast
TWO_SERIES = (
    spent(1.0), spent(2.0, wall_s=3.0), spent(4.0, spread=0.2),
    spent(8.0), spent(16.0), spent(32.0, spread=0.4),
    spent(64.0), spent(128.0),
    spent(1e-4, wall_s=2e-4, spread=9.0),
)  # fmt: skip


def climb_two_series() -> tuple[RungCost, Ledger, SpyMeter]:
    account, book, meter = opened(*TWO_SERIES)
    for stage in STAGES + STAGES:
        account(stage, lambda: None)
    for _ in range(2):
        account.replay(lambda: None)
    return account.close(lambda: None), book, meter


def test_each_piece_of_work_is_booked_on_its_stage_and_rung() -> None:
    _, book, _ = climb_two_series()
    assert [(one.stage, one.rung, one.cpu_time_s) for one in book.records] == [
        ("features", "ridge", 1.0),
        ("tuning", "ridge", 2.0),
        ("training", "ridge", 4.0),
        ("features", "ridge", 8.0),
        ("tuning", "ridge", 16.0),
        ("training", "ridge", 32.0),
        ("inference", "ridge", 64.0),
        ("inference", "ridge", 128.0),
    ]  # one forecast for the price list is not work of the run


def test_work_is_done_once_and_its_result_handed_on() -> None:
    calls = count(1)
    account, _, _ = opened(*[spent(1.0)] * 5)
    results = [account(stage, lambda: next(calls)) for stage in STAGES]
    results.append(account.replay(lambda: next(calls)))
    assert results == [1, 2, 3, 4]


def test_the_trial_for_the_choice_and_the_replay_are_never_repeated() -> None:
    _, _, meter = climb_two_series()
    by_stage = dict(zip(STAGES, meter.repeats[:3], strict=True))
    assert by_stage["training"]
    assert not by_stage["tuning"]
    assert meter.repeats[3:6] == meter.repeats[:3]
    assert meter.repeats[6:] == [False, False, True]  # two replays, and the one forecast


def test_training_is_features_trial_and_final_fit_of_all_series() -> None:
    cost, book, _ = climb_two_series()
    cpu_s, wall_s = 63.0, 64.0
    joules = DYNAMIC_W * cpu_s + IDLE_W * wall_s
    assert cost.training.cpu_s == pytest.approx(cpu_s)
    assert cost.training.wall_s == pytest.approx(wall_s)
    assert cost.training.energy_dynamic_j == pytest.approx(DYNAMIC_W * cpu_s)
    assert cost.training.energy_wh == pytest.approx(joules / 3600 * PUE)
    assert cost.training.co2e_g == pytest.approx(joules * GRAMS_PER_J)
    assert cost.training.co2e_dynamic_g == pytest.approx(DYNAMIC_W * cpu_s * GRAMS_PER_J)
    booked = [book.total(stage) for stage in STAGES]
    assert cost.training.energy_wh == pytest.approx(sum(one.energy_wh for one in booked))
    assert cost.fit_cpu_s == pytest.approx(4.0 + 32.0)


def test_a_thousand_forecasts_cost_a_thousand_times_one() -> None:
    cost, _, _ = climb_two_series()
    assert cost.per_1000.cpu_s == pytest.approx(0.1)
    assert cost.per_1000.co2e_dynamic_g == pytest.approx(DYNAMIC_W * 0.1 * GRAMS_PER_J)
    joules = DYNAMIC_W * 0.1 + IDLE_W * 0.2
    assert cost.per_1000.co2e_g == pytest.approx(joules * GRAMS_PER_J)
    assert cost.latency_us == pytest.approx(200.0)


@pytest.mark.parametrize("forecasts", [0, 500, 10**7])
def test_a_life_is_training_and_its_forecasts(forecasts: int) -> None:
    cost, _, _ = climb_two_series()
    dynamic = DYNAMIC_W * (63.0 + 1e-4 * forecasts)
    idle = IDLE_W * (64.0 + 2e-4 * forecasts)
    assert cost.dynamic_g(forecasts) == pytest.approx(dynamic * GRAMS_PER_J)
    assert cost.life_g(forecasts) == pytest.approx((dynamic + idle) * GRAMS_PER_J)


def test_the_spread_is_that_of_the_repeated_work_weighted_by_cost() -> None:
    cost, _, _ = climb_two_series()
    by_hand = (4.0 * 0.2 + 32.0 * 0.4) / (4.0 + 32.0) / BLOCKS_2
    assert cost.spread == pytest.approx(by_hand)


@pytest.mark.parametrize("cpu_s", [0.0, 1.0])
def test_without_repeats_no_spread_is_known(cpu_s: float) -> None:
    account, _, _ = opened(*[spent(cpu_s)] * 3, spent(1e-4, spread=0.5))
    for stage in STAGES:
        account(stage, lambda: None)
    assert account.close(lambda: None).spread == 0.0


def test_repeated_work_that_costs_nothing_has_no_spread() -> None:
    account, _, _ = opened(spent(0.0, spread=0.5), spent(1e-4))
    account("training", lambda: None)
    assert account.close(lambda: None).spread == 0.0


def test_repeats_are_the_meters_cost_and_not_the_rungs() -> None:
    cost, book, meter = climb_two_series()
    assert cost.training.cpu_s == 63.0
    assert book.total().cpu_s == 63.0 + 64.0 + 128.0
    # 18 executions of each repeated piece of work, one of which is reported
    assert meter.overhead().cpu_s == pytest.approx(17 * (4.0 + 32.0 + 1e-4))


def test_two_rungs_share_a_ledger_and_nothing_else() -> None:
    book = ledger()
    costs: dict[str, RungCost] = {}
    for name, cpu_s in (("cheap", 1.0), ("dear", 7.0)):
        account = Account(name, ReplayMeter([spent(cpu_s), spent(1e-4)]), book)
        account("training", lambda: None)
        costs[name] = account.close(lambda: None)
    assert {name: cost.fit_cpu_s for name, cost in costs.items()} == {"cheap": 1.0, "dear": 7.0}
    booked: dict[str, Cost] = {name: book.total(rung=name) for name in costs}
    assert {name: cost.cpu_s for name, cost in booked.items()} == {"cheap": 1.0, "dear": 7.0}


def test_work_that_fails_is_not_booked() -> None:
    account, book, _ = opened(spent(1.0), spent(1.0))

    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        account("training", fail)
    assert book.records == ()
