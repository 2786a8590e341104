import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frugal_edge.errors import InputError
from frugal_edge.manifest import Manifest
from frugal_edge.manifest_reader import read_manifest
from frugal_edge.table import Table
from frugal_edge.window import Window, cut_window, end_of_observations
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

ORIGIN = 1_717_192_800
STEP, STEPS, HORIZON, LOOKBACK, MAX_GAP = 1800, 96, 48, 4, 3
ManifestOf = Callable[[Sequence[str]], dict[str, Any]]


def manifest_for(manifest_of: ManifestOf, *reads: str) -> Manifest:
    return read_manifest(json.dumps(manifest_of(reads)).encode())


def table(start: int, name: str = "history.csv", step: int = STEP, **columns: ArrayLike) -> Table:
    """Build a table of rows from `start` steps before or after the origin on."""
    arrays = {key: np.asarray(values, dtype=np.float64) for key, values in columns.items()}
    rows = len(next(iter(arrays.values())))
    return Table(Path(name), ORIGIN + start * STEP + step * np.arange(rows), arrays)


def cut(manifest: Manifest, history: Table, known: Table | None = None) -> Window:
    return cut_window(manifest, ORIGIN, history, known)


def close(got: ArrayLike | None, expected: ArrayLike) -> None:
    assert got is not None
    np.testing.assert_allclose(np.asarray(got, dtype=float), np.asarray(expected, dtype=float))


