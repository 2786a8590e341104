import json
from datetime import UTC, datetime
from typing import Any

import pytest
from frugal_edge.clock import format_time
from frugal_edge.errors import InputError
from frugal_edge.gateway.intake import Now, readings_of, rows_of
from frugal_edge.gateway.target import Target
from frugal_edge.store.readings import Reading
from hypothesis import given
from hypothesis import strategies as st

STEP, DAY = 1800, 86400
NOW = 1_717_192_800
TARGET = Target(
    series_id="feeder",
    unit="MW",
    step_s=STEP,
    horizon=48,
    observed=("value", "voltage"),
    known=("temperature",),
    limits={"value": (0.0, 50.0), "temperature": (-40.0, 60.0)},
    history_s=14 * DAY,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(["timestamp", "value", "temperature", "unit", "observations"]) | st.text()
timestamps = st.integers(-(2**40), 2**40).map(format_time) | st.datetimes().map(str) | st.text()
rows = st.dictionaries(keys, json_values | timestamps | st.sampled_from(["MW"]), max_size=5)


def row(time: int = NOW - STEP, **values: Any) -> dict[str, Any]:
    return {"timestamp": format_time(time), **(values or {"value": 12.5})}


def read(content: object, unit: str | None = None, now: Now | None = None) -> list[Reading]:
    return readings_of(TARGET, content, unit, now or Now(NOW))


def refusal(content: object, unit: str | None = None, now: Now | None = None) -> str:
    with pytest.raises(InputError) as refused:
        read(content, unit, now)
    return str(refused.value)


def test_a_row_gives_a_reading_for_each_column() -> None:
    assert read(row(value=12, voltage=230.5, temperature=-3)) == [
        Reading("value", NOW - STEP, 12.0),
        Reading("voltage", NOW - STEP, 230.5),
        Reading("temperature", NOW - STEP, -3.0),
    ]


def test_null_takes_a_reading_back() -> None:
    assert read(row(value=None)) == [Reading("value", NOW - STEP, None)]


def test_a_time_may_have_any_offset() -> None:
    local = {"timestamp": "2024-05-31T23:30:00+02:00", "value": 1}
    assert read(local) == [Reading("value", NOW - STEP, 1.0)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (5, "expected an object with a timestamp, got 5"),
        ({"value": 1}, "timestamp: expected an ISO 8601 text, got None"),
        ({"timestamp": 1717192800, "value": 1}, "timestamp: expected an ISO 8601 text, got 1717"),
        ({"timestamp": "2024-05-31T22:00:00", "value": 1}, "with an offset or Z"),
        ({"timestamp": "yesterday", "value": 1}, "got 'yesterday'"),
        ({"timestamp": "2024-05-31T21:30:00.5Z", "value": 1}, "to the second"),
        ({"timestamp": "0999-01-01T00:00:00Z", "value": 1}, "expected one from 1970 to 2100, got"),
        ({"timestamp": "2100-01-01T00:00:00Z", "value": 1}, "expected one from 1970 to 2100, got"),
        (row(NOW - 60), "expected the start of an interval of 1800 s"),
        (row(NOW - STEP, load=1), "expected columns of value, voltage, temperature, got ['load']"),
        (
            {"timestamp": format_time(NOW)},
            "expected columns of value, voltage, temperature, got []",
        ),
        (row(value=12, unit="kW"), "unit: expected MW, got 'kW'"),
        (row(value=12, unit=5), "unit: expected MW, got 5"),
        (row(value="12"), "value: expected a finite number or null, got '12'"),
        (row(value=True), "value: expected a finite number or null, got True"),
        (row(value=float("nan")), "value: expected a finite number or null, got nan"),
        (row(value=float("inf")), "value: expected a finite number or null, got inf"),
        (row(value=10**400), "value: expected a finite number or null, got 1000"),
        (row(value=-(10**400)), "value: expected a finite number or null, got -1000"),
        (row(value=[1]), "value: expected a finite number or null, got [1]"),
        (row(value=12_500), "value: 12500 is beyond the limits 0 to 50; is it in another unit?"),
        (row(value=-0.01), "value: -0.01 is beyond the limits 0 to 50"),
        (row(temperature=285.15), "temperature: 285.15 is beyond the limits -40 to 60"),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_what_was_expected(content: object, said: str) -> None:
    assert said in refusal(content)


def test_the_limits_themselves_are_allowed() -> None:
    assert [one.value for one in read(row(value=0)) + read(row(value=50))] == [0.0, 50.0]


def test_where_nothing_is_known_of_limits_any_finite_number_is() -> None:
    assert read(row(voltage=-1e300)) == [Reading("voltage", NOW - STEP, -1e300)]


def test_a_unit_may_stand_by_the_message_and_a_row_may_say_another() -> None:
    assert read(row(), unit="MW")
    assert "unit: expected MW, got 'kW'" in refusal(row(), unit="kW")
    assert read(row(value=1, unit="MW"), unit="kW")


def test_a_reading_may_be_a_step_early_and_no_more() -> None:
    assert read(row(NOW + STEP))  # a gateway whose clock is a little late
    assert "is in the future of the gateway's clock, 2024-05-31T22:00:00Z" in refusal(
        row(NOW + 2 * STEP)
    )


def test_known_covariates_reach_as_far_ahead_as_weather_forecasts_do() -> None:
    reach = 48 * STEP + 21 * DAY
    assert read(row(NOW + reach, temperature=1))
    assert "in the future" in refusal(row(NOW + reach + STEP, temperature=1))
    assert "in the future" in refusal(row(NOW + reach, temperature=1, value=1))


def test_what_is_older_than_what_is_kept_is_refused() -> None:
    now = Now(NOW, newest=NOW - STEP)
    oldest = NOW - STEP - 14 * DAY
    assert read(row(oldest), now=now)
    assert "is older than what is kept, from 2024-05-17T21:30:00Z on" in refusal(
        row(oldest - STEP), now=now
    )
    assert read(row(0), now=Now(NOW))  # the first reading of all


def test_with_a_wrong_clock_readings_speak_for_themselves_within_a_year() -> None:
    wrong = Now(0, trusted=False, newest=NOW)
    assert read(row(NOW + 100 * DAY), now=wrong)
    assert "more than a year after the last reading" in refusal(row(NOW + 367 * DAY), now=wrong)
    assert read(row(NOW + 367 * DAY), now=Now(0, trusted=False))


@pytest.mark.parametrize(
    ("payload", "unit", "count"),
    [
        ({"timestamp": "t"}, None, 1),
        ([{}, {}], None, 2),
        ({"observations": [{}]}, None, 1),
        ({"observations": [{}, 1], "unit": "MW"}, "MW", 2),
    ],
)
def test_a_message_is_a_row_rows_or_rows_with_a_unit(
    payload: object, unit: str | None, count: int
) -> None:
    given_unit, rows = rows_of(payload)
    assert (given_unit, len(rows)) == (unit, count)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ([], "observations: expected a list with at least one row, got []"),
        ({"observations": {}}, "observations: expected a list with at least one row, got {}"),
        ({"observations": [1], "unit": 5}, "unit: expected a text, got 5"),
        ({"observations": [1], "x": 5}, "expected observations and unit alone, got ['x'] too"),
        ([0] * 100_001, "expected at most 100000 rows, got 100001"),
    ],
)
def test_another_message_is_refused(payload: object, said: str) -> None:
    with pytest.raises(InputError) as refused:
        rows_of(payload)
    assert said in str(refused.value)


@given(json_values | rows | st.lists(rows, max_size=4), st.integers(-(2**40), 2**40))
def test_whatever_arrives_is_read_or_refused_in_one_printable_line(
    payload: object, newest: int
) -> None:
    for now in (Now(NOW), Now(NOW, newest=newest), Now(0, trusted=False, newest=newest)):
        reason = "refused"
        try:
            unit, found = rows_of(payload)
            for one in found:
                check(read(one, unit, now))
        except InputError as error:
            reason = str(error)
        assert reason.isprintable()
        assert len(reason) < 400


def check(readings: list[Reading]) -> None:
    assert readings
    for one in readings:
        assert one.name in TARGET.columns
        assert one.time % STEP == 0
        assert one.value is None or abs(one.value) < float("inf")


@given(st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 31)), st.floats(0, 50))  # noqa: DTZ001 - of UTC
def test_what_json_carries_is_what_is_read(time: datetime, value: float) -> None:
    start = int(time.replace(tzinfo=UTC).timestamp()) // STEP * STEP
    text = json.dumps({"timestamp": format_time(start), "value": value})
    assert read(json.loads(text), now=Now(start)) == [Reading("value", start, value)]
