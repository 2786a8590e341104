import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from frugal_ai.cli import commands
from frugal_ai.cost.intensity.forecast import Forecast
from frugal_ai.cost.intensity.point import Base, Point
from frugal_ai.errors import CostError, FetchError, FrugalError
from frugal_ai.waiting import SystemClock, Wait, due, wait
from frugal_ai.when import Choice, greenest

NOW = datetime(2023, 3, 20, 6, 20, tzinfo=UTC)
BASE = Base("direct", "average", "production")
HOUR = timedelta(hours=1)
DEADLINE = NOW + 8 * HOUR
TWO_HOURS = Wait(DEADLINE, 2 * HOUR, HOUR)


class Watch:
    """A clock on which a pause takes no time."""

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += timedelta(seconds=min(seconds, 60))


Forecasts = dict[int, Sequence[float] | FrugalError]
"""What is expected of the hours after the first question, by the hour in which it is asked."""


def asking(forecasts: Forecasts) -> tuple[Callable[[datetime], Choice], list[datetime]]:
    """Answer with the newest forecast there is."""
    asked: list[datetime] = []

    def ask(now: datetime) -> Choice:
        asked.append(now)
        answer = forecasts[max(hour for hour in forecasts if NOW + hour * HOUR <= now)]
        if isinstance(answer, FrugalError):
            raise answer
        points = [
            Point(NOW + i * HOUR, 3600, value, BASE, estimated=True, source="s")
            for i, value in enumerate(answer)
        ]
        return greenest(points, now, DEADLINE, 2 * HOUR)

    return ask, asked


def waited(forecasts: Forecasts, asked: Wait = TWO_HOURS) -> tuple[datetime, list[str]]:
    """Wait, and return when the work starts and what was told."""
    ask, _ = asking(forecasts)
    watch, told = Watch(), list[str]()
    wait(asked, ask, watch, told.append)
    return watch.now(), told


FALLING = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 3.0]


def test_the_work_starts_when_nothing_left_is_greener() -> None:
    start, told = waited({0: [9, 9, 9, 2, 2, 9, 9, 9]})
    assert start == NOW + 3 * HOUR
    assert [line.split()[1] for line in told] == ["wait:", "wait:", "wait:", "start:"]
    assert told[0].endswith("2 gCO2e/kWh are expected at 2023-03-20T09:20:00Z, 9 now")


def test_what_arrives_changes_the_plan() -> None:
    start, _ = waited({0: [9, 9, 9, 2, 2, 9, 9, 9], 2: [9, 9, 9, 8, 8, 9, 1, 1]})
    assert start == NOW + 6 * HOUR
    sooner, _ = waited({0: FALLING, 2: [9, 9, 1, 1, 9, 9, 9, 9]})
    assert sooner == NOW + 2 * HOUR


def test_the_greenest_now_starts_now() -> None:
    start, told = waited({0: [1, 1, 9, 9, 9, 9, 9, 9]})
    assert start == NOW
    assert told == [
        "2023-03-20T06:20:00Z start: 1 gCO2e/kWh, nothing that is left is expected below it"
    ]


def test_it_starts_for_the_deadline_at_the_latest() -> None:
    later = {hour: [9.0] * hour + [9.0, 9.0] + [1.0] * (6 - hour) for hour in range(6)}
    start, told = waited({**later, 6: FALLING})
    assert start == NOW + 6 * HOUR
    assert "the deadline leaves no time to wait" in told[-1]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.lists(st.integers(1, 9).map(float), min_size=8, max_size=8), min_size=7, max_size=7)
)
def test_every_wait_starts_between_now_and_the_latest(hours: list[list[float]]) -> None:
    start, told = waited(dict(enumerate(hours)))
    assert NOW <= start <= TWO_HOURS.latest
    assert "start" in told[-1]
    assert not any("start:" in line for line in told[:-1])


def test_a_source_that_fails_later_leaves_the_plan_as_it_was() -> None:
    gone = FetchError("https://example.org: does not answer")
    start, told = waited({0: [9, 9, 9, 2, 2, 9, 9, 9], 1: gone})
    assert start == NOW + 3 * HOUR
    assert "wait until 2023-03-20T09:20:00Z as planned; not asked again: https://" in told[1]
    assert "start as planned; not asked again: https://" in told[-1]


def test_a_source_that_comes_back_is_believed() -> None:
    back: Forecasts = {
        0: [9, 9, 9, 2, 2, 9, 9, 9],
        1: CostError("grid.csv: ends too soon"),
        2: [9, 9, 9, 9, 9, 2, 2, 9],
    }
    assert waited(back)[0] == NOW + 5 * HOUR


def test_a_source_that_fails_at_once_is_an_error() -> None:
    with pytest.raises(FetchError, match="does not answer"):
        waited({0: FetchError("https://example.org: does not answer")})


def test_a_plan_within_the_hour_is_asked_about_in_time() -> None:
    ask, asked = asking({0: [9, 9, 1, 1, 9, 9, 9, 9]})
    watch = Watch(NOW + timedelta(minutes=90))
    wait(TWO_HOURS, ask, watch, lambda _line: None)
    assert asked == [NOW + timedelta(minutes=90), NOW + 2 * HOUR]


