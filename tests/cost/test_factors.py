import json
import random
from importlib.metadata import version
from importlib.resources import files

import pytest

from frugal_ai.cost.factors import COLUMNS, Factors, load_factors, parse_factors
from frugal_ai.errors import CostError

HEADER = ",".join(COLUMNS)
ROW = "grid_intensity,FRA,56.039,gCO2e/kWh,France,2023,21.7,98,somebody 2023"


def table(*rows: str) -> Factors:
    return parse_factors("\n".join((HEADER, *rows)), "mine.csv")


def test_every_row_is_complete_and_cited() -> None:
    rows = load_factors().rows
    assert len(rows) > 200
    for row in rows:
        assert all((row.key, row.region, row.unit, row.name)), row
        assert row.value > 0, row
        assert 2000 < row.year < 2100, row
        assert any(character.isdigit() for character in row.source), f"no year or version: {row}"
        assert (row.low is None) == (row.high is None), row
        assert (row.low or row.value) <= row.value <= (row.high or row.value), row
        assert len(row.region) == 3, row


def test_factors_of_the_literature() -> None:
    factors = load_factors()
    france = factors.intensity("FRA")
    assert (france.value, france.low, france.high) == (56.039, 21.7, 98)
    assert (france.unit, france.year) == ("gCO2e/kWh", 2023)
    assert [round(factors.intensity(code).value) for code in ("BEL", "DEU", "POL")] == [
        138,
        381,
        662,
    ]
    assert factors.get("cpu_tdp_per_thread").value == 4
    assert factors.get("ram_power").value == 0.284


def test_intensities_are_codecarbons() -> None:
    if version("codecarbon") != "3.3.2":
        pytest.skip("the table cites CodeCarbon 3.3.2, another version is installed")
    mix = files("codecarbon").joinpath("data/private_infra/global_energy_mix.json")
    theirs = json.loads(mix.read_text(encoding="utf-8"))
    factors = load_factors()
    ours = {row.region: row for row in factors.rows if row.key == "grid_intensity"}
    # CodeCarbon has 0 g/kWh for the Central African Republic: not a measured zero
    assert theirs.keys() - ours.keys() == {"CAF"}
    for country, row in ours.items():
        assert (row.value, row.year) == (
            theirs[country]["carbon_intensity"],
            theirs[country]["year"],
        )
        assert row.source.startswith(f"CodeCarbon 3.3.2, Our World in Data, {row.year}")


@pytest.mark.parametrize(
    ("country", "hint"),
    [
        ("fra", r"FRA \(France\)"),
        ("Germany", r"DEU \(Germany\)"),
        ("XXX", "212 countries are known"),
        ("", "212 countries are known"),
        ("CAF", "close to it"),
    ],
)
def test_unknown_country_is_refused_with_what_is_close(country: str, hint: str) -> None:
    with pytest.raises(CostError, match=f"expected an ISO 3166-1 code.*{hint}"):
        load_factors().intensity(country)


def test_either_iso_code_names_a_country() -> None:
    factors = load_factors()
    assert factors.intensity("FR") is factors.intensity("FRA")
    assert factors.intensity("PL").region == "POL"


def test_unknown_key_is_refused() -> None:
    with pytest.raises(CostError, match="expected a row 'warp_drive' for region 'WLD'"):
        load_factors().get("warp_drive")


def test_digest_follows_content_and_not_order() -> None:
    factors = load_factors()
    shuffled = list(factors.rows)
    random.Random(0).shuffle(shuffled)
    assert Factors(tuple(shuffled)).digest() == factors.digest()
    assert Factors(tuple(shuffled[1:])).digest() != factors.digest()
    assert table(ROW).digest() != table(ROW.replace("98", "99")).digest()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((ROW.replace("somebody 2023", ""),), "mine.csv:2: expected a source"),
        ((ROW.replace("gCO2e/kWh", ""),), "mine.csv:2: expected a unit"),
        ((ROW.replace("56.039", "many"),), "mine.csv:2: value: expected a number above 0"),
        ((ROW.replace("56.039", "nan"),), "value: expected a number above 0"),
        ((ROW.replace("56.039", "0"),), "value: expected a number above 0"),
        ((ROW.replace("21.7", "60"),), "expected low <= value <= high"),
        ((ROW, ROW), "mine.csv:3: expected one row for grid_intensity FRA"),
        ((ROW.rsplit(",", 1)[0],), "mine.csv:2: expected 9 cells"),
        ((ROW + ",more",), "mine.csv:2: expected 9 cells"),
    ],
)
def test_bad_rows_are_refused(rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(CostError, match=message):
        table(*rows)


def test_other_columns_are_refused() -> None:
    with pytest.raises(CostError, match="expected the columns"):
        parse_factors("key,value\na,1\n", "mine.csv")
    with pytest.raises(CostError, match="expected the columns"):
        parse_factors("", "mine.csv")
