import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from frugal_ai.cli import commands
from frugal_ai.cost.intensity.point import Base, Point
from frugal_ai.errors import CostError
from frugal_ai.plan.plan import make_plan
from frugal_ai.when import advice, greenest

NOW = datetime(2023, 3, 20, 6, 20, tzinfo=UTC)
BASE = Base("direct", "average", "production")
HOUR = timedelta(hours=1)


def points(values: list[float], start: datetime = NOW, seconds: int = 3600) -> list[Point]:
    return [
        Point(start + timedelta(seconds=seconds * i), seconds, v, BASE, estimated=True, source="s")
        for i, v in enumerate(values)
    ]


def mean(values: list[float], start: int, minutes: int, step: int) -> float:
    return sum(values[(start + i) // step] for i in range(minutes)) / minutes


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.integers(0, 100).map(float), min_size=3, max_size=7),
    duration=st.integers(1, 35),
    late=st.integers(0, 9),
)
def test_no_minute_is_greener_than_the_window(
    values: list[float], duration: int, late: int
) -> None:
    step = 10  # [min]
    now = NOW + timedelta(minutes=late)
    end = step * len(values)
    if late + duration > end:
        return
    found = greenest(
        points(values, seconds=600), now, NOW + timedelta(minutes=end), timedelta(minutes=duration)
    )
    every = [mean(values, start, duration, step) for start in range(late, end - duration + 1)]
    assert found.best.g_per_kwh == pytest.approx(min(every), abs=1e-9)
    assert found.now.g_per_kwh == pytest.approx(every[0], abs=1e-9)
    assert found.best.start >= now
    assert found.best.end <= NOW + timedelta(minutes=end)


def test_of_equal_windows_the_earliest_is_taken() -> None:
    assert greenest(points([5.0] * 6), NOW, NOW + 6 * HOUR, HOUR).best.start == NOW


def test_a_search_ends_with_what_is_known_and_says_so() -> None:
    found = greenest(points([9.0, 5.0, 7.0]), NOW, NOW + 24 * HOUR, HOUR)
    assert found.searched_until == NOW + 3 * HOUR
    notes = advice(found, 1.0, NOW + 24 * HOUR).notes()
    assert any("nothing is known after 2023-03-20T09:20:00Z" in note for note in notes)


def test_a_gap_in_the_window_is_refused() -> None:
    some = points([9.0, 8.0, 7.0, 6.0])
    with pytest.raises(CostError, match="without a gap, got none from 2023-03-20T07:20:00Z"):
        greenest([some[0], *some[2:]], NOW, NOW + 4 * HOUR, HOUR)


def test_a_deadline_shorter_than_the_duration_is_refused() -> None:
    with pytest.raises(CostError, match="--deadline: expected 2:00:00"):
        greenest(points([9.0] * 4), NOW, NOW + HOUR, 2 * HOUR)


def test_values_that_begin_later_are_refused() -> None:
    with pytest.raises(CostError, match="expected a value at 2023-03-20T06:20:00Z, got the first"):
        greenest(points([9.0] * 4, NOW + HOUR), NOW, NOW + 3 * HOUR, HOUR)


def test_values_of_the_past_are_refused() -> None:
    with pytest.raises(CostError, match=r"expected a value at .*, got none"):
        greenest(points([9.0] * 4, NOW - 5 * HOUR), NOW, NOW + 3 * HOUR, HOUR)


def test_too_little_is_known() -> None:
    with pytest.raises(CostError, match="got them until"):
        greenest(points([9.0]), NOW, NOW + 9 * HOUR, 2 * HOUR)


def test_saving_by_hand() -> None:
    found = greenest(points([80.0, 60.0, 40.0, 90.0]), NOW, NOW + 4 * HOUR, 2 * HOUR)
    told = advice(found, 0.5, NOW + 4 * HOUR)
    assert (found.now.g_per_kwh, found.best.g_per_kwh) == (70, 50)
    assert told.saving_g == pytest.approx(10)
    assert found.saving == pytest.approx(20 / 70)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(commands, ["when", *map(str, arguments)])


def test_the_bundle_finds_the_greenest_hours(intensity_run: Any) -> None:
    found = run(
        intensity_run.pipeline, "--deadline", "24h", "--duration", "2h",
        "--bundle", intensity_run.bundle, "--history", intensity_run.history,
        "--now", "2023-03-25T00:30Z", "--json",
    )  # fmt: skip
    assert found.exit_code == 0, found.exception
    told = json.loads(found.output)
    start = datetime.fromisoformat(told["start"])
    assert datetime(2023, 3, 25, 12, tzinfo=UTC) <= start <= datetime(2023, 3, 25, 15, tzinfo=UTC)
    assert told["saving_g"] > 0
    assert told["greenest"]["low"] <= told["greenest"]["g_per_kwh"] <= told["greenest"]["high"]
    assert told["searched_until"] == "2023-03-26T00:30:00Z"
    assert (told["basis"], told["kind"], told["scope"]) == ("direct", "average", "production")
    assert any("not for totals" in note for note in told["notes"])


