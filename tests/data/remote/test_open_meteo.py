from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from frugal_ai.data.remote.fetch import FetchReport, Order, fetch
from frugal_ai.data.remote.http import Client
from frugal_ai.data.remote.open_meteo import OpenMeteo
from frugal_ai.data.remote.store import Store
from frugal_ai.data.remote.weather import expected_unit, places_of, wanted
from frugal_ai.errors import DataError, PipelineError

NOW = datetime(2024, 12, 10, 9, tzinfo=UTC)
PARIS = {"name": "paris", "latitude": 48.8566, "longitude": 2.3522}
BREST = {"name": "brest", "latitude": 48.39, "longitude": -4.4861}
Fetch = Callable[..., FetchReport]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def get(client: Client, tmp_path: Path, told: list[str]) -> Fetch:
    def run(
        first: str = "2024-01-01", last: str = "2024-01-31", now: datetime = NOW, **asked: Any
    ) -> FetchReport:
        given = {"places": [PARIS, BREST], "variables": ["temperature_2m"], **asked}
        order = Order(
            first=date.fromisoformat(first), last=date.fromisoformat(last), out=tmp_path, now=now
        )
        endpoint = OpenMeteo(wanted(**given))
        return fetch(endpoint, order, client, progress=lambda *_: None, tell=told.append)

    return run


def test_the_stitched_forecasts_of_all_places(get: Fetch, service: Any, tmp_path: Path) -> None:
    report = get(variables=["temperature_2m", "wind_speed_10m"])
    ((path, params, _),) = service.asked
    assert path == "/v1/forecast"
    assert params["latitude"] == "48.8566,48.39"
    assert params["longitude"] == "2.3522,-4.4861"
    assert params["hourly"] == "temperature_2m,wind_speed_10m"
    assert (params["start_date"], params["end_date"]) == ("2024-01-01", "2024-01-31")
    assert (params["timeformat"], params["timezone"]) == ("unixtime", "GMT")
    assert params["wind_speed_unit"] == "ms"
    assert report.dataset == "open-meteo-historical-forecast"
    frame = Store(tmp_path / report.dataset).read()
    assert frame.columns == ["series_id", "timestamp", "temperature_2m", "wind_speed_10m"]
    assert frame.height == report.rows == 2 * 31 * 24
    assert set(frame["series_id"]) == {"paris", "brest"}
    manifest = Store(tmp_path / report.dataset).held()
    assert manifest.units == {"temperature_2m": "°C", "wind_speed_10m": "m/s"}
    assert "CC BY 4.0" in manifest.attribution


def test_previous_runs_say_when_they_were_available(
    get: Fetch, service: Any, tmp_path: Path
) -> None:
    report = get(lead_days=[1, 3])
    assert service.asked[0][1]["hourly"] == (
        "temperature_2m_previous_day1,temperature_2m_previous_day3"
    )
    assert report.dataset == "open-meteo-previous-runs"
    frame = Store(tmp_path / report.dataset).read()
    assert frame.columns == [
        "series_id", "timestamp", "available_at", "lead_days", "temperature_2m",
    ]  # fmt: skip
    assert frame.height == 2 * 2 * 31 * 24
    # a run that began a whole number of days before the time, and six hours until it was out
    lead = frame["timestamp"] - frame["available_at"]
    assert set(zip(frame["lead_days"], lead, strict=True)) == {
        (1, timedelta(hours=18)),
        (3, timedelta(hours=66)),
    }
    # the service adds the lead to the temperature: each value stands with its own lead
    wide = frame.pivot("lead_days", index=["series_id", "timestamp"], values="temperature_2m")
    assert (wide["3"] - wide["1"]).round(6).unique().to_list() == [2.0]


def test_the_delay_is_the_users(get: Fetch, tmp_path: Path) -> None:
    get(lead_days=[1], publication_delay="0h")
    frame = Store(tmp_path / "open-meteo-previous-runs").read()
    assert set(frame["timestamp"] - frame["available_at"]) == {timedelta(days=1)}


