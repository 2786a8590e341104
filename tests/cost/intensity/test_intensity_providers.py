import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from frugal_ai.cost.factors import load_factors
from frugal_ai.cost.intensity import electricity_maps, gsf, watttime
from frugal_ai.cost.intensity.named import provider, read_base
from frugal_ai.cost.intensity.point import Base
from frugal_ai.cost.intensity.provider import Provider
from frugal_ai.data.remote.http import Client, Patience
from frugal_ai.errors import CostError, DataError, FetchError

START = datetime(2023, 3, 1, tzinfo=UTC)
END = START + timedelta(hours=24)
MARGINAL = "marginal,direct,production"


def connect(url: str, headers: Mapping[str, str]) -> Client:
    patience = Patience(tries=2)
    return Client(url, patience, sleep=lambda _seconds: None, headers=headers)


def named(text: str, url: str | None = None, counts: str | None = None) -> Provider:
    return provider(text, load_factors(), connect, url, read_base(counts))


def maps(hours: int = 3, **more: Any) -> dict[str, Any]:
    return {
        "zone": "FR",
        "forecast": [
            {"carbonIntensity": 50 + i, "datetime": f"2023-03-01T{i:02}:00:00.000Z", **more}
            for i in range(hours)
        ],
        "updatedAt": "2023-03-01T00:00:00Z",
    }


def moer(value: float = 1000.0, units: str = "lbs_co2_per_mwh") -> dict[str, Any]:
    return {
        "data": [
            {"point_time": f"2023-03-01T00:{minute:02}:00+00:00", "value": value}
            for minute in range(0, 60, 5)
        ],
        "meta": {
            "region": "CAISO_NORTH",
            "signal_type": "co2_moer",
            "units": units,
            "data_point_period_seconds": 300,
        },
    }


def sdk(duration: int = 60) -> list[dict[str, Any]]:
    data = [
        {
            "location": "francecentral",
            "timestamp": f"2023-03-01T{hour:02}:00:00+00:00",
            "duration": duration,
            "value": 40.0 + hour,
        }
        for hour in range(4)
    ]
    return [{"windowSize": duration, "optimalDataPoints": data[:1], "forecastData": data}]


def test_a_constant_is_that_of_the_country() -> None:
    (only,) = named("constant:FRA").points(START, END)
    assert (only.g_per_kwh, only.start_utc, only.end_utc) == (56.039, START, END)
    assert only.base == Base("lifecycle", "average", "production")


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(CostError, match="got 'XYZ'"):
        named("constant:XYZ").points(START, END)


def test_eco2mix_is_direct_and_of_production(tmp_path: Path) -> None:
    path = tmp_path / "eco2mix.csv"
    rows = [f"2023-03-01T0{hour}:00Z,{30 + hour}" for hour in range(4)]
    path.write_text("\n".join(["date_heure,taux_co2", *rows]))
    points = named(str(path)).points(START, END)
    assert [p.g_per_kwh for p in points] == [30, 31, 32, 33]
    assert {str(p.base) for p in points} == {"average, direct, production"}
    assert {p.duration_s for p in points} == {3600}
    assert not points[0].estimated


def test_a_missing_value_of_a_file_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "grid.parquet"
    times = [START + timedelta(hours=i) for i in range(4)]
    values = [30.0, None, 32.0, 33.0]
    pl.DataFrame({"timestamp": times, "co2_g_per_kwh_est": values}).write_parquet(path)
    points = named(str(path)).points(START, END)
    assert [p.start_utc.hour for p in points] == [0, 2, 3]
    assert points[0].estimated


def test_a_file_without_an_intensity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("timestamp,value\n2023-03-01T00:00Z,1\n2023-03-01T01:00Z,1\n")
    with pytest.raises(CostError, match="expected a column taux_co2 or co2"):
        named(str(path)).points(START, END)


def test_a_file_of_one_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("timestamp,co2\n2023-03-01T00:00Z,1\n")
    with pytest.raises(CostError, match="two or more times"):
        named(str(path)).points(START, END)