def test_in_words(intensity_run: Any) -> None:
    found = run(
        intensity_run.pipeline, "--deadline", "2023-03-25T20:00Z", "--duration", "1h",
        "--intensity", "constant:FRA", "--now", "2023-03-25T06:00Z",
    )  # fmt: skip
    assert found.exit_code == 0, found.exception
    assert "start now: nothing before the deadline is greener" in found.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--now": "2019-03-25T00:30Z"}, "for which the model"),
        ({"--now": "2023-04-20T00:00Z"}, "grid.csv"),
        ({"--deadline": "1h"}, "--deadline: expected 2:00:00"),
        ({"--deadline": "2023-01-01T00:00Z"}, "--deadline: expected a time after"),
        ({"--deadline": "soon"}, "--deadline: expected a time with an offset"),
        ({"--duration": "2 hours"}, "--duration: expected a duration"),
        ({"--duration": "0h"}, "--duration: expected more than 0s"),
    ],
)
def test_bad_input(change: dict[str, str], message: str, intensity_run: Any) -> None:
    given_ = {
        "--deadline": "24h", "--duration": "2h", "--now": "2023-03-25T00:30Z",
        "--bundle": str(intensity_run.bundle), "--history": str(intensity_run.history),
    }  # fmt: skip
    found = run(intensity_run.pipeline, *(x for pair in (given_ | change).items() for x in pair))
    assert isinstance(found.exception, CostError)
    assert message in str(found.exception)
    assert "\n" not in str(found.exception)


def test_a_clock_before_the_bundle_is_refused(intensity_run: Any) -> None:
    from frugal_ai.cost.intensity.forecast import Forecast

    provider = Forecast(intensity_run.bundle, intensity_run.history)
    with pytest.raises(CostError, match="clock: expected a time after the bundle was made"):
        provider.points(NOW, NOW + HOUR)


def test_a_bundle_of_a_load_is_refused() -> None:
    from frugal_ai.cost.intensity.forecast import Forecast

    (bundle,) = (Path(__file__).parents[1] / "models" / "load").glob("load-*")
    with pytest.raises(CostError, match="expected a forecast in gCO2e/kWh, got MW"):
        Forecast(bundle, Path("none.csv")).points(NOW, NOW + HOUR)


def test_a_duration_that_nothing_tells_has_to_be_said(intensity_run: Any, tmp_path: Path) -> None:
    found = run(
        intensity_run.pipeline, "--deadline", "1d", "--intensity", "constant:FRA",
        "--ledger", tmp_path / "none.jsonl",
    )  # fmt: skip
    assert isinstance(found.exception, CostError)
    assert "--duration: expected how long the run takes" in str(found.exception)
    assert "none.jsonl does not tell it of persistence" in str(found.exception)


def test_the_duration_is_what_plan_expects(intensity_run: Any, tmp_path: Path) -> None:
    ledger = intensity_run.folder.parent / "ledger.jsonl"
    expected = make_plan(intensity_run.pipeline, ledger).total.wall_s
    found = run(
        intensity_run.pipeline, "--deadline", "1d", "--intensity", "constant:FRA",
        "--ledger", ledger, "--now", "2023-03-25T06:00:00Z", "--json",
    )  # fmt: skip
    assert found.exit_code == 0, found.exception
    told = json.loads(found.stdout)
    took = datetime.fromisoformat(told["end"]) - datetime.fromisoformat(told["start"])
    assert took.total_seconds() == max(1, round(expected))
    assert f"duration {round(took.total_seconds())} s, as plan expects it" in found.stderr


WINDY_NOW = ("--deadline", "24h", "--duration", "2h", "--now", "2023-03-25T00:30Z", "--json")


def cut_at(history: Path, until: str, folder: Path) -> tuple[Path, Path]:
    """Write what was observed before a time, and the wind of all times."""
    head, *rows = [line.split(",") for line in history.read_text().splitlines()]
    seen, known = folder / "seen.csv", folder / "known.csv"
    before = [row for row in rows if row[1] < until]
    seen.write_text("\n".join(",".join(row) for row in [head, *before]) + "\n")
    known.write_text("\n".join(",".join((r[0], r[1], r[4])) for r in [head, *rows]) + "\n")
    return seen, known