def test_a_place_alone_is_answered_without_a_list(get: Fetch, tmp_path: Path) -> None:
    report = get(places=[PARIS])
    assert set(Store(tmp_path / report.dataset).read()["series_id"]) == {"paris"}


def test_what_was_asked_before_is_asked_for_too(get: Fetch, service: Any, tmp_path: Path) -> None:
    get("2024-01-01", "2024-02-29", places=[PARIS])
    service.asked.clear()
    get("2024-01-01", "2024-02-29", places=[PARIS])
    assert service.asked == []
    get("2024-01-01", "2024-02-29", places=[BREST], variables=["cloud_cover"])
    assert [params["start_date"] for _, params, _ in service.asked] == ["2024-01-01", "2024-02-01"]
    assert {params["hourly"] for _, params, _ in service.asked} == {"cloud_cover,temperature_2m"}
    frame = Store(tmp_path / "open-meteo-historical-forecast").read()
    assert frame.height == 2 * 60 * 24
    moved = {**PARIS, "latitude": 45.0}
    with pytest.raises(DataError, match=r"paris: expected the place 48\.8566, 2\.3522 that was"):
        get(places=[moved])


def test_the_order_of_a_question_does_not_matter(get: Fetch, service: Any) -> None:
    get(variables=["wind_speed_10m", "cloud_cover"], places=[PARIS, BREST], lead_days=[2, 1])
    get(variables=["cloud_cover", "wind_speed_10m"], places=[BREST, PARIS], lead_days=[1, 2])
    assert len(service.asked) == 1


def test_a_month_goes_to_today_and_is_asked_for_until_it_stays(get: Fetch, service: Any) -> None:
    get("2024-12-01", "2025-03-31", now=NOW)
    assert [params["end_date"] for _, params, _ in service.asked] == ["2024-12-10"]
    service.asked.clear()
    get("2024-12-01", "2024-12-31", now=datetime(2025, 1, 1, 8, tzinfo=UTC))
    get("2024-12-01", "2024-12-31", now=datetime(2025, 1, 4, 8, tzinfo=UTC))
    assert len(service.asked) == 2
    get("2024-12-01", "2024-12-31", now=datetime(2025, 3, 1, tzinfo=UTC))
    assert len(service.asked) == 2


def test_hours_without_a_value(get: Fetch, service: Any, told: list[str]) -> None:
    service.since = datetime(2024, 2, 10, tzinfo=UTC)
    report = get("2024-01-01", "2024-03-31")
    assert told == ["open-meteo-historical-forecast: no rows for 2024-01"]
    assert report.first == service.since
    service.empty = {"2024-05"}
    with pytest.raises(DataError, match="got none for 2024-05 and some for 2024-06"):
        get("2024-04-01", "2024-06-30")


def test_a_variable_without_a_value_is_told(get: Fetch, service: Any, told: list[str]) -> None:
    def blank(answer: Any) -> Any:
        for one in answer:
            hours = len(one["hourly"]["time"])
            one["hourly"]["cloud_cover"] = [None] * hours
        return answer

    service.change = blank
    get("2024-01-01", "2024-02-29", variables=["temperature_2m", "cloud_cover"])
    assert told == ["open-meteo-historical-forecast: cloud_cover: no value in 2024-01 to 2024-02"]


def put(name: str, value: Any) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        answer[1]["hourly"][name] = value
        return answer

    return change


def without(name: str) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        del answer[1]["hourly"][name]
        return answer

    return change


