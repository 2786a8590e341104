"""What a model's card says, and what must never stand in it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from frugal_ai.export.card import model_card
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.report import (
    ContextReport,
    HardwareReport,
    LevelReport,
    OriginsReport,
    RungReport,
    RunReport,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COSTS: dict[str, object] = {"training_co2e_g": 0.00123456, "country": "FRA", "pue": 1.0}


def rung(name: str, **changes: Any) -> RungReport:
    figures: dict[str, Any] = {
        "family": "linear",
        "mae": 12.3456,
        "mae_ci": (11.0, 13.5),
        "rmse": 15.0,
        "nmae": 0.05,
        "mase": 0.7,
        "skill": 0.31234,
        "skill_ci": (0.2514, 0.3726),
        "validation_mae": 12.0,
        "fit_cpu_s": 0.5,
        "energy_wh": 0.02,
        "co2e_g": 0.0012345,
        "co2e_g_per_1000": 0.00004321,
        "co2e_spread": 0.0,
        "bytes": 4000,
        "latency_us": 40.0,
        "verdict": "not proven",
        "ended": NOW,
    }
    return RungReport(rung=name, **(figures | changes))


BASELINE = rung(
    "persistence", mae=20.0, skill=-0.123, skill_ci=None, co2e_g=0.0, verdict="baseline",
    family="naive", gain=None,
)  # fmt: skip
CHOSEN = rung("basis_ridge", verdict="worth it", chosen=True, gain=0.3, over="persistence")
DEAR = rung("boosting", co2e_g=1234.5, mae=0.000123456, verdict="dominated", gain=-0.1)

LEVELS = (
    LevelReport(level=0.1, pinball=1.0, share=0.0912),
    LevelReport(level=0.5, pinball=4.0, share=0.5),
    LevelReport(level=0.9, pinball=1.2345678, share=None),
)
QUANTILES: dict[str, Any] = {
    "pinball": 2.0781892, "npinball": 0.01, "crps": 4.2, "coverage": 0.79912,
    "coverage_ci": (0.77, 0.8234), "coverage_nominal": 0.8, "sharpness": 31.0, "nsharpness": 0.1,
    "levels": LEVELS,
}  # fmt: skip
NO_INTERVAL = {"coverage": None, "coverage_ci": None, "coverage_nominal": None, "sharpness": None}


def report(*rungs: RungReport, **changes: Any) -> RunReport:
    hardware = HardwareReport(cpu_model="AMD EPYC", cpu_count=2, tdp_w=8, threads=2, default=True)
    given: dict[str, Any] = {
        "run_id": "small-1",
        "pipeline": "small",
        "kind": "load",
        "unit": "MW",
        "simulated": True,
        "started": NOW,
        "ended": NOW,
        "status": "finished",
        "git_revision": "0123abcd",
        "data_digest": "d" * 64,
        "targets_digest": "e" * 64,
        "pipeline_yaml": "name: small\n",
        "seed": 0,
        "context": ContextReport(
            country="FRA",
            intensity_g_per_kwh=56.0,
            hardware=hardware,
            energy_method="cpu_time_model",
        ),
        "origins": OriginsReport(validation=28, test=28),
        "chosen": "basis_ridge",
        "reason": "basis_ridge costs the least of all. No rung has a smaller error.",
        "rungs": rungs or (BASELINE, CHOSEN, DEAR),
    }
    return RunReport(**(given | changes))


@pytest.fixture
def small(write_small: Callable[..., Path]) -> Callable[..., Pipeline]:
    return lambda **changes: read_pipeline(write_small(**changes))


def card(pipeline: Pipeline, given: RunReport | None = None) -> str:
    return model_card(pipeline, "feeder_load", given or report(), COSTS)


def table(text: str) -> list[list[str]]:
    """Cells of the card's table, heading and rule first."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_simulated_data_are_labelled_before_anything_else(small: Callable[..., Pipeline]) -> None:
    text = card(small())
    first, blank, label = text.splitlines()[:3]
    assert first == "# Small pipeline: basis_ridge for feeder_load"
    assert blank == ""
    assert label.startswith("> **Simulated data.** This model learnt from a simulation")


def test_real_data_are_not_labelled(small: Callable[..., Pipeline]) -> None:
    text = card(small(), report(simulated=False))
    assert "simulat" not in text.lower()
    assert text.splitlines()[2].startswith("Forecasts load [MW] every 30min over 1d")


def test_what_it_forecasts_and_from_what(small: Callable[..., Pipeline]) -> None:
    text = card(small())
    assert "from origins at 00:00 (Europe/Paris). Covariates: temperature, wind_speed." in text
    assert "Covariates: none." in card(small(covariates={}))
    past = {"known": ["temperature"], "past": ["cloud_cover"]}
    assert "Covariates: temperature, cloud_cover." in card(small(covariates=past))
    periods = small().periods.model_dump(mode="json")
    for section in ("validation", "test"):
        periods[section]["at"] = ["00:00", "12:30"]
    assert "from origins at 00:00, 12:30 (" in card(small(periods=periods))


def test_without_a_title_the_name_stands_in(small: Callable[..., Pipeline]) -> None:
    assert card(small(title="")).startswith("# small: basis_ridge for feeder_load\n")


