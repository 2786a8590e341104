from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from frugal_ai.backtest.origins import OriginRule, start_of, training_origins
from frugal_ai.data.panel import format_time
from frugal_ai.errors import PipelineError

DAY = 86400


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def test_local_midnight_follows_the_clock_change() -> None:
    rule = OriginRule(first=date(2024, 3, 30), last=date(2024, 4, 1))
    expected = ["2024-03-29T23:00Z", "2024-03-30T23:00Z", "2024-03-31T22:00Z"]
    assert rule.instants("Europe/Paris").tolist() == [unix(text) for text in expected]


def test_every_and_several_times_a_day() -> None:
    rule = OriginRule.model_validate(
        {"first": "2024-01-01", "last": "2024-01-08", "every": "7d", "at": ["00:00", "12:00"]}
    )
    expected = [unix(f"2024-01-{day}Z") for day in ("01T00:00", "01T12:00", "08T00:00", "08T12:00")]
    assert rule.instants("UTC").tolist() == expected


def test_the_repeated_hour_counts_once() -> None:
    rule = OriginRule(first=date(2024, 10, 27), last=date(2024, 10, 27), at=(time(2, 30),))
    assert rule.instants("Europe/Paris").tolist() == [unix("2024-10-27T00:30Z")]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"last": "2023-12-31"}, "last on or after first"),
        ({"every": "12h"}, "whole days"),
        ({"at": [630]}, "in quotes"),
        ({"at": []}, "at least 1 item"),
        ({"until": "2024-02-01"}, "Extra inputs"),
    ],
)
def test_a_wrong_rule_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OriginRule.model_validate({"first": "2024-01-01", "last": "2024-01-02"} | settings)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"IANA name .* got 'Paris'"):
        OriginRule(first=date(2024, 1, 1), last=date(2024, 1, 1)).instants("Paris")


def test_a_date_starts_at_local_midnight_and_an_instant_is_one() -> None:
    assert start_of(date(2024, 7, 1), "Europe/Paris") == unix("2024-06-30T22:00Z")
    assert start_of(datetime(2024, 7, 1, tzinfo=UTC), "Europe/Paris") == unix("2024-07-01T00:00Z")


@given(
    start=st.integers(0, 40 * 365).map(lambda day: day * DAY),
    days=st.integers(2, 60),
    reach=st.integers(0, 5 * DAY),
    horizon=st.integers(3600, 2 * DAY),
)
def test_training_windows_and_targets_stay_inside(
    start: int, days: int, reach: int, horizon: int
) -> None:
    end = start + days * DAY
    try:
        found = training_origins(start, end, (time(0), time(6)), "UTC", reach, horizon)
    except PipelineError:
        assert reach + horizon + DAY > days * DAY
        return
    assert (found - reach >= start).all()
    assert (found + horizon <= end).all()
    assert set(np.unique(found % DAY)) <= {0, 6 * 3600}


def test_no_room_for_training_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"room for training .* need 192 h .* has 48 h"):
        training_origins(0, 2 * DAY, (time(0),), "UTC", 7 * DAY, DAY)


def test_stamps_are_utc() -> None:
    assert format_time(unix("2024-03-31T01:30Z")) == "2024-03-31T01:30:00Z"
