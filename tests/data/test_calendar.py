from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.data.calendar import DAY_S, holiday_days, local_days, local_seconds, utc_offsets
from frugal_ai.errors import PipelineError

FIRST = int(datetime(2006, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2035, 1, 1, tzinfo=UTC).timestamp())
ZONES = [
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "UTC",
    "Asia/Kolkata",
    "Africa/Casablanca",
]
TABLES = {zone: utc_offsets(zone, FIRST, LAST) for zone in ZONES}


def offset(zone: str, t: int) -> int:
    delta = datetime.fromtimestamp(t, tz=ZoneInfo(zone)).utcoffset()
    assert delta is not None
    return int(delta.total_seconds())


@pytest.mark.parametrize("zone", ZONES)
@given(t=st.integers(FIRST, LAST))
def test_offsets_agree_with_zoneinfo_at_any_instant(zone: str, t: int) -> None:
    transitions, offsets = TABLES[zone]
    assert offsets[np.searchsorted(transitions, t, side="right")] == offset(zone, t)


@pytest.mark.parametrize("zone", ZONES)
def test_offsets_agree_on_both_sides_of_every_transition(zone: str) -> None:
    transitions, offsets = TABLES[zone]
    assert len(offsets) == len(transitions) + 1
    for i, t in enumerate(transitions.tolist()):
        assert offset(zone, t - 1) == offsets[i]
        assert offset(zone, t) == offsets[i + 1]


@pytest.mark.parametrize(
    ("zone", "count"),
    [("Europe/Paris", 58), ("America/New_York", 58), ("Australia/Lord_Howe", 58), ("UTC", 0)],
)
def test_there_are_two_transitions_a_year_or_none(zone: str, count: int) -> None:
    transitions, offsets = TABLES[zone]
    assert len(transitions) == count
    assert transitions.dtype == offsets.dtype == np.int64


def test_a_zone_of_half_an_hour_of_daylight_saving() -> None:
    assert set(TABLES["Australia/Lord_Howe"][1].tolist()) == {37800, 39600}


@pytest.mark.parametrize("span", [(FIRST, FIRST), (FIRST, FIRST + 1)])
def test_a_table_of_an_instant(span: tuple[int, int]) -> None:
    transitions, offsets = utc_offsets("Europe/Paris", *span)
    assert transitions.tolist() == []
    assert offsets.tolist() == [3600]


def test_a_transition_at_the_end_of_the_table_is_in_it() -> None:
    change = int(datetime(2024, 3, 31, 1, tzinfo=UTC).timestamp())
    assert utc_offsets("Europe/Paris", change - 5, change)[0].tolist() == [change]
    assert utc_offsets("Europe/Paris", change, change + 5)[0].tolist() == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc", "/etc/passwd"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(PipelineError, match=r"timezone: expected an IANA name .*Europe/Paris"):
        utc_offsets(zone, FIRST, LAST)


@given(t=st.integers(FIRST, LAST), zone=st.sampled_from(ZONES))
def test_local_days_agree_with_zoneinfo(t: int, zone: str) -> None:
    times = np.array([[t, FIRST], [LAST, t]])
    there = datetime.fromtimestamp(t, tz=ZoneInfo(zone))
    days = local_days(zone, times)
    assert days.shape == times.shape
    assert days[0, 0] == (there.date() - date(1970, 1, 1)).days
    seconds = local_seconds(zone, times)[1, 1] % DAY_S
    assert seconds == there.hour * 3600 + there.minute * 60 + there.second


def test_no_times_have_no_days() -> None:
    assert local_days("Europe/Paris", np.empty(0, dtype=np.int64)).size == 0


def days(*dates: date) -> set[int]:
    return {(d - date(1970, 1, 1)).days for d in dates}


def test_holidays_of_a_country() -> None:
    found = holiday_days("FR", 2023, 2024)
    assert found.dtype == np.int64
    assert np.all(np.diff(found) > 0)
    assert days(date(2023, 7, 14), date(2024, 5, 1), date(2024, 4, 1)) <= set(found.tolist())
    assert not days(date(2024, 12, 26), date(2022, 7, 14)) & set(found.tolist())


def test_holidays_of_a_part_of_a_country() -> None:
    moselle = set(holiday_days("FR-57", 2024, 2024).tolist())
    france = set(holiday_days("FR", 2024, 2024).tolist())
    assert moselle - france == days(date(2024, 3, 29), date(2024, 12, 26))


@pytest.mark.parametrize("country", ["XX", "FR-99", "", "Atlantis"])
def test_an_unknown_country_is_refused(country: str) -> None:
    with pytest.raises(PipelineError, match=r"holidays: expected an ISO 3166 code") as caught:
        holiday_days(country, 2023, 2024)
    assert repr(country) in str(caught.value)
