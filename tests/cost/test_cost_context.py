import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from frugal_ai.cost.clock import Reading
from frugal_ai.cost.context import Cost, CostContext, CostSettings, build_context, total_cost
from frugal_ai.cost.factors import load_factors
from frugal_ai.cost.hardware import Hardware, Host
from frugal_ai.cost.measurement import Measurement
from frugal_ai.errors import CostError

HOST = Host(cpu="AMD EPYC", threads=2, ram_gb=25.0, os="Linux", python="3.11.7")
TIME = st.floats(0, 1e9)


def context(country: str = "FRA", pue: float = 1.0) -> CostContext:
    return build_context(CostSettings(country=country, pue=pue), HOST)


def work(cpu_s: float, wall_s: float = 0.0) -> Measurement:
    return Measurement.once(Reading(cpu_s, 0.0, wall_s))


def test_by_hand() -> None:
    settings = CostSettings(
        country="POL", pue=1.5, threads=2, hardware=Hardware(tdp_w=280, threads=96)
    )
    cost = build_context(settings, HOST).cost(work(1000, 600))
    dynamic_j = 0.6 * 280 / 96 * 1000
    idle_j = 0.2 * 280 / 96 * 2 * 600
    assert cost.energy_dynamic_j == pytest.approx(dynamic_j)
    assert cost.energy_idle_j == pytest.approx(idle_j)
    assert cost.energy_wh == pytest.approx((dynamic_j + idle_j) / 3600 * 1.5)
    assert cost.co2e_g == pytest.approx((dynamic_j + idle_j) / 3.6e6 * 1.5 * 661.926)
    assert cost.co2e_dynamic_g == pytest.approx(dynamic_j / 3.6e6 * 1.5 * 661.926)


def test_default_processor_is_flagged_and_less_certain() -> None:
    unknown = context()
    assert unknown.hardware.default
    assert unknown.power.spread == 2.5
    assert unknown.power.w_per_core_dynamic == pytest.approx(2.4)
    known = build_context(CostSettings(country="FRA", hardware=Hardware(tdp_w=8, threads=2)), HOST)
    assert not known.hardware.default
    assert known.power.spread == 2.0


@given(TIME, TIME, TIME, TIME)
def test_more_work_never_costs_less(cpu: float, more: float, wall: float, longer: float) -> None:
    little, much = context().cost(work(cpu, wall)), context().cost(work(cpu + more, wall + longer))
    for field in dataclasses.fields(Cost):
        assert getattr(much, field.name) >= getattr(little, field.name)


@given(st.floats(1e-9, 1e6), st.floats(1, 3))
def test_cpu_time_never_costs_nothing(cpu: float, pue: float) -> None:
    cost = context(pue=pue).cost(work(cpu))
    assert cost.co2e_g >= cost.co2e_dynamic_g > 0


def test_ratio_of_two_works_depends_on_neither_place_nor_machine() -> None:
    ratios = set()
    for settings in (
        CostSettings(country="FRA"),
        CostSettings(country="POL", pue=1.6),
        CostSettings(country="SWE", hardware=Hardware(tdp_w=280, threads=96)),
    ):
        costs = build_context(settings, HOST)
        ratio = costs.cost(work(3)).co2e_dynamic_g / costs.cost(work(2)).co2e_dynamic_g
        ratios.add(round(ratio, 9))
    assert ratios == {1.5}


def test_costs_add_up() -> None:
    costs = [context().cost(work(seconds, 2 * seconds)) for seconds in (0.1, 0.2, 0.3)]
    assert dataclasses.astuple(total_cost(costs)) == pytest.approx(
        dataclasses.astuple(context().cost(work(0.6, 1.2)))
    )
    assert dataclasses.astuple(total_cost([])) == (0,) * 7


def test_unknown_country_is_refused() -> None:
    with pytest.raises(CostError, match=r"got 'FRE'.*FRA \(France\)"):
        context("FRE")
    assert context("FR").country == "FRA"


def test_more_threads_than_there_are_is_refused() -> None:
    with pytest.raises(CostError, match="1 to 2 reserved threads"):
        build_context(CostSettings(country="FRA", threads=3), HOST)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"country": "FRA", "pue": 0.9},
        {"country": "FRA", "pue": float("nan")},
        {"country": "FRA", "threads": 0},
        {"country": "FRA", "forecasts": 0},
        {"country": "FRA", "block_cpu_s": 0},
        {"country": "FRA", "blocks": 1},
        {"country": "FRA", "contry": "FRA"},
        {"country": 33},
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CostSettings.model_validate(settings)


def test_description_is_json_and_says_how() -> None:
    described = json.loads(json.dumps(context().describe()))
    assert described["country"] == "FRA"
    assert described["intensity_g_per_kwh"] == 56.039
    assert described["energy_method"] == "cpu_time_model"
    assert described["hardware"]["default"] is True
    assert described["factor_set_id"] == load_factors().digest()


def test_own_factors_take_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(
        "key,region,value,unit,name,year,low,high,source\n"
        "grid_intensity,FRA,12,gCO2e/kWh,France,2026,10,14,our contract 2026\n"
        "grid_intensity,XAA,5,gCO2e/kWh,An island,2026,,,its utility 2026\n"
    )
    ours = context()
    theirs = build_context(CostSettings(country="FR", factors=Path("own.csv")), HOST, tmp_path)
    assert (theirs.intensity.value, theirs.intensity.low) == (12, 10)
    assert theirs.ram_w_per_gb == ours.ram_w_per_gb
    assert theirs.factor_set_id != ours.factor_set_id
    island = CostSettings(country="XAA", factors=Path("own.csv"))
    assert build_context(island, HOST, tmp_path).intensity.value == 5
    with pytest.raises(CostError, match=r"absent\.csv: cannot be read"):
        build_context(CostSettings(country="FRA", factors=Path("absent.csv")), HOST, tmp_path)
