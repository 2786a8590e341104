import io
import json
import math
from collections.abc import Callable

import pytest
from rich.console import Console

from frugal_ai.bill.basis import Work
from frugal_ai.bill.bill import OWN, Bill, make_bill
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.bill.table import TABLE_WIDTH, bill_sentences, bill_table
from frugal_ai.cost.factors import Factors
from frugal_ai.cost.record import STAGES

Fleets = Callable[..., Fleet]
Models = Callable[..., Model]


@pytest.fixture(scope="module")
def bill(fleet_of: Fleets, model_of: Models, factors: Factors) -> Bill:
    return make_bill(fleet_of(), model_of(), factors)


def test_lines_stages_and_whole_agree(bill: Bill) -> None:
    for name in ("kwh", "gco2e", "eur"):
        of_lines = math.fsum(getattr(line.figures, name) for line in bill.lines)
        of_stages = math.fsum(getattr(one, name) for one in bill.stages.values())
        assert of_lines == pytest.approx(getattr(bill.whole, name))
        assert of_stages == pytest.approx(getattr(bill.whole, name))
    assert [one for one in STAGES if one in bill.stages] == list(bill.stages)
    own = math.fsum(one.figures.gco2e for one in bill.lines if one.stage in OWN)
    assert own == pytest.approx(bill.own_g)


def test_score_is_the_sum_of_its_terms_per_unit(bill: Bill, fleet_of: Fleets) -> None:
    score = bill.sci
    assert score.r == pytest.approx(100 * 24 * 365.25 * 5 / 1000)
    together = score.e_kwh * score.i_g_per_kwh + score.n_g + score.m_g
    assert together / score.r == pytest.approx(score.score_g)
    assert score.score_g * score.r == pytest.approx(bill.whole.gco2e)
    (gateways,) = score.gateways
    assert gateways.te_g == pytest.approx(100 * 36_100)
    assert gateways.tir_s / gateways.el_s == pytest.approx(5 / 10)
    assert gateways.m_g == pytest.approx(
        gateways.te_g * gateways.tir_s / gateways.el_s * gateways.rr / gateways.tor
    )
    line = next(one for one in bill.lines if (one.stage, one.what) == ("embodied", "gateways"))
    assert line.figures.gco2e == pytest.approx(gateways.m_g)
    assert fleet_of().allocation.resources == gateways.rr


def test_tornado_is_in_order_and_complete(bill: Bill) -> None:
    widths = [turn.width for turn in bill.turns]
    assert widths == sorted(widths, reverse=True)
    labels = " ".join(turn.driver.label for turn in bill.turns)
    for word in ("lifetime", "manufacture", "grid_intensity (France)", "grid_intensity (Germany)",
                 "storage_ssd", "network_fixed", "power model", "pushes"):  # fmt: skip
        assert word in labels
    assert "price" not in labels  # money moves no emissions


def test_longer_lifetime_is_told_to_save(bill: Bill) -> None:
    turn = next(one for one in bill.turns if one.driver.label == "lifetime of a gateway")
    assert turn.low_g > bill.whole.gco2e > turn.high_g
    said = turn.sentence(bill.whole.gco2e)
    assert said.startswith("lifetime of a gateway: halved +")
    assert "doubled \u2212" in said


def test_illustration_of_a_thousand_gateways(factors: Factors, model_of: Models) -> None:
    """The figures that an estimate on paper gives, to the digits that it has.

    A boosting fit of 22 s on a thread of 3.2 W every day, 20 us a forecast, 200 kB pushed a day and
    1 kB sent each 15 min over mobile, at 56 g/kWh.
    """
    fleet = Fleet.model_validate(
        {
            "country": "FRA", "years": 5, "allocation": {"rule": "share"}, "network": "mobile",
            "gateways": {"count": 1000, "lifetime_years": 5, "forecasts_per_day": 96,
                         "uplink_bytes_per_day": 96_000},
            "retrain_every": "1d", "bundle_bytes": 200_000, "server": {"pue": 1},
        }
    )  # fmt: skip
    model = model_of(run={}, retraining=Work(22 * 3.2 / 3.6e6, 0.0), cpu_s=20e-6, pue=1)
    bill = make_bill(fleet, model, factors)
    kg = {stage: one.gco2e / 1000 for stage, one in bill.stages.items()}
    assert round(kg["retraining"], 3) == 0.002
    assert round(kg["inference"], 5) == 0.00005 == pytest.approx(kg["inference"], rel=0.15)
    assert round(kg["deployment"]) == 18
    assert round(kg["transport"]) == 9
    assert round(kg["idle"], -2) == 7400
    assert round(kg["embodied"], -2) == 36_100
    assert round(100 * bill.stages["embodied"].gco2e / bill.whole.gco2e) == 83


def test_unknown_price_is_no_figure(fleet_of: Fleets, model_of: Models, factors: Factors) -> None:
    bill = make_bill(fleet_of(country="POL"), model_of(), factors)
    assert bill.whole.eur is None
    assert bill.stages["retraining"].eur is not None  # paid by the hour
    assert any("no price of electricity is known for POL" in note for note in bill.notes)
    parsed = json.loads(bill.to_json())
    assert parsed["whole"]["eur"] is None
    assert parsed["whole"]["gco2e"] == bill.whole.gco2e


def test_own_factor_changes_the_bill(fleet_of: Fleets, model_of: Models, factors: Factors) -> None:
    from frugal_ai.cost.factors import COLUMNS, parse_factors

    row = "storage_ssd,FRA,2.4,Wh/(TB.h),Our disks,2026,,,measured 2026"
    own = factors.overridden(parse_factors(f"{','.join(COLUMNS)}\n{row}\n", "own.csv"))
    ours = make_bill(fleet_of(), model_of(), own)
    theirs = make_bill(fleet_of(), model_of(), factors)
    assert ours.stages["storage"].kwh == pytest.approx(2 * theirs.stages["storage"].kwh)
    assert ours.factor_set_id != theirs.factor_set_id


def test_no_figure_is_cut_short(bill: Bill) -> None:
    page = io.StringIO()
    Console(width=TABLE_WIDTH, file=page).print(bill_table(bill))
    printed = page.getvalue()
    assert "…" not in printed
    assert len(printed.splitlines()) == len(bill.stages) + 3  # two lines of heads, the whole


def test_sentences_say_what_dominates_and_never_net(bill: Bill) -> None:
    said = "\n".join(bill_sentences(bill))
    assert f"dominant: {max(bill.stages, key=lambda one: bill.stages[one].gco2e)}" in said
    assert "avoided emissions are never netted" in said
    assert said.count("would change it") == 5
    assert "break-even" in said
