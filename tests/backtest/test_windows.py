import numpy as np
import pytest

from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import Panel
from frugal_ai.errors import DataError
from frugal_ai.features.blocks.base import Reach

STEP, T, HORIZON = 3600, 100, 4


def series() -> Series:
    values = np.arange(T, dtype=float)
    known = np.stack([1000 + values, 2000 + values], axis=1)
    panel = Panel(
        series_ids=("feeder",),
        start=0,
        step_s=STEP,
        values=values[None].copy(),
        known_names=("sun", "wind"),
        known=known[None],
        past_names=("flow",),
        past=3000 + values[None, :, None],
        static_names=(),
        static=np.zeros((1, 0)),
        simulated=False,
    )
    return Series(panel, 0, values.copy(), HORIZON)


def test_windows_hold_what_comes_before_and_targets_what_comes_after() -> None:
    origins = np.array([10, 50]) * STEP
    reach = Reach(history=3, lookback=2, known=frozenset({"wind"}), past=frozenset({"flow"}))
    cut = series().windows(origins, reach)
    np.testing.assert_array_equal(cut.history, [[7, 8, 9], [47, 48, 49]])
    np.testing.assert_array_equal(cut.known[1, :, 0], 2000 + np.arange(48, 54))
    np.testing.assert_array_equal(cut.past[0, :, 0], [3007, 3008, 3009])
    np.testing.assert_array_equal(series().targets(origins)[0], [10, 11, 12, 13])


def test_history_is_the_filled_copy_and_targets_are_as_observed() -> None:
    one = series()
    values = one.panel.values.copy()
    values[0, 9:12] = np.nan
    holed = Series(Panel(**{**one.panel.__dict__, "values": values}), 0, np.full(T, 5.0), HORIZON)
    assert holed.windows(np.array([10 * STEP]), Reach(2)).history.tolist() == [[5, 5]]
    np.testing.assert_array_equal(holed.targets(np.array([10 * STEP])), [[np.nan, np.nan, 12, 13]])


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        (10 * STEP + 60, r"on the grid of 3600 s, got 1970-01-01T10:01:00Z"),
        (97 * STEP, r"inside the data .* got 1970-01-05T01:00:00Z"),
        (-STEP, r"inside the data .* got 1969-12-31T23:00:00Z"),
        (STEP, r"3 steps of history before 1970-01-01T01:00:00Z, got 1"),
    ],
)
def test_an_origin_without_data_is_refused(origin: int, said: str) -> None:
    with pytest.raises(DataError, match=said):
        series().windows(np.array([origin]), Reach(3))


def test_a_known_covariate_that_is_missing_at_a_target_is_named() -> None:
    one = series()
    known = one.panel.known.copy()
    known[0, 13, 1] = np.nan
    holed = Series(Panel(**{**one.panel.__dict__, "known": known}), 0, one.filled, HORIZON)
    reach = Reach(1, known=frozenset({"sun", "wind"}))
    with pytest.raises(DataError, match="feeder: expected wind at 1970-01-01T13:00:00Z"):
        holed.windows(np.array([10 * STEP]), reach)
    holed.windows(np.array([10 * STEP]), Reach(1, known=frozenset({"sun"})))  # reads it not


def test_a_gap_left_in_the_history_is_named() -> None:
    one = series()
    filled = one.filled.copy()
    filled[8] = np.nan
    with pytest.raises(DataError, match="expected value at 1970-01-01T08:00:00Z"):
        Series(one.panel, 0, filled, HORIZON).windows(np.array([10 * STEP]), Reach(3))
