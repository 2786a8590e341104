import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from frugal_edge.errors import StoreError
from frugal_edge.gateway.config import ForecastSettings, PowerSettings, SeriesSettings
from frugal_edge.quality import Quality
from frugal_edge.store.forecasts import Forecasts
from frugal_edge.store.readings import Readings

STEP, HORIZON, STEPS, DAY = 1800, 48, 96, 86400
ORIGIN = 1_717_192_800
DAY_NUMBER = (ORIGIN - 1_704_067_200) // DAY  # what the bundle adds that reads the origin

Site = Any  # of conftest.py
Days = Callable[..., dict[int, float]]


def last(readings: dict[int, float], steps: int = HORIZON) -> list[float]:
    return list(readings.values())[-steps:]


def test_the_model_forecasts_on_complete_readings(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle(("history", "origin")))
    gateway, readings = site.open(), readings_of_days(3)
    site.feed(gateway, readings)
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.model) == (Quality.MODEL, "load-naive_day-000000000001")
    assert (issued.origin, issued.issued_at) == (ORIGIN, ORIGIN + 60)
    assert issued.warnings == ()
    np.testing.assert_allclose(issued.values, np.add(last(readings), DAY_NUMBER), rtol=1e-6)
    said = json.loads(gateway.body("feeder"))
    assert said["quality"] == "model"
    assert said["unit"] == "MW"
    assert said["origin"] == "2024-05-31T22:00:00Z"


def test_an_origin_is_forecast_once(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    assert len(gateway.cycle()) == 1
    assert gateway.cycle() == []
    site.feed(gateway, {ORIGIN: 12.0})  # after the origin, of no use to it
    site.now += 2 * STEP
    assert gateway.cycle() == []
    assert site.open().cycle() == []  # nor after a restart
    site.now = ORIGIN + DAY + 60
    (issued,) = site.opened[0].cycle()
    assert issued.origin == ORIGIN + DAY


def test_a_gap_within_the_policy_is_filled_and_said(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    for n in (5, 6, 7):
        del readings[ORIGIN - n * STEP]
    site.feed(gateway, readings)
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.GAP_FILLED
    assert "3 missing readings were filled" in issued.warnings


def test_beyond_the_policy_the_season_stands_in(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    gone = [ORIGIN - n * STEP for n in (5, 6, 7, 8)]
    kept = {time: value for time, value in readings.items() if time not in gone}
    site.feed(gateway, kept)
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.model) == (Quality.FALLBACK, "seasonal_naive")
    assert "gap of 4 steps" in issued.warnings[0]
    expected = [kept.get(ORIGIN - DAY + n * STEP, readings[ORIGIN - 2 * DAY + n * STEP])
                for n in range(HORIZON)]  # fmt: skip
    np.testing.assert_allclose(issued.values, expected, rtol=1e-6)


def test_without_a_season_the_last_reading_stands_in(site: Site) -> None:
    site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, {ORIGIN - 3 * STEP: 11.0, ORIGIN - 2 * STEP: 12.5})
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.model) == (Quality.PERSISTENCE, "persistence")
    assert issued.values.tolist() == [12.5] * HORIZON
    assert len(issued.warnings) == 2
    assert "steps of 1800 s before the origin" in issued.warnings[0]
    assert "seasonal naive: no reading in 7 seasons" in issued.warnings[1]


def test_without_readings_it_is_said_that_there_is_no_forecast(site: Site) -> None:
    site.install(site.bundle())
    gateway = site.open()
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.model) == (Quality.UNAVAILABLE, None)
    assert issued.values.tolist() == []
    assert [one.split(":")[0] for one in issued.warnings] == [
        "readings of feeder", "seasonal naive", "persistence",
    ]  # fmt: skip
    assert json.loads(gateway.body("feeder"))["quality"] == "unavailable"
    assert gateway.stores.counters.get("last_success_timestamp_seconds", series="feeder") == 0


def test_the_last_reading_is_too_old_after_a_day(site: Site) -> None:
    site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, {ORIGIN - DAY - 2 * STEP: 11.0})
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.UNAVAILABLE
    assert "the last reading, of 2024-05-30T21:00:00Z, is too old" in issued.warnings[-1]


