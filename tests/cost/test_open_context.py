"""A context that measures power meanwhile: what stands on the records."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import CostSettings, open_context
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.power.choose import PowerSettings
from frugal_ai.cost.power.gauge import Drawn
from frugal_ai.errors import CostError

SETTINGS = CostSettings(country="FRA", power=PowerSettings(source="file", file=Path("meter.csv")))
WORK = Measurement.once(Reading(1.0, 0.0, 2.0))


def test_each_line_says_how_its_energy_was_obtained(tmp_path: Path) -> None:
    (tmp_path / "meter.csv").write_text(f"time,w\n{time.time()},20\n")
    told: list[str] = []
    with open_context(SETTINGS, tmp_path, told.append) as context:
        book = Ledger(context, "r1", "load")
        measured = book.add("training", replace(WORK, drawn=Drawn(joules=60.0, busy_s=4.0)))
        short = book.add("training", WORK)
    idle_w = context.power.w_idle_share * context.hardware.threads
    assert (measured.energy_method, measured.quality) == ("wall", "high")
    assert measured.energy_dynamic_J == pytest.approx((60 - 2 * idle_w) / 4)
    joules = measured.energy_dynamic_J + measured.energy_idle_share_J
    assert measured.energy_J_p95 == pytest.approx(1.1 * joules)
    assert (short.energy_method, short.quality) == ("cpu_time_model", "low")
    assert told == []


def test_meter_that_was_asked_for_and_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(CostError, match=r"meter\.csv: cannot be read"),
        open_context(SETTINGS, tmp_path, print),
    ):
        pass


def test_meter_that_is_only_named_is_told_and_the_model_is_used(tmp_path: Path) -> None:
    named = SETTINGS.model_copy(update={"power": PowerSettings(file=Path("meter.csv"))})
    told: list[str] = []
    with open_context(named, tmp_path, told.append) as context:
        if context.probe is None:
            assert context.power.method == "cpu_time_model"
    assert told[0].startswith("power is not measured by file: ")
