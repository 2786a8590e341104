import json
from dataclasses import fields

import numpy as np
from frugal_edge.gateway.issued import Issued, issued_from
from frugal_edge.quality import Quality
from hypothesis import given
from hypothesis import strategies as st

HORIZON = 3
floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
times = st.integers(0, 4_102_444_800)


def issued(
    values: list[float], rows: list[list[float]] | None, quality: Quality, text: str, time: int
) -> Issued:
    return Issued(
        series_id=text or "a",
        unit="MW",
        step_s=1800,
        horizon=HORIZON,
        origin=time,
        issued_at=time + 60,
        quality=quality,
        model=None if quality is Quality.UNAVAILABLE else text,
        values=np.array(values, np.float32),
        levels=() if rows is None else (0.1, 0.9),
        quantiles=None if rows is None else np.array(rows, np.float32),
        warnings=(text,),
        simulated=time % 2 == 0,
    )


three = st.lists(floats, min_size=HORIZON, max_size=HORIZON)
pairs = st.lists(st.lists(floats, min_size=2, max_size=2), min_size=HORIZON, max_size=HORIZON)


@given(three, st.none() | pairs, st.sampled_from(Quality), st.text(), times)
def test_a_forecast_reads_back_as_it_was(
    values: list[float], rows: list[list[float]] | None, quality: Quality, text: str, time: int
) -> None:
    text = text.encode(errors="replace").decode()  # JSON is UTF-8
    one = issued(values if quality is not Quality.UNAVAILABLE else [], rows, quality, text, time)
    again = issued_from(one.as_json(), 1800)
    for field in fields(Issued):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(one, field.name))
    assert again.values.dtype == np.float32


def test_the_numbers_are_as_short_as_float32_allows() -> None:
    one = issued([0.1, 12.3, 1e-7], None, Quality.MODEL, "m", 0)
    said = json.loads(one.as_json())
    assert said["values"] == [0.1, 12.3, 1e-7]


def test_what_is_unavailable_has_no_numbers_and_says_why() -> None:
    said = json.loads(issued([], None, Quality.UNAVAILABLE, "why", 0).as_json())
    assert said["values"] == []
    assert said["model"] is None
    assert said["warnings"] == ["why"]
    assert said["quality"] == "unavailable"
    assert "quantiles" not in said


def test_every_payload_has_unit_and_times_in_iso_8601() -> None:
    said = json.loads(issued([1, 2, 3], None, Quality.MODEL, "m", 1_717_192_800).as_json())
    assert (said["unit"], said["origin"]) == ("MW", "2024-05-31T22:00:00Z")
    assert said["issued_at"] == "2024-05-31T22:01:00Z"
    assert said["step"] == "PT30M"