def test_a_series_without_a_model_is_forecast_by_its_season(
    site: Site, readings_of_days: Days
) -> None:
    gateway = site.open(series={"feeder": SeriesSettings("MW", STEP, 4)})
    readings = readings_of_days(2)
    site.feed(gateway, readings)
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.FALLBACK
    assert issued.warnings == ("no model is installed",)
    expected = [readings[ORIGIN - DAY + n * STEP] for n in range(4)]
    np.testing.assert_allclose(issued.values, expected, rtol=1e-6)
    site.now += STEP  # a new origin with each step
    assert gateway.cycle()[0].origin == ORIGIN + STEP


def test_late_readings_better_a_forecast_and_nothing_worsens_it(
    site: Site, readings_of_days: Days
) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    first = {time: value for time, value in readings.items() if time < ORIGIN - 10 * STEP}
    site.feed(gateway, first)
    assert gateway.cycle()[0].quality is Quality.FALLBACK
    assert gateway.cycle() == []
    late = {time: value for time, value in readings.items() if time >= ORIGIN - 10 * STEP}
    hole = ORIGIN - 4 * STEP
    site.feed(gateway, {time: value for time, value in late.items() if time != hole})
    assert gateway.cycle()[0].quality is Quality.GAP_FILLED
    site.feed(gateway, {hole: readings[hole]})
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.MODEL
    np.testing.assert_allclose(issued.values, last(readings), rtol=1e-6)
    site.feed(gateway, {hole: None})  # taken back
    assert gateway.cycle() == []
    assert json.loads(gateway.body("feeder"))["quality"] == "model"


def test_readings_beyond_the_training_are_said(site: Site, readings_of_days: Days) -> None:
    def narrow(manifest: dict[str, Any]) -> None:
        manifest["bounds"]["history"] = [10, 20]

    site.install(site.bundle(edit=narrow))
    gateway, readings = site.open(), readings_of_days(3)
    readings[ORIGIN - STEP] = 25.0
    site.feed(gateway, readings)
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.OUT_OF_BOUNDS
    assert "25.0, in training 10.0 to 20.0" in issued.warnings[0]


@pytest.mark.parametrize(("value", "quality"), [(15.0, Quality.STUCK), (0.0, Quality.MODEL)])
def test_a_meter_that_does_not_move_is_said(
    site: Site, readings_of_days: Days, value: float, quality: Quality
) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    for n in range(1, 13):  # six hours
        readings[ORIGIN - n * STEP] = value
    site.feed(gateway, readings)
    (issued,) = gateway.cycle()
    assert issued.quality is quality  # PV at night is no broken meter
    if quality is Quality.STUCK:
        assert "every reading since 2024-05-31T16:00:00Z is 15; is the meter stuck?" in str(issued)


def test_a_meter_that_stood_still_for_less_is_not_stuck(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    for n in range(1, 12):
        readings[ORIGIN - n * STEP] = 15.0
    site.feed(gateway, readings)
    assert gateway.cycle()[0].quality is Quality.MODEL


def test_outside_of_its_years_the_model_is_not_asked(site: Site, readings_of_days: Days) -> None:
    def over(manifest: dict[str, Any]) -> None:
        manifest["origins"]["valid_until"] = "2024-05-30T22:00:00Z"

    site.install(site.bundle(edit=over))
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.FALLBACK
    assert "for which the model holds" in issued.warnings[0]


def test_errors_by_lead_time_follow_what_arrives(site: Site, readings_of_days: Days) -> None:
    model = site.install(site.bundle())
    gateway, readings = site.open(), readings_of_days(3)
    site.feed(gateway, readings)
    gateway.cycle()
    came = {ORIGIN + n * STEP: value + 1.0 + n for n, value in enumerate(last(readings))}
    del came[ORIGIN + 7 * STEP]
    site.now = ORIGIN + DAY
    site.feed(gateway, came)
    gateway.cycle()
    assert gateway.stores.forecasts.errors("feeder", model) == {}  # the last may be a step late
    site.now += STEP
    gateway.cycle()
    errors = gateway.stores.forecasts.errors("feeder", model)
    assert sorted(errors) == [n for n in range(HORIZON) if n != 7]
    for lead, one in errors.items():
        assert one.count == 1
        assert one.error == pytest.approx(1.0 + lead, abs=1e-5)
        assert one.bias == pytest.approx(-1.0 - lead, abs=1e-5)


def test_a_forecast_comes_when_it_cannot_be_stored(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))

    def full(*_: object) -> None:
        raise StoreError("gateway.db: database or disk is full")

    monkeypatch.setattr(Forecasts, "put", full)
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.MODEL
    assert json.loads(gateway.body("feeder"))["quality"] == "model"
    assert gateway.cycle() == []