def test_a_bundle_is_given_what_is_known_ahead(windy_intensity_run: Any, tmp_path: Path) -> None:
    seen, known = cut_at(windy_intensity_run.history, "2023-03-25T00:00", tmp_path)
    asked = (windy_intensity_run.pipeline, "--bundle", windy_intensity_run.bundle, *WINDY_NOW)
    found = run(*asked, "--history", seen, "--known", known)
    assert found.exit_code == 0, found.exception
    start = datetime.fromisoformat(json.loads(found.output)["start"])
    assert datetime(2023, 3, 25, 12, tzinfo=UTC) <= start <= datetime(2023, 3, 25, 15, tzinfo=UTC)
    without = run(*asked, "--history", seen)
    assert isinstance(without.exception, CostError)
    assert "the bundle reads wind ahead: give them with --known FILE" in str(without.exception)
    assert "\n" not in str(without.exception)


def test_what_is_known_ahead_is_for_a_bundle(intensity_run: Any) -> None:
    found = run(
        intensity_run.pipeline, "--deadline", "1d", "--duration", "1h",
        "--intensity", "constant:FRA", "--known", "known.csv",
    )  # fmt: skip
    assert "expected --known beside --bundle" in found.output


def test_a_bundle_says_itself_what_it_counts(intensity_run: Any) -> None:
    asked = (
        intensity_run.pipeline, "--bundle", intensity_run.bundle,
        "--history", intensity_run.history, *WINDY_NOW,
    )  # fmt: skip
    assert run(*asked, "--counts", "average,direct,production").exit_code == 0
    mixed = run(*asked, "--counts", "marginal,direct,production")
    assert isinstance(mixed.exception, CostError)
    assert "says of itself, average, direct, production; got marginal" in str(mixed.exception)


def test_a_bundle_that_does_not_say_what_it_counts_is_asked(
    intensity_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from frugal_edge import runtime

    forecaster = runtime.load(intensity_run.bundle)
    manifest = replace(forecaster.manifest, counts=None)
    monkeypatch.setattr(forecaster, "manifest", manifest)
    monkeypatch.setattr(runtime, "load", lambda _bundle: forecaster)
    asked = (
        intensity_run.pipeline, "--bundle", intensity_run.bundle,
        "--history", intensity_run.history, *WINDY_NOW,
    )  # fmt: skip
    silent = run(*asked)
    assert isinstance(silent.exception, CostError)
    assert "say it with --counts" in str(silent.exception)
    told = run(*asked, "--counts", "marginal,direct,production")
    assert json.loads(told.output)["kind"] == "marginal"


def test_one_source_has_to_be_named(intensity_run: Any) -> None:
    found = run(intensity_run.pipeline, "--deadline", "1d", "--duration", "1h")
    assert "expected --bundle and --history, or --intensity" in found.output


def test_as_the_sdk_prints_it(intensity_run: Any) -> None:
    from frugal_ai.cost.intensity.gsf import parse

    found = run(
        intensity_run.pipeline, "--deadline", "24h", "--duration", "2h", "--sdk",
        "--bundle", intensity_run.bundle, "--history", intensity_run.history,
        "--now", "2023-03-25T00:30Z",
    )  # fmt: skip
    assert found.exit_code == 0, found.exception
    (told,) = json.loads(found.output)
    assert told["windowSize"] == 120
    assert len(parse([told], BASE)) == len(told["forecastData"]) == 25
    again = greenest(
        parse([told], BASE), NOW.replace(day=25, hour=0, minute=30),
        NOW.replace(day=26, hour=0, minute=30), 2 * HOUR,
    )  # fmt: skip
    assert told["optimalDataPoints"][0]["timestamp"] == f"{again.best.start:%Y-%m-%dT%H:%M:%SZ}"


def test_a_file_with_a_gap_in_the_span_is_refused(intensity_run: Any, tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    hours = [hour for hour in range(24) if hour != 10]
    rows = [f"2023-03-25T{hour:02}:00Z,{50 + hour}" for hour in hours]
    path.write_text("\n".join(["timestamp,taux_co2", *rows]))
    found = run(
        intensity_run.pipeline, "--deadline", "8h", "--duration", "1h", "--intensity", path,
        "--now", "2023-03-25T06:00Z",
    )  # fmt: skip
    assert isinstance(found.exception, CostError)
    assert "without a gap, got none from 2023-03-25T10:00:00Z" in str(found.exception)
    before = run(
        intensity_run.pipeline, "--deadline", "4h", "--duration", "1h", "--intensity", path,
        "--now", "2023-03-25T06:00Z",
    )  # fmt: skip
    assert before.exit_code == 0, before.exception
