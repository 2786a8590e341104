"""Vintages held against a loop that looks at one origin and one instant at a time."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.data.covariates import Track
from frugal_ai.data.panel import IntArray, Panel
from frugal_ai.data.vintages import Interpolate, VintageIndex, Vintages, as_known, shared
from frugal_ai.errors import DataError

NAN = np.nan
H = 3600
Row = tuple[int, int, float]  # for which instant, available at, value


def vintages(rows: list[Row], how: Interpolate = "linear", reach_s: int = H) -> Vintages:
    times, available_at, values = (np.array(column) for column in zip(*sorted(rows), strict=True))
    return Vintages(VintageIndex.of(times, available_at), values.astype(float), how, reach_s)


def plainly(rows: list[Row], origin: int, wanted: int, how: Interpolate, reach_s: int) -> float:
    """What an origin may know of an instant, by looking at every row."""
    newest: dict[int, tuple[int, float]] = {}
    for t, available_at, value in rows:
        if available_at <= origin and (t not in newest or newest[t][0] < available_at):
            newest[t] = (available_at, value)
    before = [t for t in newest if t <= wanted]
    after = [t for t in newest if t >= wanted]
    if not before or not after:
        return NAN
    left, right = max(before), min(after)
    if right - left > (0 if how == "none" else reach_s):
        return NAN
    first, last = newest[left][1], newest[right][1]
    if how != "linear" or left == right:
        return first
    return first + (last - first) * (wanted - left) / (right - left)


@dataclass(frozen=True)
class Question:
    rows: list[Row]
    origins: IntArray
    wanted: IntArray  # [O, T]
    how: Interpolate
    reach_s: int


@st.composite
def questions(draw: st.DrawFn) -> Question:
    keys = st.tuples(st.integers(0, 12), st.integers(-15, 15))
    found = draw(st.lists(keys, min_size=1, max_size=40, unique=True))
    values = draw(st.lists(st.floats(-1e3, 1e3), min_size=len(found), max_size=len(found)))
    rows = [(4 * t, 4 * at, v) for (t, at), v in zip(found, values, strict=True)]
    origins = np.array(draw(st.lists(st.integers(-70, 70), min_size=1, max_size=5)))
    step, steps = draw(st.integers(1, 9)), draw(st.integers(1, 12))
    starts = origins - draw(st.integers(0, 20))
    return Question(
        rows,
        origins,
        starts[:, None] + step * np.arange(steps),
        draw(st.sampled_from(("linear", "previous", "none"))),
        draw(st.integers(0, 20)),
    )


@given(questions())
def test_the_look_up_finds_what_a_plain_loop_finds(asked: Question) -> None:
    one = vintages(asked.rows, asked.how, asked.reach_s)
    found = as_known([one], asked.origins, asked.wanted)[:, :, 0]
    expected = [
        [plainly(asked.rows, int(o), int(t), asked.how, asked.reach_s) for t in row]
        for o, row in zip(asked.origins, asked.wanted, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)


@given(questions(), st.floats(-1e9, 1e9))
def test_what_became_known_after_an_origin_changes_nothing(asked: Question, poison: float) -> None:
    for origin, wanted in zip(asked.origins, asked.wanted, strict=True):
        given_rows = [(t, at, value if at <= origin else poison) for t, at, value in asked.rows]
        there = [row for row in asked.rows if row[1] <= origin]
        clean, spoiled, cut = (
            as_known([vintages(rows, asked.how, asked.reach_s)], np.array([origin]), wanted[None])
            for rows in (asked.rows, given_rows, there or [(0, int(origin) + 1, 0.0)])
        )
        np.testing.assert_array_equal(spoiled, clean)
        np.testing.assert_array_equal(cut, clean)


@given(questions())
def test_one_vintage_of_old_is_a_covariate_without_vintages(asked: Question) -> None:
    first = {t: (t, -1000, value) for t, _, value in asked.rows}
    rows = sorted(first.values())
    one = vintages(rows, asked.how, asked.reach_s)
    track = Track(one.index.instants, one.values[None], native_s=asked.reach_s)
    found = as_known([one], asked.origins, asked.wanted)[:, :, 0]
    for got, wanted in zip(found, asked.wanted, strict=True):
        np.testing.assert_array_equal(got, track.at(wanted, asked.how, 0)[0])


@given(questions())
def test_covariates_of_one_index_are_read_together_as_one_by_one(asked: Question) -> None:
    one = vintages(asked.rows, asked.how, asked.reach_s)
    other = replace(one, values=one.values[::-1].copy())
    both = as_known([one, other], asked.origins, asked.wanted)
    for c, single in enumerate((one, other)):
        alone = as_known([single], asked.origins, asked.wanted)
        np.testing.assert_array_equal(both[:, :, c], alone[:, :, 0])


def test_many_origins_are_taken_in_parts() -> None:
    rows = [(t, t - k * 5, float(10 * t + k)) for t in range(0, 4000, 4) for k in range(3)]
    one = vintages(rows, reach_s=4)
    origins = np.arange(100, 3900, 5)
    wanted = origins[:, None] + np.arange(-8, 8)
    found = as_known([one], origins, wanted)
    for at in (0, 255, 256, 511, 512, len(origins) - 1):
        alone = as_known([one], origins[at : at + 1], wanted[at : at + 1])
        np.testing.assert_array_equal(found[at], alone[0])


TWO_RUNS = [(0, -H, 1.0), (H, -H, 2.0), (2 * H, -H, 3.0), (H, 0, 12.0), (2 * H, 0, 13.0)]


def test_an_origin_sees_the_newest_vintage_that_is_there() -> None:
    one = vintages(TWO_RUNS)
    wanted = np.array([[0, H // 2, H, 3 * H // 2, 2 * H, 3 * H]])
    for origin, expected in (
        (-H - 1, [NAN] * 6),
        (-H, [1.0, 1.5, 2.0, 2.5, 3.0, NAN]),
        (-1, [1.0, 1.5, 2.0, 2.5, 3.0, NAN]),
        (0, [1.0, 6.5, 12.0, 12.5, 13.0, NAN]),  # the first hour has no newer vintage
    ):
        found = as_known([one], np.array([origin]), wanted)[0, :, 0]
        np.testing.assert_array_equal(found, expected)


def test_what_is_said_of_vintages() -> None:
    one = vintages(TWO_RUNS)
    assert one.end() == 2 * H
    assert [one.reaches(t) for t in (-H - 1, -H, 10 * H)] == [None, 2 * H, 2 * H]
    assert [one.appears(t) for t in (0, H, 2 * H, 2 * H + 1)] == [-H, -H, -H, None]
    late = vintages([(0, 0, 1.0), (H, 5, 2.0)])
    assert (late.reaches(0), late.appears(H)) == (0, 5)
    np.testing.assert_array_equal(one.earliest(np.array([0, H, 2 * H])), [1.0, 2.0, 3.0])


def test_a_part_holds_what_is_read_in_it() -> None:
    rows = [(t * H, at, float(t)) for t in range(10) for at in (0, 1)]
    one = vintages(rows, reach_s=H)
    part = one.within(3 * H, 5 * H)
    assert part.index.instants.tolist() == [2 * H, 3 * H, 4 * H, 5 * H, 6 * H]
    wanted = np.arange(3 * H, 5 * H, 600)[None]
    for origin in (-1, 0, 1):
        given_origin = np.array([origin])
        np.testing.assert_array_equal(
            as_known([part], given_origin, wanted), as_known([one], given_origin, wanted)
        )
    nothing = one.within(20 * H, 30 * H)
    assert (len(nothing.index), nothing.end()) == (0, None)
    assert np.isnan(as_known([nothing], np.array([5]), wanted)).all()


def test_rows_that_are_alike_are_kept_once() -> None:
    one, twin, other = vintages(TWO_RUNS), vintages(TWO_RUNS), vintages(TWO_RUNS[:4])
    found = shared([one, other, twin])
    assert found[0].index is found[2].index
    assert found[0].index is not found[1].index
    assert found[1] == other


def test_nothing_asked_nothing_found() -> None:
    one = vintages(TWO_RUNS)
    none = np.empty(0, dtype=np.int64)
    assert as_known([one], none, np.empty((0, 4), dtype=np.int64)).shape == (0, 4, 1)
    far = np.array([[10**9, 10**9 + 1]])
    assert np.isnan(as_known([one], np.array([10**9]), far)).all()


def panel(**changes: Any) -> Panel:
    given_panel: dict[str, Any] = {
        "series_ids": ("a", "b"), "start": 0, "step_s": H, "values": np.ones((2, 3)),
        "known_names": ("temp", "size"), "known": np.zeros((2, 3, 2)), "past_names": (),
        "past": np.empty((2, 3, 0)), "static_names": (), "static": np.empty((2, 0)),
        "simulated": False, "vintages": {"temp": (vintages(TWO_RUNS),)},
    }  # fmt: skip
    return Panel(**(given_panel | changes))


def test_vintages_are_of_a_known_covariate_and_for_all_series_or_each() -> None:
    one, other = vintages(TWO_RUNS), vintages(TWO_RUNS[:4])
    both = panel(vintages={"temp": (one, other)})
    assert [both.vintages_of("temp", i) for i in (0, 1)] == [one, other]
    assert [panel().vintages_of("temp", i) is not None for i in (0, 1)] == [True, True]
    assert both.vintages_of("size", 0) is None
    for wrong in ({"wind": (one,)}, {"temp": (one, one, one)}, {"temp": ()}):
        with pytest.raises(DataError, match="vintages of a known covariate for all 2 series or"):
            panel(vintages=wrong)


def test_the_digest_covers_vintages() -> None:
    one = vintages(TWO_RUNS)
    plain = panel(vintages={}).digest()
    changed = [
        panel(vintages={"size": (one,)}),
        panel(vintages={"temp": (one, one)}),
        panel(vintages={"temp": (replace(one, values=one.values + 1),)}),
        panel(vintages={"temp": (replace(one, how="previous"),)}),
        panel(vintages={"temp": (replace(one, reach_s=1),)}),
        panel(vintages={"temp": (vintages([(t, at + 1, v) for t, at, v in TWO_RUNS]),)}),
        panel(vintages={"temp": (vintages([(t + 1, at, v) for t, at, v in TWO_RUNS]),)}),
    ]
    digests = {plain, panel().digest(), *(each.digest() for each in changed)}
    assert len(digests) == 2 + len(changed)
    assert panel().digest() == panel().digest()
