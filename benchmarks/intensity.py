"""Greenest two hours of the next day, French 2022: what each way to choose them saves.

``python -m benchmarks.intensity`` trains on the years before and asks the bundle at every hour of
2022, as ``frugal-ai when`` does. It needs ``../shared`` beside the checkout, and prints its section
of docs/benchmarks.md, which ``--write`` puts there.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from frugal_ai.cost.threads import pinned_threads

pinned_threads(1)

import numpy as np  # noqa: E402 - threads are pinned before numpy loads
import numpy.typing as npt  # noqa: E402
from frugal_edge.origin import latest_origin  # noqa: E402
from frugal_edge.runtime import Forecaster, load  # noqa: E402

from benchmarks.markdown import fill, table  # noqa: E402
from benchmarks.sections import write_section  # noqa: E402
from benchmarks.tasks import Silent  # noqa: E402
from frugal_ai.backtest.windows import Series  # noqa: E402
from frugal_ai.pipeline import read_pipeline  # noqa: E402
from frugal_ai.prepare import prepare  # noqa: E402
from frugal_ai.run import Order, run  # noqa: E402

HERE = Path(__file__).parent
TASK = HERE / "intensity.yaml"
PAGE = HERE.parent / "docs" / "benchmarks.md"
HOURS, WINDOW, TARGET = 24, 2, 0.8
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """Means over all starts [gCO2e/kWh]; `share` is of what perfect foresight saves [1]."""

    now: float
    chosen: float
    best: float
    error: float

    @property
    def share(self) -> float:
        return (self.now - self.chosen) / (self.now - self.best)


def score(truth: FloatArray, forecast: FloatArray) -> Score:
    """Choose windows by forecasts [O, 24] and see what they come to, [O, 24]."""
    came, expected = windows(truth), windows(forecast)
    picked = came[np.arange(len(came)), expected.argmin(axis=1)]
    error = float(np.abs(truth - forecast).mean())
    return Score(
        float(came[:, 0].mean()), float(picked.mean()), float(came.min(axis=1).mean()), error
    )


def windows(hours: FloatArray) -> FloatArray:
    """Means over every window of whole hours, [O, 24] to [O, 23]."""
    view = np.lib.stride_tricks.sliding_window_view(hours, WINDOW, axis=1)
    return np.asarray(view.mean(axis=2))


def naive(values: FloatArray, at: npt.NDArray[np.int64], days: int) -> FloatArray:
    """Repeat the day that lies so many days back, [O, 24]."""
    return np.asarray(values[at[:, None] - HOURS * days + np.arange(HOURS)])


def profile(values: FloatArray, at: npt.NDArray[np.int64], days: int) -> FloatArray:
    """Mean of the last days at each hour, [O, 24]."""
    return np.asarray(np.mean([naive(values, at, day) for day in range(1, days + 1)], axis=0))


def model(forecaster: Forecaster, series: Series, at: npt.NDArray[np.int64]) -> FloatArray:
    """Ask the bundle at each hour for the next 24, [O, 24], from its last origin before."""
    about, panel = forecaster.manifest, series.panel
    found, kept = [], {}
    for position in at.tolist():
        origin = latest_origin(about, panel.start + position * panel.step_s)
        first = (origin - panel.start) // panel.step_s
        if first not in kept:
            seen = slice(first - about.history_steps, first)
            past = panel.past[series.index, seen] if "past" in about.inputs else None
            kept = {first: forecaster.forecast(series.filled[seen], origin, past=past).point}
        found.append(kept[first][position - first :][:HOURS])
    return np.array(found, np.float64)


def compare(bundle: Path) -> tuple[str, Mapping[str, Score], Mapping[int, Score]]:
    """Score every way to choose; by the hour of the start for the bundle's."""
    pipeline = read_pipeline(TASK)
    prepared = prepare(pipeline, TASK.parent, {}, lambda _sentence: None)
    series, forecaster = prepared.series[0], load(bundle)
    first, last = (int(i) for i in series.positions(prepared.split.test[[0, -1]]))
    at = np.arange(first, last + 1)
    values = np.asarray(series.filled, np.float64)
    truth = values[at[:, None] + np.arange(HOURS)]
    ours = model(forecaster, series, at)
    ways: dict[str, Callable[[], FloatArray]] = {
        "constant: start now": lambda: np.zeros_like(truth),
        "seasonal naive, a day": lambda: naive(values, at, 1),
        "seasonal naive, a week": lambda: naive(values, at, 7),
        "mean of the last 28 days at each hour": lambda: profile(values, at, 28),
        f"the bundle: {forecaster.manifest.rung}": lambda: ours,
    }
    hour = (series.panel.start // 3600 + at) % 24
    by_hour = {h: score(truth[hour == h], ours[hour == h]) for h in (5, 11, 17, 23)}
    return (
        forecaster.manifest.rung,
        {way: score(truth, make()) for way, make in ways.items()},
        by_hour,
    )


def section(found: Mapping[str, Score], by_hour: Mapping[int, Score]) -> str:
    best = next(iter(found.values()))
    ours = list(found.values())[-1]
    rows = [
        [way, f"{one.chosen:.1f}", f"{one.now - one.chosen:.1f}",
         f"{(one.now - one.chosen) / one.now:.1%}", f"{one.share:.0%}", f"{one.error:.1f}"]
        for way, one in found.items()
    ]  # fmt: skip
    rows.append(["perfect foresight", f"{best.best:.1f}", f"{best.now - best.best:.1f}",
                 f"{(best.now - best.best) / best.now:.1%}", "100%", "0.0"])  # fmt: skip
    head = ["chosen by", "gCO2e/kWh", "saved", "of now", "of perfect", "MAE"]
    hours = ", ".join(f"{hour:02d}:00 UTC {one.share:.0%}" for hour, one in by_hour.items())
    reached = "reached" if ours.share >= TARGET else "not reached"
    return "\n\n".join(
        [
            "## When to train: the greenest two hours of the next 24, France 2022",
            fill("`make benchmark-intensity`. A start at every hour of the year, models trained on"
                 " the years before alone; mean over all starts, against starting at once."),
            table(head, rows),
            fill(f"The target of {TARGET:.0%} of the saving by perfect foresight is {reached}. By"
                 f" the hour of the start: {hours}."),
            fill("Intensity is direct and of production alone, estimated from eCO2mix's production"
                 " by kind: good for the shape of a day, not for totals."),
        ]
    )  # fmt: skip


def main(arguments: list[str]) -> None:
    given = [Path(text) for text in arguments if text != "--write"]
    if given:
        _, found, by_hour = compare(given[0])
    else:
        with tempfile.TemporaryDirectory() as folder:
            report = run(read_pipeline(TASK), Order(TASK, Path(folder) / "run", {}), Silent())
            _, found, by_hour = compare(Path(folder) / "run" / report.bundles[0])
    text = section(found, by_hour)
    print(text)
    if "--write" in arguments:
        write_section(PAGE, "make benchmark-intensity", text)


if __name__ == "__main__":
    main(sys.argv[1:])
