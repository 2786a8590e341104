"""Greenest two hours of the next day, French 2022: what each way to choose them saves.

``python -m benchmarks.intensity`` trains on the years before and asks the bundle at every hour of
2022, as ``frugal-ai when`` does, and again at each hour that the work waits, as ``--wait`` does.
Further models, told what came, say how far any forecast of it could bring that: the wind, the sun
and the load; then nuclear and hydro power and pumping as well. It needs ``../shared`` beside the
checkout, and prints its section of docs/benchmarks.md, which ``--write`` puts there.
"""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from frugal_ai.cost.threads import pinned_threads

pinned_threads(1)

import numpy as np  # noqa: E402 - threads are pinned before numpy loads
import yaml  # noqa: E402
from frugal_edge.origin import latest_origin  # noqa: E402
from frugal_edge.runtime import Forecaster, load  # noqa: E402

from benchmarks.foresight import (  # noqa: E402
    APART,
    HOURS,
    STARTS,
    FloatArray,
    IntArray,
    Score,
    again,
    lost,
    once,
    score,
    share,
)
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
TARGET = 0.8
STEP_S = 3600
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
    """What was forecast and what came.

    Attributes
    ----------
    truth
        What came, [O, 24].
    hour, month
        Of each start in UTC, [O].
    forecasts
        By maker, at the starts and the hours in which the last ones may still wait, [O + 22, 24].
    """

    truth: FloatArray
    hour: IntArray
    month: IntArray
    forecasts: Mapping[str, FloatArray]

    @property
    def of_starts(self) -> Mapping[str, FloatArray]:
        """Forecasts at the starts alone, [O, 24]."""
        return {way: made[: len(self.truth)] for way, made in self.forecasts.items()}


Informed = Mapping[str, tuple[Pipeline, Path]]
"""Pipeline and bundle of a model by what it is told."""


def compare(pipeline: Pipeline, bundle: Path, informed: Informed) -> Found:
    """Ask everybody at every hour of the test year."""
    series, forecaster, at = opened(pipeline, bundle)
    values = np.asarray(series.filled, np.float64)
    starts = at[: 1 - STARTS]  # work that starts may wait into the hours after
    truth = values[starts[:, None] + np.arange(HOURS)]
    forecasts = {
        "constant: start now": np.zeros((len(at), HOURS)),
        "seasonal naive, a day": naive(values, at, 1),
        "seasonal naive, a week": naive(values, at, 7),
        "mean of the last 28 days at each hour": profile(values, at, 28),
        f"**the bundle**: {forecaster.manifest.rung}": model(forecaster, series, at),
    }
    for what, told in informed.items():
        other, best, _ = opened(*told)
        forecasts[f"{best.manifest.rung}, told {what} that came"] = model(best, other, at)
    start_s = series.panel.start + starts * STEP_S
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
    first = {way: score(found.truth, once(made)) for way, made in found.of_starts.items()}
    later = {way: score(found.truth, again(made)) for way, made in found.forecasts.items()}
    ours = next(way for way in first if way.startswith("**"))
    return "\n\n".join(
        [
            "## When to train: the greenest two hours of the next 24, France 2022",
            fill("`make benchmark-intensity`. A start at every hour of the year, models trained on"
                 " the years before alone. Each window is two whole hours that end within 24; what"
                 " it saves is counted against starting at once, and the share of perfect foresight"
                 " is that of the sums over all starts (docs/methodology.md, section 11). *Once* is"
                 " the choice that `frugal-ai when` makes, *again* what the work comes to that"
                 " waits with `--wait` and asks every hour. In brackets 95 % intervals, weeks drawn"
                 " with replacement; MAE of the hours, chosen once."),
            table(HEAD, [*rows(found, first, later), perfect(first[ours])]),
            fill(f"The target of {TARGET:.0%} of the saving by perfect foresight is"
                 f" {reached(first[ours])} by choosing once, {reached(later[ours])} by choosing"
                 f" again; {bound(first, later)}. The work that waits starts after"
                 f" {again(found.forecasts[ours]).mean():.1f} hours on average."
                 f" By hour of the start, choosing again:"
                 f" {shares(found, ours, found.hour, (5, 11, 17, 23), '{:02d}:00 UTC')}. By"
                 f" month: {shares(found, ours, found.month, tuple(range(1, 13)), '{}')}."),
            fill(where(found, ours)),
            fill("Values are of the instant at the beginning of their hour; a choice at an hour"
                 " knows those before it, so the newest is an hour old: a source that publishes"
                 " within the hour is assumed, and what a later one would cost is not measured"
                 " here. Intensity is"
                 " direct and of production alone, estimated from eCO2mix's production by kind:"
                 " good for the shape of a day, not for totals."),
        ]
    )  # fmt: skip


HEAD = ["chosen by", "once: gCO2e/kWh", "regret", "of perfect", "again: gCO2e/kWh", "regret",
        "of perfect", "MAE"]  # fmt: skip


def rows(found: Found, first: Mapping[str, Score], later: Mapping[str, Score]) -> list[list[str]]:
    """Write a line for each way to choose."""
    return [
        [way, *told(first[way]), *told(later[way]),
         "" if way.startswith("constant") else f"{np.abs(found.truth - made).mean():.1f}"]
        for way, made in found.of_starts.items()
    ]  # fmt: skip


def told(one: Score) -> list[str]:
    """Write what choices come to."""
    return [f"{one.chosen:.1f}", f"{one.regret:.2f}",
            f"{one.share:.1%} [{one.low:.0%}, {one.high:.0%}]"]  # fmt: skip


def perfect(one: Score) -> list[str]:
    """Write the line of perfect foresight."""
    return ["perfect foresight", *[f"{one.best:.1f}", "0", "100%"] * 2, "0.0"]


def reached(one: Score) -> str:
    """Say whether the target is."""
    return "reached" if one.share >= TARGET else "not reached"


def bound(first: Mapping[str, Score], later: Mapping[str, Score]) -> str:
    """Say what the best informed model comes to, which no forecast of what it was told passes."""
    most = max(one.share for one in (*first.values(), *later.values()))
    return f"the models told what came, which no forecast of that can pass, come to {most:.0%}"


def where(found: Found, ours: str) -> str:
    """Say where the saving goes."""
    gone = lost(found.truth, again(found.forecasts[ours]))
    return (
        f"Of what is lost by choosing again, {gone.elsewhere:.0%} is lost at starts where the"
        f" window taken lies more than {APART} hours from the best, as night from noon, and"
        f" {gone.tenth:.0%} by the tenth of the starts that lose most. What the told models gain"
        " over the bundle is what observations up to the start do not tell of wind, sun and load;"
        " what they lack still is how plants and exchanges followed."
    )


def shares(found: Found, ours: str, when: IntArray, values: tuple[int, ...], label: str) -> str:
    """Write the share of perfect foresight at the starts of each value."""
    chosen = again(found.forecasts[ours])
    return ", ".join(
        f"{label.format(one)} {share(found.truth[when == one], chosen[when == one]):.0%}"
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
