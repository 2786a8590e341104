import dataclasses

import pytest

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import CostSettings, build_context
from frugal_ai.cost.hardware import Host
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.measurement import Measurement
from frugal_ai.cost.record import Record
from frugal_ai.cost.sums import BY, By, sums
from frugal_ai.errors import CostError

HOST = Host(cpu="AMD EPYC", threads=2, ram_gb=25.0, os="Linux", python="3.11.7")


@pytest.fixture
def booked() -> list[Record]:
    context = build_context(CostSettings(country="FRA"), HOST)
    found = []
    for run, pipeline, cpu_s, day in (
        ("r1", "load", 1.0, "2026-01-31"),
        ("r2", "load", 2.0, "2026-02-01"),
        ("r3", "wind", 4.0, "2027-02-01"),
    ):
        book = Ledger(context, run, "grid", experiment_id=pipeline)
        book.add("data", Measurement.once(Reading(cpu_s, 0.0, cpu_s)))
        book.add("training", Measurement.once(Reading(cpu_s, 0.0, cpu_s)), rung="ridge")
        found += [dataclasses.replace(one, timestamp=f"{day}T10:00:00+00:00", cost_eur=1.0)
                  for one in book.records]  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("model", {"": 7.0, "load/ridge": 3.0, "wind/ridge": 4.0}),
        ("pipeline", {"load": 6.0, "wind": 8.0}),
        ("project", {"grid": 14.0}),
        ("run", {"r1": 2.0, "r2": 4.0, "r3": 8.0}),
        ("stage", {"data": 7.0, "training": 7.0}),
        ("year", {"2026": 6.0, "2027": 8.0}),
        ("month", {"2026-01": 2.0, "2026-02": 4.0, "2027-02": 8.0}),
        ("day", {"2026-01-31": 2.0, "2026-02-01": 4.0, "2027-02-01": 8.0}),
    ],
)
def test_sums(booked: list[Record], by: By, expected: dict[str, float]) -> None:
    assert {one.key: one.cpu_s for one in sums(booked, by)} == pytest.approx(expected)


@pytest.mark.parametrize("by", BY)
def test_nothing_is_lost_or_counted_twice(booked: list[Record], by: By) -> None:
    found = sums([*booked, *booked], by)
    assert sum(one.records for one in found) == len(booked)
    grams = 1000 * sum(one.emissions for one in booked)
    assert sum(one.co2e_g for one in found) == pytest.approx(grams)
    assert sum(one.eur for one in found) == pytest.approx(len(booked))


def test_unknown_grouping_is_refused(booked: list[Record]) -> None:
    with pytest.raises(CostError, match=r"one of model, pipeline, .*, got 'colour'"):
        sums(booked, "colour")  # type: ignore[arg-type]  # what a command line may say
