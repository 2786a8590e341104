"""Greenest two hours of the next day, French 2022: what each way to choose them saves.

``python -m benchmarks.intensity`` trains on the years before and asks the bundle at every hour of
2022, as ``frugal-ai when`` does. Further models, told what came, say how far any forecast of it
could bring that: the wind, the sun and the load; then nuclear and hydro power and pumping as well.
It needs ``../shared`` beside the checkout, and prints its section of docs/benchmarks.md, which
``--write`` puts there.
"""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from frugal_ai.cost.threads import pinned_threads

pinned_threads(1)

import numpy as np  # noqa: E402 - threads are pinned before numpy loads
import numpy.typing as npt  # noqa: E402
import yaml  # noqa: E402
from frugal_edge.origin import latest_origin  # noqa: E402
from frugal_edge.runtime import Forecaster, load  # noqa: E402

from benchmarks.markdown import fill, table  # noqa: E402
from benchmarks.sections import write_section  # noqa: E402
from benchmarks.tasks import Silent  # noqa: E402
from frugal_ai.backtest.windows import Series  # noqa: E402
from frugal_ai.pipeline import Pipeline, read_pipeline  # noqa: E402
from frugal_ai.prepare import prepare  # noqa: E402
from frugal_ai.run import Order, run  # noqa: E402

HERE = Path(__file__).parent
TASK = HERE / "intensity.yaml"
PAGE = HERE.parent / "docs" / "benchmarks.md"
HOURS, WINDOW, TARGET = 24, 2, 0.8
STEP_S = 3600
APART = 6  # hours between two starts, from which on they are another part of the day
WEATHER = ("wind_mw", "solar_mw", "load")
TOLD = {
    "the wind, the sun and the load": WEATHER,
    "these, nuclear and hydro power and pumping": (
        *WEATHER,
        "nuclear_mw",
        "hydro_mw",
        "pumping_mw",
    ),
}
"""What the other models are told, and in words."""
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


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


@dataclass(frozen=True)
class Lost:
    """Where the saving goes that is not found, in shares of it [1].

    Attributes
    ----------
    elsewhere
        Starts at which the window chosen lies in another part of the day than the best.
    tenth
        The tenth of the starts that lose most.
    """

    elsewhere: float
    tenth: float


