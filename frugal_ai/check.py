"""What a run would do, found out without running it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from frugal_ai.backtest.split import training_origins_of
from frugal_ai.bill.fleet import check_countries
from frugal_ai.cost.context import build_context
from frugal_ai.data.panel import format_time
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.ladder.rung import Rung
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare
from frugal_ai.settings import format_duration


@dataclass(frozen=True)
class Check:
    """Facts on a pipeline and its data, as label and text."""

    name: str
    facts: tuple[tuple[str, str], ...]


def check_pipeline(
    path: Path, replacements: Mapping[str, Path], tell: Callable[[str], None]
) -> Check:
    """Read a pipeline and its data, cut all windows, and describe the run.

    Raises
    ------
    FrugalError
        If a run would be refused.
    """
    pipeline = read_pipeline(path)
    context = build_context(pipeline.cost, folder=path.parent)
    if pipeline.fleet is not None:
        check_countries(pipeline.fleet, context.factors)
    prepared = prepare(pipeline, path.parent, replacements, tell)
    step, horizon = format_duration(pipeline.step), format_duration(pipeline.horizon)
    price = f"{context.intensity.value:g} gCO2e/kWh, PUE {context.pue:g}"
    facts = [
        ("pipeline", f"{pipeline.name} ({path}): {pipeline.kind}, {len(pipeline.series)} series"),
        ("data", _data(prepared)),
        ("horizon", f"{horizon} in steps of {step}, H = {pipeline.steps}"),
        *((f"series {s.name}", _series(s.panel.values[s.index])) for s in prepared.series),
        ("covariates", _covariates(pipeline)),
        *(("weather", text) for text in _weather(pipeline, prepared)),
        *((f"rung {rung.name}", _rung(pipeline, prepared, rung)) for rung in pipeline.rungs),
        *_fleet(pipeline),
        ("validation", _origins(prepared.split.validation)),
        ("test", _origins(prepared.split.test)),
        ("carbon", f"{context.country}, {price}, {context.power.method}"),
    ]
    return Check(pipeline.name, tuple(facts))


def _fleet(pipeline: Pipeline) -> list[tuple[str, str]]:
    if pipeline.fleet is None:
        return []
    counted = {"training": "not weighed", "life_cycle": "its life cycle is weighed"}
    return [("fleet", f"{pipeline.fleet.label}: {counted[pipeline.carbon]}")]


def _data(prepared: Prepared) -> str:
    panel = prepared.panel
    origin = "simulated" if panel.simulated else "as delivered"
    return f"{format_time(panel.start)} to {format_time(panel.end)}, {origin}"


def _series(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    missing = int(np.isnan(values).sum())
    low, mean, high = np.nanmin(values), np.nanmean(values), np.nanmax(values)
    return f"{len(values)} steps, {missing} missing; {low:.4g} to {high:.4g}, mean {mean:.4g}"


def _covariates(pipeline: Pipeline) -> str:
    roles = pipeline.covariates.model_dump(include={"known", "past", "static"})
    return "; ".join(f"{role}: {', '.join(names)}" for role, names in roles.items() if names) or (
        "none"
    )


def _weather(pipeline: Pipeline, prepared: Prepared) -> list[str]:
    """Say of each known covariate how it was known at an origin; nothing where there are none."""
    declared, vintages = pipeline.covariates, prepared.panel.vintages
    unproven = declared.unproven(vintages)
    ways = {
        "perfect weather is assumed": unproven,
        "as known at the origin": [name for name in declared.known if name in vintages],
        "certain": [n for n in declared.known if n not in unproven and n not in vintages],
    }
    said = [f"{way}: {', '.join(names)}" for way, names in ways.items() if names]
    return ["; ".join(said)] if said else []


def _rung(pipeline: Pipeline, prepared: Prepared, rung: Rung) -> str:
    if rung.name in prepared.left_out:
        return f"would be left out: {prepared.left_out[rung.name]}"
    series, grid = prepared.series[0], prepared.grids[0]
    graph = FeatureGraph(rung.blocks(pipeline.features), grid)
    origins = training_origins_of(series, graph, prepared.split)
    return (
        f"{len(graph.columns)} features, {max(graph.reach.history, 1)} steps of history, "
        f"{len(origins)} training origins"
    )


def _origins(origins: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    return f"{len(origins)} origins, {format_time(origins[0])} to {format_time(origins[-1])}"