def test_electricity_maps_is_asked_with_the_token(service: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("ELECTRICITY_MAPS_TOKEN", "secret")
    service.answers["/carbon-intensity/forecast"] = maps()
    points = named("electricity-maps:FR", service.url).points(START, END)
    assert [(p.start_utc.hour, p.g_per_kwh) for p in points] == [(0, 50), (1, 51), (2, 52)]
    assert str(points[0].base) == "average, lifecycle, consumption"
    _, params, headers = service.asked[0]
    assert params["zone"] == "FR"
    assert headers["auth-token"] == "secret"


def test_history_of_electricity_maps_says_what_is_estimated() -> None:
    answer = {"history": maps(isEstimated=False, emissionFactorType="direct")["forecast"]}
    first = electricity_maps.parse(answer)[0]
    assert (first.base.basis, first.estimated) == ("direct", False)


def test_mixed_emission_factors_in_one_answer_are_refused() -> None:
    answer = maps(emissionFactorType="direct")
    answer["forecast"][1]["emissionFactorType"] = "lifecycle"
    with pytest.raises(CostError, match="count the same"):
        electricity_maps.parse(answer)


def test_watttime_is_turned_from_pounds_per_mwh(service: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("WATTTIME_TOKEN", "secret")
    service.answers["/v3/forecast"] = moer(1000.0)
    points = named("watttime:CAISO_NORTH", service.url).points(START, END)
    assert points[0].g_per_kwh == pytest.approx(453.59237)
    assert (points[0].base.kind, points[0].duration_s, len(points)) == ("marginal", 300, 12)
    assert service.asked[0][2]["Authorization"] == "Bearer secret"


def test_watttime_in_another_unit_is_refused() -> None:
    with pytest.raises(CostError, match="expected lbs_co2_per_mwh, got 'percentile'"):
        watttime.parse(moer(units="percentile"))


def test_the_sdk_is_read_as_declared(service: Any) -> None:
    service.answers["/emissions/forecasts/current"] = sdk()
    points = named("gsf:francecentral", service.url, MARGINAL).points(START, END)
    assert [p.g_per_kwh for p in points] == [40, 41, 42, 43]
    assert str(points[0].base) == "marginal, direct, production"


def test_the_sdk_does_not_say_what_it_counts() -> None:
    with pytest.raises(CostError, match="say it with --counts"):
        named("gsf:francecentral", "http://127.0.0.1:9")


def test_moving_averages_of_the_sdk_are_refused() -> None:
    with pytest.raises(CostError, match="do not overlap"):
        gsf.parse(sdk(duration=120), Base("direct", "marginal", "production"))


def test_what_is_written_as_the_sdk_is_read_back() -> None:
    base = Base("direct", "average", "production")
    points = gsf.parse(sdk(), base)
    written = gsf.written(points, "here", START, (START, 3600, 40.0))
    assert written["windowSize"] == 60
    assert gsf.parse(json.loads(json.dumps(written)), base) == points


@pytest.mark.parametrize(
    ("name", "variable"),
    [("electricity-maps:FR", "ELECTRICITY_MAPS_TOKEN"), ("watttime:FR", "WATTTIME_TOKEN")],
)
def test_a_missing_token_is_said(name: str, variable: str, monkeypatch: Any) -> None:
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(CostError, match=f"environment variable {variable}, it is not set"):
        named(name)


def test_a_token_is_not_taken_elsewhere(service: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("ELECTRICITY_MAPS_TOKEN", "secret")
    service.faults = [(302, b"moved")]
    service.answers["/elsewhere"] = maps()
    with pytest.raises(FetchError, match="answer 302"):
        named("electricity-maps:FR", service.url).points(START, END)
    assert [path for path, _, _ in service.asked] == ["/carbon-intensity/forecast"]


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ([(401, b'{"message": "no such token"}')], "answer 401 .*no such token"),
        ([(503, b"later"), (503, b"later")], "given up after 2 tries"),
        ([(200, b"<html>hello</html>")], "expected JSON"),
    ],
)
def test_faults_of_a_service(
    faults: list[tuple[int, bytes]], message: str, service: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("WATTTIME_TOKEN", "secret")
    service.faults = faults
    with pytest.raises(FetchError, match=message) as raised:
        named("watttime:FR", service.url).points(START, END)
    assert "secret" not in str(raised.value)


def test_a_fault_that_passes_is_waited_for(service: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("WATTTIME_TOKEN", "secret")
    service.faults = [(503, b"later")]
    service.answers["/v3/forecast"] = moer()
    assert len(named("watttime:FR", service.url).points(START, END)) == 12


@pytest.mark.parametrize("answer", [None, [], {}, {"forecast": []}, {"forecast": [1]}, {"data": 3}])
def test_another_shape_is_refused(answer: Any) -> None:
    with pytest.raises(CostError, match="expected a list of objects"):
        electricity_maps.parse(answer)
    with pytest.raises(CostError, match="expected a list of objects"):
        watttime.parse(answer)
    with pytest.raises(CostError, match="expected a list of objects"):
        gsf.parse(answer, Base("direct", "average", "production"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"carbonIntensity": "51"}, "expected a number, got '51'"),
        ({"datetime": "2023-03-01T01:00"}, "expected a time with an offset"),
        ({"datetime": None}, "expected a time with an offset"),
        ({"emissionFactorType": "both"}, "expected direct or lifecycle"),
        ({"carbonIntensity": -1}, "0 gCO2e/kWh or more"),
    ],
)
def test_a_bad_entry_is_refused(change: dict[str, Any], message: str) -> None:
    answer = maps()
    answer["forecast"][1] |= change
    with pytest.raises(CostError, match=message):
        electricity_maps.parse(answer)


@pytest.mark.parametrize("answer", [maps(), moer(), sdk()])
def test_kept_answers_are_told_apart(answer: Any, tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer))
    assert named(str(path), counts=MARGINAL).points(START, END)


@pytest.mark.parametrize("text", ["{}", "[1, 2]", "nothing"])
def test_a_file_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(text)
    with pytest.raises(CostError, match=r"answer\.json: expected"):
        named(str(path)).points(START, END)


@pytest.mark.parametrize("text", ["nowhere.csv", "constant:", "carbon:FR"])
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(CostError, match="expected a file or one of constant:COUNTRY"):
        named(text)


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "grid.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError):
        named(str(path)).points(START, END)


@pytest.mark.parametrize("text", ["", "average", "direct,average,production", "average,direct,all"])
def test_counts_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(CostError, match="--counts: expected average or marginal"):
        read_base(text)
