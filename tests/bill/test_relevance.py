import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.bill.bill import Bill, Figures
from frugal_ai.bill.relevance import Case, read_case, relevance
from frugal_ai.bill.sci import Sci
from frugal_ai.cli import commands
from frugal_ai.errors import CostError

HERE = Path(__file__).parents[2] / "pipelines"
EXAMPLE = HERE / "uses" / "balancing.yaml"
USE: dict[str, Any] = {
    "name": "use",
    "reference": "yesterday again",
    "years": 5,
    "rebound": 0.25,
    "attribution": 0.5,
    "effects": [
        {
            "effect": "balancing", "error_mwh_per_year": 100, "reduction": 0.2,
            "g_per_kwh": {"value": 300, "low": 100, "high": 400, "source": "assumed"},
        },
        {"effect": "shifting", "mwh_per_year": 10, "g_per_kwh": {"value": 20, "source": "assumed"}},
    ],
}  # fmt: skip


def bill(grams: float) -> Bill:
    whole = Figures(1.0, grams, None, {}, {}, None)
    sci = Sci(1.0, 1.0, 0.0, 0.0, (), 1.0, 1.0)
    return Bill("ridge", "fleet", (), {}, whole, grams, sci, (), (), (), "digest")


def case(**changes: Any) -> Case:
    return Case.model_validate(USE | changes)


def test_by_hand() -> None:
    found = relevance(case(), bill(1_000_000.0), 5)
    kept = 0.5 * 0.75
    balancing, shifting = found.avoided
    assert balancing.gco2e == pytest.approx(100 * 0.2 * 5 * 1000 * 300 * kept)
    assert balancing.low == pytest.approx(balancing.gco2e / 3)
    assert shifting.gco2e == pytest.approx(10 * 5 * 1000 * 20 * kept)
    assert found.avoided_g == pytest.approx(11_625_000)
    assert found.breakeven_years == pytest.approx(5 / 11.625)


@given(st.floats(1.0, 1e9), st.floats(0.0, 0.99), st.floats(0.01, 1.0), st.floats(1.0, 1000.0))
def test_at_its_break_even_a_use_avoids_the_bill(
    grams: float, rebound: float, attribution: float, error: float
) -> None:
    effects = [USE["effects"][0] | {"error_mwh_per_year": error}]
    plain = relevance(case(rebound=rebound, attribution=attribution, effects=effects),
                      bill(grams), 5)  # fmt: skip
    assert plain.breakeven_share is not None
    assert plain.avoided_g * plain.breakeven_share == pytest.approx(grams)
    if plain.breakeven_rebound is not None and plain.breakeven_rebound >= 0:
        even = case(rebound=plain.breakeven_rebound, attribution=attribution, effects=effects)
        assert relevance(even, bill(grams), 5).avoided_g == pytest.approx(grams, rel=1e-6, abs=1e-6)


def test_the_bill_is_never_netted() -> None:
    without = relevance(case(rebound=1.0), bill(1000.0), 5)
    assert (without.bill_g, without.avoided_g, without.breakeven_years) == (1000.0, 0.0, None)
    told = relevance(case(), bill(1000.0), 5).as_dict()
    assert told["bill_g"] == 1000.0
    assert told["netted"] is False
    assert 1000.0 - told["avoided_g"] not in told.values()


def test_a_rebound_above_one_adds_emissions() -> None:
    found = relevance(case(rebound=1.5), bill(1000.0), 5)
    assert found.avoided_g < 0
    assert found.avoided[0].low <= found.avoided[0].gco2e <= found.avoided[0].high
    assert any("break-even: never" in line for line in found.lines())


def test_other_years_than_the_fleets_are_refused() -> None:
    with pytest.raises(CostError, match="years: expected those of the fleet, 8, got 5"):
        relevance(case(), bill(1.0), 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rebound": -0.1}, "rebound"),
        ({"attribution": 1.1}, "attribution"),
        ({"years": 0}, "years"),
        ({"effects": []}, "effects"),
        ({"colour": "red"}, "colour: unknown key"),
        ({"effects": [{"effect": "magic"}]}, "effects"),
        ({"effects": [{"effect": "shifting", "mwh_per_year": 1, "g_per_kwh": {"value": 1}}]},
         "source: expected, but it is missing"),
        ({"effects": [{"effect": "shifting", "mwh_per_year": 1,
                       "g_per_kwh": {"value": 5, "low": 6, "high": 7, "source": "s"}}]},
         "expected value between 6 and 7, got 5"),
        ({"effects": [{"effect": "shifting", "mwh_per_year": 1,
                       "g_per_kwh": {"value": 5, "low": 4, "source": "s"}}]},
         "expected low and high, or neither"),
    ],
)  # fmt: skip
def test_bad_files(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump(USE | change))
    with pytest.raises(CostError, match=message) as raised:
        read_case(path)
    assert str(path) in str(raised.value)


def ask(*arguments: object) -> Any:
    return CliRunner().invoke(commands, ["relevance", *map(str, arguments)])


def test_the_example(intensity_run: Any) -> None:
    found = ask(intensity_run.folder, "--use", EXAMPLE)
    assert found.exit_code == 0, found.exception
    assert "never netted" in found.output
    told = json.loads(ask(intensity_run.folder, "--use", EXAMPLE, "--json").output)
    shown = json.loads(
        CliRunner()
        .invoke(
            commands,
            ["bill", str(intensity_run.folder), "--fleet",
             str(HERE / "fleets" / "illustration.yaml"), "--json"],
        )
        .output
    )  # fmt: skip
    assert told["bill_g"] == pytest.approx(shown["whole"]["gco2e"])


def test_a_fleet_has_to_be_named(intensity_run: Any, tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump(USE))
    found = ask(intensity_run.folder, "--use", path)
    assert isinstance(found.exception, CostError)
    assert "fleet: expected a file here, or --fleet" in str(found.exception)