def test_a_store_that_cannot_be_read_costs_its_series_alone_and_for_now(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(site.bundle())
    gateway = site.open(series={"other": SeriesSettings("kW", STEP, 4)})
    site.feed(gateway, readings_of_days(3))
    real = Readings.table

    def broken(self: Readings, series: str, *rest: Any) -> Any:
        if series == "feeder":
            raise StoreError("gateway.db: disk I/O error")
        return real(self, series, *rest)

    monkeypatch.setattr(Readings, "table", broken)
    issued = {one.series_id: one for one in gateway.cycle()}
    assert issued["feeder"].quality is Quality.UNAVAILABLE
    assert issued["feeder"].warnings == ("gateway.db: disk I/O error",)
    assert "persistence: no reading at all" in issued["other"].warnings
    assert gateway.cycle() == []  # said once
    monkeypatch.undo()
    (again,) = gateway.cycle()
    assert again.quality is Quality.MODEL


def test_readings_are_kept_as_long_as_a_model_needs_them(
    site: Site, readings_of_days: Days
) -> None:
    site.install(site.bundle())
    gateway = site.open(forecast=ForecastSettings(seasons=2))
    site.feed(gateway, readings_of_days(2))
    for day in range(1, 12):
        gateway.cycle()
        site.now = ORIGIN + day * DAY + 60
        site.feed(gateway, readings_of_days(1, end=ORIGIN + day * DAY))
    table = gateway.stores.readings.table("feeder", ("value",), 0, 2**40)
    assert table is not None
    newest, reach = int(table.times[-1]), (STEPS + 3 + 1) * STEP
    assert newest == ORIGIN + 11 * DAY - STEP
    assert newest - reach - 3 * DAY <= table.times[0] <= newest - reach


def test_energy_is_booked_apart_for_work_and_rest(site: Site, readings_of_days: Days) -> None:
    site.install(site.bundle())
    gateway = site.open(power=PowerSettings(2.0, 5.0, 36.0, "a meter", share=0.5))
    site.feed(gateway, readings_of_days(3))
    gateway.cycle()
    counters = gateway.stores.counters
    cpu = counters.get("inference_cpu_seconds_total", series="feeder")

    def booked(name: str, part: str) -> float:
        return float(counters.get(name, method="cpu_time_model", part=part))

    assert cpu > 0
    assert booked("energy_joules_total", "dynamic") == pytest.approx(3.0 * cpu)
    assert booked("co2e_grams_total", "dynamic") == pytest.approx(3.0 * cpu * 36 / 3.6e6)
    rest = booked("energy_joules_total", "idle")
    assert rest > 0
    assert booked("co2e_grams_total", "idle") == pytest.approx(rest * 36 / 3.6e6)


def test_what_was_issued_is_counted(site: Site, readings_of_days: Days) -> None:
    model = site.install(site.bundle())
    gateway = site.open()
    gateway.cycle()
    site.feed(gateway, readings_of_days(3))
    gateway.cycle()
    site.open()
    counters = site.opened[0].stores.counters
    count = {"series": "feeder", "model": model, "quality": "model"}
    assert counters.get("forecasts_total", **count) == 1
    none = {"series": "feeder", "model": "none", "quality": "unavailable"}
    assert counters.get("forecasts_total", **none) == 1
    assert counters.get("observations_total", series="feeder", source="http") == 3 * 48


def test_gauges_say_how_old_and_complete_readings_are(site: Site, readings_of_days: Days) -> None:
    model = site.install(site.bundle())
    gateway, readings = site.open(forecast=ForecastSettings(seasons=1)), readings_of_days(3)
    for n in range(3, 13):
        del readings[ORIGIN - n * STEP]
    site.feed(gateway, readings)
    gateway.cycle()
    counters = gateway.stores.counters
    assert counters.get("observation_age_seconds", series="feeder") == 60
    assert counters.get("history_gap_ratio", series="feeder") == pytest.approx(10 / 100)
    assert counters.get("bundle_info", series="feeder", id=model, seq="1") == 1
    assert counters.get("clock_trusted") == 1