def lost(truth: FloatArray, forecast: FloatArray) -> Lost:
    """Say where choices by forecasts [O, 24] lose against what came [O, 24]."""
    came, chosen = windows(truth), windows(forecast).argmin(axis=1)
    regret = came[np.arange(len(came)), chosen] - came.min(axis=1)
    apart = np.abs(chosen - came.argmin(axis=1)) > APART
    most = np.sort(regret)[-(len(regret) // 10) :]
    return Lost(float(regret[apart].sum() / regret.sum()), float(most.sum() / regret.sum()))


def windows(hours: FloatArray) -> FloatArray:
    """Means over every window of whole hours, [O, 24] to [O, 23]."""
    view = np.lib.stride_tricks.sliding_window_view(hours, WINDOW, axis=1)
    return np.asarray(view.mean(axis=2))


def naive(values: FloatArray, at: IntArray, days: int) -> FloatArray:
    """Repeat the day that lies so many days back, [O, 24]."""
    return np.asarray(values[at[:, None] - HOURS * days + np.arange(HOURS)])


def profile(values: FloatArray, at: IntArray, days: int) -> FloatArray:
    """Mean of the last days at each hour, [O, 24]."""
    return np.asarray(np.mean([naive(values, at, day) for day in range(1, days + 1)], axis=0))


def model(forecaster: Forecaster, series: Series, at: IntArray) -> FloatArray:
    """Ask the bundle at each hour for the next 24, [O, 24], from its last origin before."""
    found: list[FloatArray] = []
    first, point = -1, np.empty(0)
    for position in at.tolist():
        origin = latest_origin(forecaster.manifest, series.panel.start + position * STEP_S)
        last = (origin - series.panel.start) // STEP_S
        if last != first:
            first, point = last, ask(forecaster, series, last, origin)
        found.append(point[position - first :][:HOURS])
    return np.array(found, np.float64)


def ask(forecaster: Forecaster, series: Series, first: int, origin: int) -> FloatArray:
    """Forecast from one origin, at a place of the panel."""
    about, panel, index = forecaster.manifest, series.panel, series.index
    seen = slice(first - about.history_steps, first)
    past = panel.past[index, seen] if "past" in about.inputs else None
    known = None
    if "known" in about.inputs:
        around = slice(first - about.inputs["known"].lookback, first + about.horizon)
        known = panel.known[index, around]
    forecast = forecaster.forecast(series.filled[seen], origin, known=known, past=past)
    return np.asarray(forecast.point, np.float64)


@dataclass(frozen=True)
class Found:
    """What came [O, 24], hour and month of each start in UTC [O], forecasts by maker [O, 24]."""

    truth: FloatArray
    hour: IntArray
    month: IntArray
    forecasts: Mapping[str, FloatArray]


Informed = Mapping[str, tuple[Pipeline, Path]]
"""Pipeline and bundle of a model by what it is told."""


def compare(pipeline: Pipeline, bundle: Path, informed: Informed) -> Found:
    """Ask everybody at every hour of the test year."""
    series, forecaster, at = opened(pipeline, bundle)
    values = np.asarray(series.filled, np.float64)
    truth = values[at[:, None] + np.arange(HOURS)]
    forecasts = {
        "constant: start now": np.zeros_like(truth),
        "seasonal naive, a day": naive(values, at, 1),
        "seasonal naive, a week": naive(values, at, 7),
        "mean of the last 28 days at each hour": profile(values, at, 28),
        f"**the bundle**: {forecaster.manifest.rung}": model(forecaster, series, at),
    }
    for what, told in informed.items():
        other, best, _ = opened(*told)
        forecasts[f"{best.manifest.rung}, told {what} that came"] = model(best, other, at)
    start_s = series.panel.start + at * STEP_S
    month = start_s.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return Found(truth, start_s // STEP_S % HOURS, month, forecasts)


def opened(pipeline: Pipeline, bundle: Path) -> tuple[Series, Forecaster, IntArray]:
    """Return the series, what forecasts it, and every hour of the test year [O]."""
    prepared = prepare(pipeline, TASK.parent, {}, lambda _sentence: None)
    series = prepared.series[0]
    first, last = (int(i) for i in series.positions(prepared.split.test[[0, -1]]))
    return series, load(bundle), np.arange(first, last + 1)


def declare(told: tuple[str, ...], path: Path) -> Path:
    """Write the pipeline of a model that is told what came, and return its path."""
    declared = yaml.safe_load(TASK.read_text(encoding="utf-8"))
    declared["source"]["path"] = str((HERE / declared["source"]["path"]).resolve())
    past = [name for name in declared["covariates"]["past"] if name not in told]
    declared["covariates"] = {"known": list(told), "assume": "perfect", "past": past}
    declared |= {"rungs": ["basis_ridge"], "climb": "full"}
    path.write_text(yaml.safe_dump(declared), encoding="utf-8")
    return path


def section(found: Found) -> str:
    """Write the section of the page."""
    scores = {way: score(found.truth, made) for way, made in found.forecasts.items()}
    ours = next(way for way in scores if way.startswith("**"))
    best, made = scores[ours], found.forecasts[ours]
    rows = [
        [way, f"{one.chosen:.1f}", f"{one.now - one.chosen:.1f}",
         f"{(one.now - one.chosen) / one.now:.1%}", f"{one.share:.0%}",
         "" if way.startswith("constant") else f"{one.error:.1f}"]
        for way, one in scores.items()
    ]  # fmt: skip
    rows.append(["perfect foresight", f"{best.best:.1f}", f"{best.now - best.best:.1f}",
                 f"{(best.now - best.best) / best.now:.1%}", "100%", "0.0"])  # fmt: skip
    head = ["chosen by", "gCO2e/kWh", "saved", "of now", "of perfect", "MAE"]
    where = lost(found.truth, made)
    reached = "reached" if best.share >= TARGET else "not reached"
    most = max(one.share for one in scores.values())
    bound = "could" if most >= TARGET else "could not either"
    return "\n\n".join(
        [
            "## When to train: the greenest two hours of the next 24, France 2022",
            fill("`make benchmark-intensity`. A start at every hour of the year, models trained on"
                 " the years before alone. Each window is two whole hours that end within 24; what"
                 " it saves is counted against starting at once, and the share of perfect foresight"
                 " is that of the sums over all starts (docs/methodology.md, section 11)."),
            table(head, rows),
            fill(f"The target of {TARGET:.0%} of the saving by perfect foresight is {reached}; a"
                 f" forecast that knew all that the last models are told {bound}. By hour of the"
                 f" start: {shares(found, made, found.hour, (5, 11, 17, 23), '{:02d}:00 UTC')}. By"
                 f" month: {shares(found, made, found.month, tuple(range(1, 13)), '{}')}."),
            fill(f"Of what is lost, {where.elsewhere:.0%} is lost at starts where the window chosen"
                 f" lies more than {APART} hours from the best, as night from noon, and"
                 f" {where.tenth:.0%} by the tenth of the starts that lose most. What the told"
                 " models gain over the bundle is what observations up to the start do not tell of"
                 " wind, sun and load; what they lack still is how plants and exchanges followed."),
            fill("Intensity is direct and of production alone, estimated from eCO2mix's production"
                 " by kind: good for the shape of a day, not for totals."),
        ]
    )  # fmt: skip


def shares(
    found: Found, made: FloatArray, when: IntArray, values: tuple[int, ...], label: str
) -> str:
    """Write the share of perfect foresight at the starts of each value."""
    return ", ".join(
        f"{label.format(one)} {score(found.truth[when == one], made[when == one]).share:.0%}"
        for one in values
    )


def climbed(path: Path, folder: Path) -> tuple[Pipeline, Path]:
    """Run a pipeline, and return it with its bundle."""
    pipeline = read_pipeline(path)
    report = run(pipeline, Order(path, folder, {}), Silent())
    return pipeline, folder / report.bundles[0]


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = climbed(TASK, folder / "ours")
        informed = {
            what: climbed(declare(told, folder / f"told{i}.yaml"), folder / f"told{i}")
            for i, (what, told) in enumerate(TOLD.items())
        }
        text = section(compare(*ours, informed))
    print(text)
    if "--write" in arguments:
        write_section(PAGE, "make benchmark-intensity", text)


if __name__ == "__main__":
    main(sys.argv[1:])
