"""Contenders are measured in turn, warm and cold."""

import sys
import time

import pytest

from benchmarks.edge.cold import cold_starts
from benchmarks.edge.timing import interleaved, looped
from benchmarks.peers.work import FailedError


def test_blocks_of_the_contenders_take_turns() -> None:
    calls: list[str] = []

    def contender(name: str, seconds: float) -> None:
        calls.append(name)
        time.sleep(seconds)

    fast, slow = interleaved(
        [lambda n: contender("fast", 0.002 * n), lambda n: contender("slow", 0.006 * n)],
        blocks=3,
        block_s=0.005,
    )
    assert calls[-6:] == 3 * ["fast", "slow"]
    assert fast.ratio == 1
    assert 2 < slow.ratio < 4
    assert 2000 <= fast.wall_us < slow.wall_us
    assert fast.cpu_us < fast.wall_us  # asleep


def test_cases_are_forecast_in_turn() -> None:
    seen: list[int] = []
    looped(seen.append, 3)(7)
    assert seen == [0, 1, 2, 0, 1, 2, 0]


def test_a_cold_start_ends_with_the_first_line() -> None:
    code = (
        "import json, sys, time; time.sleep(float(sys.argv[1]));"
        "print(json.dumps({'cpu_ms': 3.5, 'rss_mb': 12}), flush=True); time.sleep(0.3)"
    )
    commands = {name: (sys.executable, "-c", code, name) for name in ("0", "0.1")}
    found = cold_starts(commands, repeats=1)
    assert (found["0"].cpu_ms, found["0"].rss_mb) == (3.5, 12)
    assert 100 <= found["0.1"].wall_ms < 400


def test_a_process_that_fails_is_told() -> None:
    with pytest.raises(FailedError, match=r"the last line$"):
        cold_starts({"bad": (sys.executable, "-c", "raise SystemExit('the last line')")}, repeats=1)
