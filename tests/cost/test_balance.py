import dataclasses

import pytest

from frugal_ai.cost.balance import book_envelope
from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import CostSettings, build_context
from frugal_ai.cost.envelope import EnvelopeResult
from frugal_ai.cost.hardware import Host
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.measurement import Measurement

HOST = Host(cpu="AMD EPYC", threads=2, ram_gb=25.0, os="Linux", python="3.11.7")
PUE = 1.25


def seen(cpu_s: float, wall_s: float) -> EnvelopeResult:
    """What CodeCarbon reports for CPU time at 2.4 W per thread and 0.1 W of memory."""
    cpu_kwh, ram_kwh = 2.4 * cpu_s * PUE / 3.6e6, 0.1 * wall_s * PUE / 3.6e6
    return EnvelopeResult(
        duration_s=wall_s,
        energy_kwh=cpu_kwh + ram_kwh,
        cpu_energy_kwh=cpu_kwh,
        ram_energy_kwh=ram_kwh,
        gpu_energy_kwh=0.0,
        emissions_kg=(cpu_kwh + ram_kwh) * 0.056039,
        codecarbon_version="3.3.2",
        setup_cpu_s=0.5,
        setup_wall_s=0.6,
        w_per_core=2.4,
    )


@pytest.fixture
def ledger() -> Ledger:
    book = Ledger(build_context(CostSettings(country="FRA", pue=PUE), HOST), "r1", "load")
    book.add("data", Measurement.once(Reading(1.0, 0.0, 1.5)))
    book.add("training", Measurement.once(Reading(5.0, 1.0, 6.0)), rung="ridge")
    return book


def test_unattributed_is_envelope_minus_lines(ledger: Ledger) -> None:
    record = book_envelope(ledger, seen(cpu_s=10, wall_s=12))
    assert record.stage == "unattributed"
    assert record.cpu_time_s == pytest.approx(3)
    assert record.wall_s == pytest.approx(4.5)
    assert record.energy_dynamic_J == pytest.approx(2.4 * 3)
    assert record.energy_idle_share_J == pytest.approx(0.8 * 4.5)
    assert (record.energy_method, record.codecarbon_version) == ("codecarbon", "3.3.2")


def test_whole_ledger_is_the_envelope_with_idle_share_and_set_up(ledger: Ledger) -> None:
    result = seen(cpu_s=10, wall_s=12)
    book_envelope(ledger, result)
    total = ledger.total()
    assert total.energy_dynamic_j == pytest.approx(2.4 * (10 + 0.5))
    assert total.energy_idle_j == pytest.approx(0.8 * (12 + 0.6))
    assert total.energy_wh == pytest.approx(
        1000 * result.energy_kwh + (0.8 * 12.6 + 2.4 * 0.5) * PUE / 3600
    )
    assert total.co2e_g == pytest.approx(total.energy_wh / 1000 * 56.039)
    assert ledger.total(stage="metering").cpu_s == pytest.approx(0.5)


def test_memory_is_booked_once(ledger: Ledger) -> None:
    result = seen(cpu_s=10, wall_s=12)
    record = book_envelope(ledger, result)
    assert record.ram_energy == result.ram_energy_kwh
    assert sum(one.ram_energy for one in ledger.records) == result.ram_energy_kwh


def test_less_than_the_lines_is_negative_and_says_so(ledger: Ledger) -> None:
    record = book_envelope(ledger, seen(cpu_s=6, wall_s=7.5))
    assert record.cpu_time_s == pytest.approx(-1)
    assert record.energy_dynamic_J < 0
    assert record.emissions < 0
    assert record.energy_J_p05 <= record.energy_dynamic_J <= record.energy_J_p95
    assert record.emissions_low_kg is not None
    assert record.emissions_high_kg is not None
    assert record.emissions_low_kg <= record.emissions <= record.emissions_high_kg
    assert "negative" in record.note


def test_result_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen(1, 1).duration_s = 2  # type: ignore[misc]  # what the test is about