def test_the_steps_before_the_origin_are_cut_out(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history")
    window = cut(manifest, table(-200, value=np.arange(300)))
    np.testing.assert_array_equal(window.history, np.arange(104, 200))
    assert window.known is None
    assert window.past is None
    assert window.filled_steps == 0


def test_what_comes_at_and_after_the_origin_is_not_seen(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history", "past")
    values = np.random.default_rng(0).normal(size=(2, 150))
    clean = cut(manifest, table(-100, value=values[0], voltage=values[1]))
    values[:, 100:] = 1e9
    poisoned = cut(manifest, table(-100, value=values[0], voltage=values[1]))
    np.testing.assert_array_equal(clean.history, poisoned.history)
    np.testing.assert_array_equal(clean.past, poisoned.past)


def test_a_gap_within_the_policy_is_filled_linearly(manifest_of: ManifestOf) -> None:
    values = np.arange(100.0)
    values[50:53] = np.nan
    window = cut(manifest_for(manifest_of, "history"), table(-100, value=values))
    close(window.history, np.arange(4, 100))
    assert window.filled_steps == 3


def test_a_gap_that_begins_before_the_window_is_filled_from_there(manifest_of: ManifestOf) -> None:
    values = np.arange(100.0)
    values[3:6] = np.nan  # the window begins at 4
    window = cut(manifest_for(manifest_of, "history"), table(-100, value=values))
    close(window.history, np.arange(4, 100))
    assert window.filled_steps == 2


@given(holes=st.lists(st.integers(0, 99), max_size=30))
def test_gaps_are_filled_or_refused_as_a_plain_loop_would(
    manifest_of: ManifestOf, holes: list[int]
) -> None:
    manifest = manifest_for(manifest_of, "history")
    values = np.sin(np.arange(100.0))
    values[holes] = np.nan
    expected = fill_slowly(values.tolist())
    if expected is None:
        with pytest.raises(InputError, match=r"expected|gap of"):
            cut(manifest, table(-100, value=values))
    else:
        window = cut(manifest, table(-100, value=values))
        close(window.history, expected[-STEPS:])
        assert window.filled_steps == int(np.isnan(values[-STEPS:]).sum())


def fill_slowly(values: list[float]) -> list[float] | None:
    """Fill step by step; None where the policy says no."""
    filled = list(values)
    present = [index for index, value in enumerate(values) if not np.isnan(value)]
    if not present or present[0] > len(values) - STEPS or present[-1] < len(values) - 1:
        return None
    for left, right in pairwise(present):
        if right - left - 1 > MAX_GAP:
            return None
        for index in range(left + 1, right):
            share = (index - left) / (right - left)
            filled[index] = values[left] * (1 - share) + values[right] * share
    return filled


def test_a_long_gap_is_refused_with_start_and_length(manifest_of: ManifestOf) -> None:
    values = np.arange(100.0)
    values[50:54] = np.nan
    said = r"history.csv: feeder: gap of 4 steps from 2024-05-30T21:00:00Z; at most 3 may be filled"
    with pytest.raises(InputError, match=said):
        cut(manifest_for(manifest_of, "history"), table(-100, value=values))


def test_a_long_gap_across_the_start_of_the_window_is_told_as_such(manifest_of: ManifestOf) -> None:
    values = np.arange(200.0)
    values[80:110] = np.nan  # the window begins at 104
    with pytest.raises(InputError, match="gap of 30 steps from 2024-05-29T10:00:00Z"):
        cut(manifest_for(manifest_of, "history"), table(-200, value=values))


def test_gaps_before_the_window_do_not_matter(manifest_of: ManifestOf) -> None:
    values = np.arange(200.0)
    values[20:104] = np.nan  # the window begins at 104
    window = cut(manifest_for(manifest_of, "history"), table(-200, value=values))
    close(window.history, np.arange(104, 200))
    assert window.filled_steps == 0


def test_a_model_that_reads_past_covariates_alone_needs_no_values(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "past")
    window = cut(manifest, table(-100, value=[np.nan] * 100, voltage=np.arange(100)))
    close(window.past, np.arange(4.0, 100)[:, None])
    assert window.history is None


def test_a_short_history_says_what_is_needed_and_given(manifest_of: ManifestOf) -> None:
    said = "expected 96 steps of 1800 s before .*, that is from 2024-05-29T22:00:00Z, got 95"
    with pytest.raises(InputError, match=said):
        cut(manifest_for(manifest_of, "history"), table(-95, value=np.ones(95)))


def test_a_history_that_ends_early_is_refused(manifest_of: ManifestOf) -> None:
    said = "expected values up to 2024-05-31T21:30:00Z .*, got the last at 2024-05-31T21:00:00Z"
    with pytest.raises(InputError, match=said):
        cut(manifest_for(manifest_of, "history"), table(-100, value=np.ones(99)))


def test_a_history_after_the_origin_gives_no_steps(manifest_of: ManifestOf) -> None:
    with pytest.raises(InputError, match=r"expected 96 steps .* got 0"):
        cut(manifest_for(manifest_of, "history"), table(0, value=np.ones(99)))


def test_a_coarser_step_is_refused_and_not_filled(manifest_of: ManifestOf) -> None:
    hourly = table(-99, step=2 * STEP, value=np.ones(50))  # up to the last step before the origin
    with pytest.raises(InputError, match="expected steps of 1800 s, got 3600 s at the least"):
        cut(manifest_for(manifest_of, "history"), hourly)


def test_rows_between_the_steps_of_the_origin_are_refused(manifest_of: ManifestOf) -> None:
    shifted = table(-100, value=np.ones(100))
    shifted = Table(shifted.path, shifted.times + 900, shifted.columns)
    with pytest.raises(InputError, match="expected rows at whole steps of 1800 s from the origin"):
        cut(manifest_for(manifest_of, "history"), shifted)


def test_past_covariates_follow_the_same_policy(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history", "past")
    voltage = np.arange(100.0)
    voltage[60:62] = np.nan
    window = cut(manifest, table(-100, value=np.ones(100), voltage=voltage))
    close(window.past, np.arange(4.0, 100)[:, None])
    assert window.filled_steps == 2
    voltage[60:64] = np.nan
    with pytest.raises(InputError, match="voltage: gap of 4 steps"):
        cut(manifest, table(-100, value=np.ones(100), voltage=voltage))


def weather(start: int, rows: int, name: str = "known.csv", shift: float = 0.0) -> Table:
    lead = np.arange(start, start + rows) + shift
    return table(start, name, temperature=lead, wind=-lead)


def lookback_to_horizon() -> np.ndarray[Any, np.dtype[np.float64]]:
    lead = np.arange(-LOOKBACK, HORIZON)
    return np.stack([lead, -lead], axis=1).astype(np.float64)


def with_weather(rows_after: int) -> Table:
    """Give a history with weather for the past and `rows_after` steps, its values missing there."""
    lead = np.arange(-100.0, rows_after)
    return table(-100, value=np.where(lead < 0, 1.0, np.nan), temperature=lead, wind=-lead)


def test_known_covariates_come_from_their_own_file(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history", "known")
    window = cut(manifest, table(-100, value=np.ones(100)), weather(-LOOKBACK - 3, 99))
    np.testing.assert_array_equal(window.known, lookback_to_horizon())


def test_the_history_may_hold_the_known_covariates_of_the_past(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history", "known")
    window = cut(manifest, with_weather(0), weather(0, HORIZON))
    np.testing.assert_array_equal(window.known, lookback_to_horizon())


def test_the_history_may_hold_all_known_covariates(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history", "known")
    history = with_weather(HORIZON)
    assert end_of_observations(manifest, history) == ORIGIN
    window = cut(manifest, history)
    np.testing.assert_array_equal(window.known, lookback_to_horizon())


def test_where_both_hold_a_covariate_the_known_file_is_taken(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history", "known")
    window = cut(manifest, with_weather(HORIZON), weather(-2, HORIZON + 2, shift=0.5))
    assert window.known is not None
    np.testing.assert_array_equal(window.known[:4, 0], [-4, -3, -1.5, -0.5])


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (None, "history.csv: known covariate temperature is missing at 2024-05-31T20:00:00Z"),
        (
            weather(-3, 60),
            "history.csv and known.csv: .*temperature is missing at 2024-05-31T20:00",
        ),
        (weather(-4, 51), "temperature is missing at 2024-06-01T21:30:00Z; the origin .* needs it"),
        (
            table(-4, "known.csv", temperature=np.ones(52)),
            "wind is missing at 2024-05-31T20:00:00Z",
        ),
    ],
)
def test_a_known_covariate_that_is_missing_is_named_with_its_time(
    manifest_of: ManifestOf, known: Table | None, said: str
) -> None:
    manifest = manifest_for(manifest_of, "history", "known")
    with pytest.raises(InputError, match=said):
        cut(manifest, table(-100, value=np.ones(100)), known)


def test_a_hole_in_a_known_covariate_is_not_filled(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history", "known")
    known = weather(-LOOKBACK, LOOKBACK + HORIZON)
    known.columns["wind"][10] = np.nan
    with pytest.raises(InputError, match="wind is missing at 2024-06-01T01:00:00Z"):
        cut(manifest, table(-100, value=np.ones(100)), known)


def test_a_model_that_reads_no_history_needs_none(manifest_of: ManifestOf) -> None:
    window = cut(manifest_for(manifest_of, "origin"), table(-1, value=[1.0]))
    assert window == Window(None, None, None, 0)


def test_the_end_of_the_observations_heeds_values_alone(manifest_of: ManifestOf) -> None:
    manifest = manifest_for(manifest_of, "history")
    assert end_of_observations(manifest, table(-3, value=[1, 2, np.nan])) == ORIGIN - STEP
    with pytest.raises(InputError, match=r"history.csv: no value of 'feeder', all are missing"):
        end_of_observations(manifest, table(-3, value=[np.nan] * 3))


def previous(manifest_of: ManifestOf) -> Manifest:
    content = manifest_of(["history"])
    content["gap_policy"]["fill"] = "previous"
    return read_manifest(json.dumps(content).encode())


def test_gaps_are_filled_with_the_previous_value_when_the_policy_says_so(
    manifest_of: ManifestOf,
) -> None:
    values = np.arange(100.0)
    values[50:53] = np.nan
    values[98:] = np.nan  # the meter is late
    window = cut(previous(manifest_of), table(-100, value=values))
    expected = np.arange(4.0, 100.0)
    expected[46:49], expected[94:] = 49.0, 97.0
    close(window.history, expected)
    assert window.filled_steps == 5


def test_a_meter_that_is_later_than_the_policy_allows_is_refused(manifest_of: ManifestOf) -> None:
    values = np.arange(100.0)
    values[100 - MAX_GAP - 1 :] = np.nan
    with pytest.raises(InputError, match="expected values up to"):
        cut(previous(manifest_of), table(-100, value=values))
