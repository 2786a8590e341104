from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from frugal_ai.data.remote.eco2mix import (
    NATIONAL,
    REGIONAL,
    REGIONS,
    is_real_time,
    region_code,
    to_frame,
)
from frugal_ai.errors import DataError, PipelineError

DATASET = "eco2mix-national-cons-def"
Records = list[dict[str, Any]]


@pytest.fixture
def records(service: Any) -> Callable[..., Records]:
    """Records of some hours, as the portal has them."""

    def make(start: str = "2024-01-10T00:00:00Z", hours: int = 2, kind: str = "national") -> Any:
        first = datetime.fromisoformat(start)
        last = first + timedelta(hours=hours)
        where = f"date_heure >= date'{first.isoformat()}' AND date_heure < date'{last.isoformat()}'"
        path = f"datasets/eco2mix-{kind}-cons-def/exports/json"
        return service.answer(path, {"where": where}, {}).body

    return make


def test_half_hours_in_utc_with_numbers_and_nature(records: Callable[..., Records]) -> None:
    frame = to_frame(records(), DATASET, NATIONAL)
    # the quarter-hours between, of which only the forecast is published, are left out
    assert frame["timestamp"].to_list() == [
        datetime(2024, 1, 10, hour, minute, tzinfo=UTC) for hour in (0, 1) for minute in (0, 30)
    ]
    assert frame["nature"].unique().to_list() == ["Données définitives"]
    assert not is_real_time(frame).any()
    row = frame.row(0, named=True)
    assert (row["nucleaire"], row["taux_co2"], row["prevision_j1"]) == (40_000, 40, 50_500)
    # published as text, "ND" where there is none
    assert row["eolien_terrestre"] == 4900
    assert frame["eolien_offshore"].is_nan().all()
    assert {frame[name].dtype for name in NATIONAL.numbers} == {pl.Float64()}


def test_regions(records: Callable[..., Records]) -> None:
    found = records(kind="regional", hours=1)
    frame = to_frame(found, "eco2mix-regional-cons-def", REGIONAL)
    assert frame.height == 4
    assert set(frame["code_insee_region"]) == {"53", "93"}
    numbers = [record | {"code_insee_region": int(record["code_insee_region"])} for record in found]
    assert to_frame(numbers, "eco2mix-regional-cons-def", REGIONAL).equals(frame)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.pop("taux_co2"), r"expected a column 'taux_co2', got .*nucleaire"),
        (lambda r: r.pop("date_heure"), r"expected a column 'date_heure', got perimetre"),
        (lambda r: r.update(nature=7), r"nature: expected a text .*got '7"),
        (lambda r: r.update(nature=None), r"nature: expected a text .*got None"),
        (
            lambda r: r.update(solaire="beaucoup"),
            r"row 1: solaire: expected a finite number, got 'beaucoup'",
        ),
        (lambda r: r.update(gaz=[1]), r"row 1: gaz: expected a finite number, got '\[1\]'"),
        (lambda r: r.update(gaz=True), r"row 1: gaz: expected a finite number, got 'True'"),
        (lambda r: r.update(date_heure="2024-01-10T00:00:00"), r"has no time zone"),
        (lambda r: r.update(date_heure="10/01/2024"), r"expected a time such as .*'10/01/2024'"),
        (
            lambda r: r.update(consommation=r["consommation"] and r["consommation"] / 1000),
            r"consommation: expected a median of 15000 to 150000 MW, got 5\d\.\d+; has its unit",
        ),
        (lambda r: r.update(taux_co2=0.04), r"taux_co2: expected a median .*gCO2e/kWh, got 0\.04"),
    ],
)
def test_another_schema_is_refused(
    records: Callable[..., Records], change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    found = records()
    for record in found:
        change(record)
    with pytest.raises(DataError, match=f"{DATASET}.*{said}"):
        to_frame(found, DATASET, NATIONAL)


@pytest.mark.parametrize("answer", [{"total_count": 0, "results": []}, "none", [1, 2]])
def test_something_else_than_records_is_refused(answer: Any) -> None:
    with pytest.raises(DataError, match=f"{DATASET}: expected a list of records, got"):
        to_frame(answer, DATASET, NATIONAL)


def test_no_records_and_none_with_a_value(records: Callable[..., Records]) -> None:
    future = [record for record in records() if record["consommation"] is None]
    for found in ([], future):
        frame = to_frame(found, DATASET, NATIONAL)
        assert frame.is_empty()
        assert {"timestamp", "nature", "consommation"} <= set(frame.columns)


def test_the_hour_that_does_not_exist_is_left_out(records: Callable[..., Records]) -> None:
    found = records("2024-03-31T00:00:00Z", hours=3)
    # as the files have it: rows of the skipped hour, 02:00 to 02:30, with the instants of the next
    skipped = [
        record | {"heure": f"02:{record['heure'][3:]}", "consommation": 1}
        for record in found
        if record["heure"] in ("03:00", "03:30")
    ]
    frame = to_frame(found[:4] + skipped + found[4:], DATASET, NATIONAL)
    assert frame.equals(to_frame(found, DATASET, NATIONAL))
    assert frame["timestamp"].is_unique().all()


def test_regions_by_code_and_by_name() -> None:
    assert region_code("53") == region_code("Bretagne") == region_code("bretagne") == "53"
    assert region_code("Provence-Alpes-Côte d'Azur") == "93"
    assert region_code("Île-de-France") == "11"
    assert region_code("Auvergne-Rhône-Alpes") == "84"
    assert {region_code(name) for name in REGIONS.values()} == set(REGIONS)
    with pytest.raises(PipelineError, match=r"--region: expected one of .*bretagne.*got 'Corse'"):
        region_code("Corse")
