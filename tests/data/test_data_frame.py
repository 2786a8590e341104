from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.data.frame import Dialect, panel_from_frame
from frugal_ai.data.policy import QualityPolicy
from frugal_ai.data.source import Request
from frugal_ai.errors import DataError

START = datetime(2024, 1, 1, tzinfo=UTC)
T0 = int(START.timestamp())
NAN = np.nan


def rows(series: str, values: list[float], step_min: int = 60, **columns: Any) -> pl.DataFrame:
    times = [START + timedelta(minutes=step_min * i) for i in range(len(values))]
    return pl.DataFrame({"series_id": series, "timestamp": times, "value": values, **columns})


def request(told: list[str] | None = None, **changes: Any) -> Request:
    tell = (told if told is not None else []).append
    return replace(Request(series=(), step_s=3600, tell=tell), **changes)


def test_series_of_different_length_share_one_grid() -> None:
    frame = pl.concat([rows("b", [1.0, 2.0, 3.0]), rows("a", [4.0])])
    panel = panel_from_frame(frame, request())
    assert panel.series_ids == ("b", "a")
    assert panel.start == T0
    np.testing.assert_array_equal(panel.values, [[1.0, 2.0, 3.0], [4.0, NAN, NAN]])
    assert panel.known.shape == (2, 3, 0)
    assert not panel.simulated


def test_rows_that_are_absent_are_missing_values() -> None:
    frame = rows("a", [1.0, 2.0, 3.0, 4.0]).filter(pl.col("value") != 3.0)
    np.testing.assert_array_equal(panel_from_frame(frame, request()).values, [[1.0, 2.0, NAN, 4.0]])


def test_covariates_take_their_roles() -> None:
    frame = rows("a", [1.0, 2.0], temp=[5.0, 6.0], flow=[7.0, NAN], size=[9.0, None])
    panel = panel_from_frame(frame, request(known=("temp",), past=("flow",), static=("size",)))
    np.testing.assert_array_equal(panel.known[0, :, 0], [5.0, 6.0])
    np.testing.assert_array_equal(panel.past[0, :, 0], [7.0, NAN])
    np.testing.assert_array_equal(panel.static, [[9.0]])


def test_the_grid_goes_on_with_known_covariates() -> None:
    frame = rows("a", [1.0, NAN, NAN], temp=[5.0, 6.0, 7.0])
    panel = panel_from_frame(frame, request(known=("temp",)))
    np.testing.assert_array_equal(panel.values, [[1.0, NAN, NAN]])
    np.testing.assert_array_equal(panel.known[0, :, 0], [5.0, 6.0, 7.0])


def test_holes_of_known_covariates_are_interpolated_and_that_is_told() -> None:
    told: list[str] = []
    frame = rows("a", [1.0] * 6, temp=[NAN, 5.0, NAN, NAN, 8.0, NAN], other=[1.0, *[NAN] * 4, 6.0])
    policy = QualityPolicy(max_gap=timedelta(hours=3))
    panel = panel_from_frame(frame, request(told, known=("temp", "other"), policy=policy))
    np.testing.assert_allclose(panel.known[0, :, 0], [NAN, 5.0, 6.0, 7.0, 8.0, NAN])
    np.testing.assert_array_equal(panel.known[0, :, 1], [1.0, *[NAN] * 4, 6.0])
    assert told == ["frame: temp: 2 missing values interpolated"]


def test_holes_of_past_covariates_stay() -> None:
    panel = panel_from_frame(rows("a", [1.0] * 3, flow=[1.0, NAN, 3.0]), request(past=("flow",)))
    np.testing.assert_array_equal(panel.past[0, :, 0], [1.0, NAN, 3.0])


def test_a_static_covariate_that_changes_is_refused() -> None:
    frame = rows("a", [1.0, 2.0], size=[1.0, 2.0])
    with pytest.raises(DataError, match="static covariate size of a: expected one value, got 1"):
        panel_from_frame(frame, request(static=("size",)))
    with pytest.raises(DataError, match="static covariate size of a: expected one value, got none"):
        panel_from_frame(rows("a", [1.0, 2.0], size=[NAN, NAN]), request(static=("size",)))


def test_a_covariate_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="frame: expected a column 'temp', got series_id"):
        panel_from_frame(rows("a", [1.0]), request(known=("temp",)))