def test_why_and_on_which_origins(small: Callable[..., Pipeline]) -> None:
    pipeline = small()
    text, periods = card(pipeline), pipeline.periods
    assert f"\n\n{report().reason}\n\n" in text
    assert (
        f"from {periods.validation.first} to {periods.validation.last}; the figures below are of "
        f"origins from {periods.test.first} to {periods.test.last}, which the choice never saw"
    ) in text


def test_every_rung_of_the_report_stands_in_the_table(small: Callable[..., Pipeline]) -> None:
    text = card(small())
    heading, rule, *rows = table(text)
    assert heading[:2] == ["rung", "MAE [MW]"]
    assert set(rule) == {"---"}
    assert {len(row) for row in (heading, rule, *rows)} == {6}
    assert rows == [
        ["persistence", "20", "-0.123", "0", "4.32e-05", "baseline"],
        ["basis_ridge", "12.35", "0.312 (0.251 to 0.373)", "0.00123", "4.32e-05", "worth it"],
        ["boosting", "0.0001235", "0.312 (0.251 to 0.373)", "1.23e+03", "4.32e-05", "dominated"],
    ]


@pytest.mark.parametrize("count", [1, 2, 9])
def test_the_table_is_as_long_as_the_ladder(small: Callable[..., Pipeline], count: int) -> None:
    others = [rung(f"rung_{i}") for i in range(count - 1)]
    rows = table(card(small(), report(CHOSEN, *others)))[2:]
    assert [row[0] for row in rows] == ["basis_ridge", *(one.rung for one in others)]


def test_costs_and_how_they_were_obtained_are_listed(small: Callable[..., Pipeline]) -> None:
    text = card(small())
    section = text.partition("## What it cost\n\n")[2].partition("\n\n##")[0]
    assert section.strip().splitlines() == [
        "- training_co2e_g: 0.001235",
        "- country: FRA",
        "- pue: 1",
    ]


def test_limits_and_origin(small: Callable[..., Pipeline]) -> None:
    text = card(small(quality={"max_gap": "2h"}, seed=7))
    assert "A gap in the history longer than 2h is refused" in text
    assert f"- data: sha256 {'d' * 64}\n" in text
    assert ": 0123abcd\n" in text
    assert "- seed: 7\n" in text
    unversioned = card(small(), report(git_revision=None))
    assert ": not under version control\n" in unversioned


@pytest.mark.parametrize(
    "given",
    [
        report(),
        report(simulated=False, git_revision=None),
        report(rung("basis_ridge", chosen=True, **QUANTILES)),
        report(rung("basis_ridge", chosen=True, **(QUANTILES | NO_INTERVAL))),
        report(rung("basis_ridge", chosen=True, skill_ci=None, mae_ci=None, verdict="baseline")),
    ],
    ids=["all known", "no revision", "quantiles", "quantiles, no interval", "no interval"],
)
def test_nothing_unknown_is_printed(small: Callable[..., Pipeline], given: RunReport) -> None:
    for pipeline in (small(), small(title="", holidays=None, covariates={})):
        text = card(pipeline, given)
        assert not re.search(r"\b(None|nan|NaN|inf|null|True|False)\b", text)
        assert "datetime" not in text
        assert "()" not in text
        assert text.endswith("\n")
        assert not any(line != line.rstrip() for line in text.splitlines())


def test_quantiles_stand_in_tables_of_their_own(small: Callable[..., Pipeline]) -> None:
    given = report(BASELINE, rung("basis_ridge", chosen=True, **QUANTILES))
    text = card(small(), given)
    section = text.partition("## Quantiles\n\n")[2].partition("\n\n##")[0]
    assert "Coverage and width are of the central 80 % interval." in section
    cells = table(section)
    assert cells[2] == ["persistence", "-", "-", "-", "-"]
    assert cells[3] == ["basis_ridge", "2.078", "4.2", "0.799 (0.770 to 0.823)", "31"]
    assert cells[4] == ["level", "pinball [MW]", "share of observations at or below"]
    assert cells[6:] == [["0.1", "1", "0.091"], ["0.5", "4", "0.500"], ["0.9", "1.235", "-"]]
    assert "Point forecasts only" not in text
    assert "Quantiles hold for errors such as those of the validation origins" in text


def test_without_quantiles_the_card_says_so(small: Callable[..., Pipeline]) -> None:
    text = card(small())
    assert "## Quantiles" not in text
    assert "- Point forecasts only.\n" in text


def test_perfect_weather_is_labelled(small: Callable[..., Pipeline]) -> None:
    text = card(small(), report(weather="perfect"))
    assert text.index("> **Simulated data.**") < text.index("> **Perfect weather.**")
    assert text.index("> **Perfect weather.**") < text.index("Forecasts load [MW]")
    assert "- Perfect weather: known covariates were taken as they stand in the data" in text
    known = card(small(), report(weather="as_known"))
    assert "erfect weather" not in known
    assert "- Weather as known at the origin: of known covariates each origin saw the newest" in (
        known
    )
    for weather in ("none", None):
        assert "weather" not in card(small(covariates={}), report(weather=weather)).lower()
