from typing import get_args
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.board.filters import Filters, Metric, Scope, Sort, parse
from frugal_ai.errors import BoardError

names = st.text(max_size=40)
asked = st.builds(
    Filters,
    pipeline=names,
    series=names,
    hardware=names,
    group=names,
    horizon=st.integers(0, 10**8),
    metric=st.sampled_from(get_args(Metric)),
    scope=st.sampled_from(get_args(Scope)),
    estimated=st.booleans(),
    runs=st.sampled_from(("latest", "all")),
    intensity=st.none() | st.integers(1, 9999).map(float),
    sort=st.sampled_from(get_args(Sort)),
    descending=st.booleans(),
    page=st.integers(1, 1000),
)


# a band of lead times, whose error is the MAE
banded = st.builds(
    lambda start, length, **given: Filters(lead=(start, start + length), **given),
    st.integers(0, 10**8),
    st.integers(1, 10**8),
    pipeline=names,
    metric=st.sampled_from(get_args(Metric)),
)


@given(asked | banded)
def test_an_address_says_all_that_is_asked_for(one: Filters) -> None:
    assert parse(dict(parse_qsl(one.query(page=one.page)))) == one


def test_what_is_usual_is_not_in_the_address() -> None:
    assert Filters().query() == ""
    assert Filters(metric="rmse").query() == "metric=rmse"


def test_of_lead_times_there_is_the_mae_alone() -> None:
    one = parse({"lead": "3600-21600", "metric": "rmse"})
    assert (one.lead, one.metric) == ((3600, 21600), "mae")
    assert one.query() == "lead=3600-21600"
    assert one.with_(metric="crps").metric == "mae"
    assert one.with_(metric="crps", lead=None).metric == "crps"


def test_another_condition_leads_to_the_first_page() -> None:
    assert "page" not in Filters(page=3).query(metric="rmse")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"metric": "accuracy"}, "metric: expected one of mae"),
        ({"scope": "<script>"}, "scope: expected one of"),
        ({"sort": "__class__"}, "sort: expected one of"),
        ({"horizon": "-1"}, "horizon: expected a whole number"),
        ({"lead": "3600"}, "lead: expected seconds as 3600-21600, got '3600'"),
        ({"lead": "7200-3600"}, "lead: expected seconds"),
        ({"lead": "\u0661-\u0662"}, "lead: expected seconds"),
        ({"lead": "0-1<script>"}, "lead: expected seconds"),
        ({"page": "1e9"}, "page: expected a whole number"),
        ({"page": "9" * 400}, "page: expected a whole number"),
        ({"intensity": "nan"}, "intensity: expected gCO2e/kWh"),
        ({"intensity": "inf"}, "intensity: expected gCO2e/kWh"),
        ({"intensity": "0"}, "intensity: expected gCO2e/kWh"),
        ({"pipeline": "x" * 201}, "pipeline: expected at most 200"),
    ],
)
def test_what_there_is_not_is_refused(query: dict[str, str], said: str) -> None:
    with pytest.raises(BoardError, match=said.replace("/", ".")):
        parse(query)
