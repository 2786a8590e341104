from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.data.remote.months import Month, month_of, months, spans
from frugal_ai.errors import PipelineError

DAYS = st.dates(date(1999, 1, 1), date(2040, 12, 31))


@given(DAYS, st.integers(0, 1000))
def test_months_cover_a_span_without_hole_or_overlap(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    found = months(first, last)
    assert found[0].start <= datetime(first.year, first.month, first.day, tzinfo=UTC)
    assert found[-1].last_day >= last
    assert [month.end for month in found[:-1]] == [month.start for month in found[1:]]
    assert sum((month.end - month.start).days for month in found) <= length + 31 + 31


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(PipelineError, match="--from 2024-02-01 --to 2024-01-31"):
        months(date(2024, 2, 1), date(2024, 1, 31))


def test_months_in_a_message() -> None:
    found = [Month(2023, 11), Month(2023, 12), Month(2024, 1), Month(2024, 3)]
    assert spans(found) == "2023-11 to 2024-01, 2024-03"
    assert str(month_of(date(2024, 2, 29))) == "2024-02"
