import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from frugal_ai.data.panel import Panel, format_time
from frugal_ai.errors import DataError

START = 1_704_067_200  # 2024-01-01


def panel() -> Panel:
    return Panel(
        series_ids=("a", "b"),
        start=START,
        step_s=1800,
        values=np.array([[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]]),
        known_names=("temperature",),
        known=np.arange(6.0).reshape(2, 3, 1),
        past_names=(),
        past=np.empty((2, 3, 0)),
        static_names=("capacity",),
        static=np.array([[3.0], [4.0]]),
        simulated=False,
    )


def test_the_grid_of_a_panel() -> None:
    p = panel()
    assert p.length == 3
    assert p.end == START + 3 * 1800
    assert p.times.dtype == np.int64
    assert p.times.tolist() == [START, START + 1800, START + 3600]
    assert [p.index(t) for t in p.times.tolist()] == [0, 1, 2]


@pytest.mark.parametrize("t", [START - 1800, START + 900, START + 3 * 1800])
def test_a_time_off_the_grid_is_refused(t: int) -> None:
    with pytest.raises(DataError, match=f"2024-01-01T00:00:00Z to .* got {format_time(t)}"):
        panel().index(t)


def test_a_panel_is_frozen_down_to_its_arrays() -> None:
    p = panel()
    with pytest.raises(FrozenInstanceError):
        p.start = 0  # type: ignore[misc] # the point of the test
    with pytest.raises(ValueError, match="read-only"):
        p.values[0, 0] = 9.0


def test_the_arrays_of_the_caller_stay_writable() -> None:
    values = np.ones((2, 3))
    replace(panel(), values=values)
    values[0, 0] = 2.0


@pytest.mark.parametrize(
    ("field", "array"),
    [
        ("values", np.ones((3, 3))),
        ("values", np.ones(3)),
        ("values", np.ones((2, 3), dtype=np.float32)),
        ("known", np.ones((2, 3, 2))),
        ("known", np.ones((2, 4, 1))),
        ("past", np.ones((2, 3, 1))),
        ("static", np.ones((2, 0))),
    ],
)
def test_shapes_that_disagree_are_refused(field: str, array: Any) -> None:
    changed: dict[str, Any] = {field: array}
    with pytest.raises(DataError, match=f"expected {field} as float64|expected known"):
        replace(panel(), **changed)


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(DataError, match="distinct series, got a, a"):
        replace(panel(), series_ids=("a", "a"))


def test_a_step_of_zero_is_refused() -> None:
    with pytest.raises(DataError, match="positive step"):
        replace(panel(), step_s=0)


def test_the_digest_is_the_same_in_another_process() -> None:
    code = (
        "import numpy as np; from frugal_ai.data.panel import Panel;"
        "print(Panel(('a',), 0, 60, np.arange(3.0)[None], (), np.empty((1, 3, 0)), (),"
        " np.empty((1, 3, 0)), (), np.empty((1, 0)), False).digest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_the_digest_sees_every_part() -> None:
    p = panel()
    others = [
        replace(p, start=START + 1800),
        replace(p, step_s=3600),
        replace(p, series_ids=("a", "c")),
        replace(p, values=p.values + 1.0),
        replace(p, values=np.nan_to_num(p.values)),
        replace(p, known=p.known + 1.0),
        replace(p, known_names=("wind",)),
        replace(p, static=p.static + 1.0),
        replace(p, simulated=True),
        replace(p, known_names=(), known=np.empty((2, 3, 0)), past_names=p.known_names,
                past=p.known),
    ]  # fmt: skip
    digests = {p.digest(), *(other.digest() for other in others)}
    assert len(digests) == len(others) + 1


def test_the_digest_sees_numbers_not_bits() -> None:
    p = panel()
    odd_nan = np.array([[1.0, 2.0, -np.nan], [4.0, 5.0, 6.0]])
    assert replace(p, values=odd_nan).digest() == p.digest()
    zero = replace(p, static=np.zeros((2, 1)))
    assert replace(p, static=-np.zeros((2, 1))).digest() == zero.digest()
    assert replace(p, values=np.asfortranarray(p.values)).digest() == p.digest()


def test_instants_are_written_in_utc() -> None:
    assert format_time(START + 90) == "2024-01-01T00:01:30Z"
