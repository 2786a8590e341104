"""When to train: the greenest window before a deadline."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--deadline", required=True, help="From now on, such as 24h, or 2026-01-31T06:00Z.")
@click.option("--duration", help="Of the run, such as 2h; by default what plan expects.")
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    default=Path("runs/ledger.jsonl"),
    help="Of earlier runs, for plan; by default runs/ledger.jsonl.",
)
@click.option("--bundle", type=click.Path(path_type=Path), help="That forecasts the intensity.")
@click.option("--history", type=click.Path(path_type=Path), help="CSV that the bundle reads.")
@click.option("--known", type=click.Path(path_type=Path), help="CSV of what it knows ahead.")
@click.option("--intensity", "text", metavar="FILE|PROVIDER", help="Instead of a bundle.")
@click.option("--url", help="Of the provider, instead of its own.")
@click.option("--counts", help="What figures count that do not say it: average,direct,production.")
@click.option("--now", "asked", help="Instead of the machine's clock: 2026-01-31T06:00Z.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no more.")
@click.option("--sdk", "as_sdk", is_flag=True, help="Print it as the Carbon Aware SDK does.")
@click.option("--wait", "waits", is_flag=True, help="Wait for it, asking again as time goes on.")
@click.option("--every", help="From one question to the next, with --wait; by default 1h.")
def when(
    pipeline: Path,
    command: tuple[str, ...],
    *,
    as_json: bool,
    as_sdk: bool,
    asked: str | None,
    waits: bool,
    **given: Any,
) -> None:
    """Show the greenest window to train PIPELINE in, beside starting now.

    With --wait, return when its time has come, or start COMMAND then: -- frugal-ai run PIPELINE.
    """
    from frugal_ai.cost.context import build_context
    from frugal_ai.cost.intensity.gsf import written
    from frugal_ai.pipeline import read_pipeline
    from frugal_ai.when import advice, greenest

    alone = {"--json": as_json, "--sdk": as_sdk, "--now": asked is not None}
    _check_wait(command, given["every"], [name for name, is_ in alone.items() if is_], waits=waits)
    declared = read_pipeline(pipeline)
    now = datetime.now(UTC) if asked is None else _instant(asked, "--now")
    duration = _duration(given["duration"], pipeline, given["ledger"])
    deadline = _deadline(given["deadline"], now)
    provider = _provider(given, clock_checked=asked is None)
    if waits:
        _wait(provider, deadline, duration, _span(given["every"] or "1h", "--every"))
        _start(command)
        return
    points = provider.points(now, deadline)
    choice = greenest(points, now, deadline, duration)
    if as_sdk:
        best = (choice.best.start, int(duration.total_seconds()), choice.best.g_per_kwh)
        click.echo(json.dumps([written(points, declared.cost.country, now, best)]))
        return
    context = build_context(declared.cost, folder=pipeline.parent)
    # as long as it runs, a run keeps its threads busy
    seconds = duration.total_seconds()
    energy = context.cost_of(context.power.energy(seconds, seconds), seconds, seconds).energy_wh
    told = advice(choice, energy / 1000, deadline)
    if as_json:
        click.echo(json.dumps(told.as_dict()))
        return
    for line in told.lines():
        click.echo(line)


def _check_wait(
    command: tuple[str, ...], every: str | None, alone: list[str], *, waits: bool
) -> None:
    """Refuse what does not go together, before hours of waiting."""
    if waits and alone:
        raise click.UsageError(f"expected --wait without {alone[0]}, got both")
    if not waits and (command or every is not None):
        what = "--every" if every is not None else f"the command {command[0]!r}"
        raise click.UsageError(f"expected --wait beside {what}, got it alone")
    if command and shutil.which(command[0]) is None:
        raise click.UsageError(f"expected a command that can be started, got {command[0]!r}")


def _wait(provider: Any, deadline: datetime, duration: timedelta, every: timedelta) -> None:
    from frugal_ai.waiting import SystemClock, Wait, wait
    from frugal_ai.when import Choice, greenest

    def tell(line: str) -> None:
        click.echo(line, err=True)

    def ask(now: datetime) -> Choice:
        return greenest(provider.points(now, deadline), now, deadline, duration)

    wait(Wait(deadline, duration, every), ask, SystemClock(tell), tell)


def _start(command: tuple[str, ...]) -> None:
    """Become the command, so that nothing of this one is left beside it."""
    from frugal_ai.errors import CostError

    if not command:
        return
    try:
        os.execvp(command[0], command)  # noqa: S606 - what the user asked to start
    except OSError as error:
        raise CostError(f"{command[0]}: cannot be started: {error.strerror}") from error


def _provider(given: dict[str, Any], *, clock_checked: bool) -> Any:
    from frugal_ai.cost.factors import load_factors
    from frugal_ai.cost.intensity.forecast import Forecast
    from frugal_ai.cost.intensity.named import provider, read_base
    from frugal_ai.data.remote.http import Client

    base = read_base(given["counts"])
    bundle, history, text = given["bundle"], given["history"], given["text"]
    if (text is None) == (bundle is None) or (bundle is None) != (history is None):
        raise click.UsageError("expected --bundle and --history, or --intensity")
    if given["known"] is not None and bundle is None:
        raise click.UsageError("expected --known beside --bundle, got it alone")
    if bundle is not None:
        return Forecast(bundle, history, base, given["known"], clock_checked=clock_checked)

    def connect(url: str, headers: Any) -> Client:
        return Client(url, headers=headers)

    return provider(text, load_factors(), connect, given["url"], base)


def _instant(text: str, option: str) -> datetime:
    from frugal_ai.cost.intensity.provider import instant

    return instant(text, option)


def _deadline(text: str, now: datetime) -> datetime:
    from frugal_ai.errors import CostError

    if not text[:1].isdigit() or "T" in text or "-" in text:
        found = _instant(text, "--deadline")
    else:
        found = now + _span(text, "--deadline")
    if found <= now:
        raise CostError(f"--deadline: expected a time after {now:%Y-%m-%dT%H:%M:%SZ}, got {text}")
    return found


def _duration(text: str | None, pipeline: Path, ledger: Path) -> timedelta:
    """Read how long the run takes, or expect it from earlier runs on this machine."""
    from frugal_ai.errors import CostError
    from frugal_ai.plan.plan import make_plan

    if text is not None:
        return _span(text, "--duration")
    planned = make_plan(pipeline, ledger)
    for problem in planned.problems:
        click.echo(f"frugal-ai: not read: {problem}", err=True)
    if planned.unknown:
        raise CostError(
            f"--duration: expected how long the run takes, such as 2h: {ledger} does not tell it of"
            f" {', '.join(planned.unknown)}"
        )
    seconds = max(1, round(planned.total.wall_s))
    click.echo(f"duration {seconds} s, as plan expects it from earlier runs", err=True)
    return timedelta(seconds=seconds)


def _span(text: str, option: str) -> timedelta:
    from frugal_ai.errors import CostError
    from frugal_ai.settings import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise CostError(f"{option}: {error}") from None