def unit(name: str, value: str) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        answer[1]["hourly_units"][name] = value
        return answer

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (unit("temperature_2m", "°F"), r"brest: temperature_2m: expected the unit °C, got '°F'"),
        (unit("time", "iso8601"), r"brest: time: expected unixtime, got 'iso8601'"),
        (
            put("time", ["2024-01-01T00:00"] * 744),
            r"time: expected unixtime, got 'unixtime': \['20",
        ),
        (without("temperature_2m"), r"brest: expected a column 'temperature_2m', got time"),
        (put("temperature_2m", [1.0]), r"temperature_2m: expected 744 values, got 1"),
        (put("temperature_2m", ["warm"] * 744), r"expected a finite number, got 'warm'"),
        (lambda answer: answer[:1], r"expected an answer for each of 2 places, got 1"),
        (lambda answer: [answer[0], {"hourly": []}], r"brest: expected hourly and hourly_units"),
        (lambda _: "no", r"expected an answer for each of 2 places, got 1"),
    ],
)
def test_another_schema_is_refused_and_nothing_written(
    get: Fetch, service: Any, tmp_path: Path, change: Callable[[Any], Any], said: str
) -> None:
    service.change = change
    with pytest.raises(DataError, match=f"open-meteo-historical-forecast.*{said}"):
        get()
    assert list(tmp_path.iterdir()) == []


def test_what_a_service_refuses_is_quoted(get: Fetch, service: Any, answer: Any) -> None:
    said = "Data corrupted at path ''. Cannot initialize VariableAndPreviousDay"
    service.faults = [answer({"error": True, "reason": said}, 400)]
    with pytest.raises(DataError, match="400 Bad Request: Data corrupted at path"):
        get(variables=["temperature_3m"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"places": [{**PARIS, "latitude": 91}]}, r"places\.0\.latitude: .*less than or equal"),
        ({"places": []}, "places: "),
        ({"places": [PARIS, PARIS]}, "expected distinct names, got the place 'paris' twice"),
        ({"variables": ["temperature 2m"]}, r"variables\.0: .*got 'temperature 2m'"),
        ({"variables": []}, "variables: "),
        ({"lead_days": [8]}, r"lead_days\.0: .*got 8"),
        ({"publication_delay": "soon"}, "publication_delay: .*expected a duration"),
    ],
)
def test_a_wrong_question_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(PipelineError, match=f"open-meteo: {said}"):
        wanted(**{"places": [PARIS], "variables": ["temperature_2m"], **asked})


def test_places_of_a_file_and_of_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "cities.csv"
    path.write_text("name,latitude,longitude\nparis,48.8566,2.3522\n")
    found = places_of(path, [48.39], [-4.4861], ["brest"])
    places = wanted(places=found, variables=["temperature_2m"]).places
    assert [place.model_dump() for place in places] == [PARIS, BREST]
    assert places_of(None, [1.0], [2.0], [])[0]["name"] == "place"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((None, [], [], []), "expected --places FILE, or --latitude and --longitude"),
        ((None, [1.0, 2.0], [3.0], []), "once for each place, got 2 and 1"),
        ((None, [1.0, 2.0], [3.0, 4.0], ["a"]), "expected --name once for each of 2 places, got 1"),
    ],
)
def test_places_that_are_not_complete_are_refused(given: Any, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        places_of(*given)


@pytest.mark.parametrize(
    "text", ["name,lat,lon\nparis,1,2\n", "name,latitude,longitude\nparis,1\n"]
)
def test_a_file_of_places_without_a_column_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cities.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"cities\.csv: expected columns name, latitude, longitude"):
        places_of(path, [], [], [])
    with pytest.raises(DataError, match=r"nowhere\.csv: cannot be read"):
        places_of(tmp_path / "nowhere.csv", [], [], [])


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("wind_speed_100m", "m/s"),
        ("precipitation", "mm"),
        ("precipitation_probability", "%"),
        ("cloud_cover_low", "%"),
        ("weather_code", None),
    ],
)
def test_units(variable: str, expected: str | None) -> None:
    assert expected_unit(variable) == expected


def test_the_table_is_one_for_the_source_file_too(get: Fetch, tmp_path: Path) -> None:
    report = get(lead_days=[1, 2])
    frame = pl.read_parquet(tmp_path / report.dataset / "2024-01.parquet")
    assert frame.schema["timestamp"] == frame.schema["available_at"] == pl.Datetime("us", "UTC")
    keys = frame.select("series_id", "timestamp", "available_at")
    assert keys.is_unique().all()