def test_questions_come_no_more_often_than_once_a_minute() -> None:
    with pytest.raises(CostError, match="--every: expected 1min or more, got 0:00:30"):
        Wait(DEADLINE, HOUR, timedelta(seconds=30))


def test_a_machine_that_slept_past_the_deadline_says_so() -> None:
    class Suspended(Watch):
        def sleep(self, seconds: float) -> None:
            self.time += timedelta(hours=20)

    ask, _ = asking({0: FALLING})
    told = list[str]()
    wait(TWO_HOURS, ask, Suspended(), told.append)
    assert "start: 14:00:00 late, the deadline will be missed" in told[-1]


def test_a_clock_that_is_set_back_goes_on() -> None:
    wall, steady, told = [1000.0], [50.0], list[str]()
    clock = SystemClock(told.append, lambda: wall[0], lambda: steady[0], lambda _s: None)
    assert clock.now().timestamp() == 1000
    wall[0], steady[0] = 1000 - 86400, 650.0
    assert clock.now().timestamp() == 1600
    assert clock.now().timestamp() == 1600
    assert told == ["clock: set back by 87000 s; time is counted on without it"]


def test_a_machine_that_was_suspended_knows_the_time() -> None:
    wall, steady = [1000.0], [50.0]
    clock = SystemClock(pytest.fail, lambda: wall[0], lambda: steady[0], lambda _s: None)
    wall[0], steady[0] = 9000.0, 60.0
    assert clock.now().timestamp() == 9000


def test_a_pause_is_a_minute_at_most() -> None:
    paused = list[float]()
    clock = SystemClock(pytest.fail, pause=paused.append)
    for seconds in (30.0, 7200.0, -1.0):
        clock.sleep(seconds)
    assert paused == [30, 60, 0]


def test_the_rule_is_the_same_for_arrays() -> None:
    now, least = np.array([1.0, 2.0, 2.0]), np.array([1.0, 1.0, 2.0])
    assert due(now, least).tolist() == [due(*pair) for pair in zip(now, least, strict=True)]


def called(*arguments: object) -> Any:
    return CliRunner().invoke(commands, ["when", *map(str, arguments)])


CONSTANT = ("--deadline", "3h", "--duration", "1h", "--intensity", "constant:FRA")


def test_the_command_starts_what_it_is_given(intensity_run: Any) -> None:
    said = [sys.executable, "-c", "import sys; print('works'); sys.exit(7)"]
    given_ = ["when", str(intensity_run.pipeline), *CONSTANT, "--wait", "--", *said]
    found = subprocess.run(
        [sys.executable, "-m", "frugal_ai.cli", *given_],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (7, "works\n")
    assert "start: 56 gCO2e/kWh, nothing that is left is expected below it" in found.stderr


def test_without_a_command_it_ends_when_the_time_has_come(intensity_run: Any) -> None:
    found = called(intensity_run.pipeline, *CONSTANT, "--wait")
    assert (found.exit_code, found.stdout) == (0, "")
    assert "start: 56 gCO2e/kWh" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--", "true"], "expected --wait beside the command 'true', got it alone"),
        (["--every", "2h"], "expected --wait beside --every, got it alone"),
        (["--wait", "--json"], "expected --wait without --json, got both"),
        (["--wait", "--now", "2023-03-25T06:00Z"], "expected --wait without --now, got both"),
        (["--wait", "--", "no-such-thing"], "can be started, got 'no-such-thing'"),
    ],
)
def test_what_does_not_go_together(arguments: list[str], message: str, intensity_run: Any) -> None:
    found = called(intensity_run.pipeline, *CONSTANT, *arguments)
    assert found.exit_code == 2
    assert message in found.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--wait", "--every", "10s"], "--every: expected 1min or more"),
        (["--wait", "--every", "soon"], "--every: expected a duration"),
        (["--wait", "--duration", "4h"], "--deadline: expected 4:00:00"),
    ],
)
def test_bad_times(arguments: list[str], message: str, intensity_run: Any) -> None:
    found = called(intensity_run.pipeline, *CONSTANT, *arguments)
    assert isinstance(found.exception, CostError)
    assert message in str(found.exception)


def test_a_bundle_is_asked_again(intensity_run: Any) -> None:
    watch, told = Watch(datetime(2023, 3, 25, 0, 30, tzinfo=UTC)), list[str]()
    answered = called(
        intensity_run.pipeline, "--deadline", "2023-03-26T00:30Z", "--duration", "2h", "--json",
        "--bundle", intensity_run.bundle, "--history", intensity_run.history,
        "--now", "2023-03-25T00:30Z",
    )  # fmt: skip
    planned = datetime.fromisoformat(json.loads(answered.stdout)["start"])
    provider = Forecast(intensity_run.bundle, intensity_run.history, clock_checked=False)
    deadline = watch.now() + 24 * HOUR

    def ask(now: datetime) -> Choice:
        return greenest(provider.points(now, deadline), now, deadline, 2 * HOUR)

    wait(Wait(deadline, 2 * HOUR, HOUR), ask, watch, told.append)
    assert len(told) > 3
    assert abs(watch.now() - planned) <= 3 * HOUR