def test_a_series_without_a_value_is_refused() -> None:
    frame = pl.concat([rows("a", [1.0, 2.0]), rows("b", [NAN, NAN])])
    with pytest.raises(DataError, match="frame: b: expected values, all are missing"):
        panel_from_frame(frame, request())


def test_a_time_off_the_grid_is_refused() -> None:
    late = pl.col("timestamp").dt.offset_by("20m")
    frame = rows("a", [1.0, 2.0, 3.0, 4.0, 5.0]).with_columns(
        timestamp=pl.when(pl.col("value") == 3.0).then(late).otherwise(pl.col("timestamp"))
    )
    with pytest.raises(
        DataError,
        match="frame row 3: a: expected one row every 1h, got 2024-01-01T02:20:00Z; "
        "the most frequent step there is 1h",
    ):
        panel_from_frame(frame, request())


@pytest.mark.parametrize(("step_min", "found"), [(15, "15min"), (30, "30min"), (180, "3h")])
def test_another_step_is_refused_and_named(step_min: int, found: str) -> None:
    with pytest.raises(DataError, match=f"expected one row every 1h, .* step there is {found}"):
        panel_from_frame(rows("a", [1.0] * 24, step_min=step_min), request())


def test_hours_that_do_not_start_on_the_hour_are_a_grid() -> None:
    frame = rows("a", [1.0, 2.0]).with_columns(pl.col("timestamp").dt.offset_by("30m"))
    assert panel_from_frame(frame, request()).start == T0 + 1800


@pytest.mark.parametrize("changes", [{"since": T0 + 3600}, {"until": T0 + 3600}])
def test_what_lies_beyond_the_period_is_not_looked_at(changes: dict[str, Any]) -> None:
    good = rows("a", [1.0, 2.0]).filter(pl.col("value") == (2.0 if "since" in changes else 1.0))
    bad = rows("a", [1.0, 2.0]).filter(pl.col("value") == (1.0 if "since" in changes else 2.0))
    panel = panel_from_frame(pl.concat([good, bad, bad]), request(**changes))  # duplicates beyond
    assert panel.length == 1


def test_policies_reach_the_rows() -> None:
    told: list[str] = []
    frame = pl.concat([rows("a", [1.0, 2.0]), rows("a", [3.0, 4.0])])
    with pytest.raises(DataError, match="duplicates: refuse"):
        panel_from_frame(frame, request())
    policy = QualityPolicy(duplicates="mean")
    panel = panel_from_frame(frame, request(told, policy=policy))
    np.testing.assert_array_equal(panel.values, [[2.0, 3.0]])
    assert len(told) == 2  # sorted, merged


def test_local_times_of_a_frame() -> None:
    frame = rows("a", [1.0, 2.0]).with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    with pytest.raises(DataError, match="has no time zone"):
        panel_from_frame(frame, request())
    panel = panel_from_frame(frame, request(), Dialect(timezone="Asia/Kolkata"))
    assert panel.start == T0 - 19800


def test_a_pandas_frame_gives_the_same_panel() -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = rows("a", [1.0, 2.0], temp=[3.0, 4.0])
    same = pd.DataFrame(
        {
            "series_id": ["a", "a"],
            "timestamp": pd.date_range("2024-01-01", periods=2, freq="h", tz="UTC"),
            "value": [1.0, 2.0],
            "temp": [3.0, 4.0],
        }
    )
    wanted = request(known=("temp",))
    assert panel_from_frame(same, wanted).digest() == panel_from_frame(frame, wanted).digest()


@given(
    values=st.lists(st.one_of(st.just(NAN), st.floats(-1e6, 1e6)), min_size=2, max_size=30),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_does_not_matter(values: list[float], order: Any) -> None:
    values = [1.0, 2.0, *values]
    frame = rows("a", values)
    shuffled = list(range(len(values)))
    order.shuffle(shuffled)
    plain = panel_from_frame(frame, request())
    assert panel_from_frame(frame[shuffled], request()).digest() == plain.digest()
    np.testing.assert_array_equal(plain.values[0], values)


def test_the_listener_is_asked_for() -> None:
    tell: Callable[[str], None] = print
    assert Request(series=(), step_s=1, tell=tell).tell is tell
    with pytest.raises(TypeError, match="tell"):
        Request(series=(), step_s=1)  # type: ignore[call-arg] # the point of the test
