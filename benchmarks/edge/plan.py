"""A recipe as plain numbers and names, for the features in numpy."""

from datetime import timedelta
from typing import Any

from benchmarks.edge.workers.features import Plan
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.settings import Settings


def plan_of(graph: FeatureGraph) -> Plan:
    """Describe the features of a graph; durations become steps.

    Raises
    ------
    ValueError
        If the target is counted in units of its own, for which there are no numpy features.
    """
    grid = graph.inputs
    if grid.capacity or grid.scale != 1.0:
        raise ValueError("expected a target in its own unit")
    return {
        "step_s": grid.step_s,
        "horizon": grid.horizon,
        "lookback": graph.reach.lookback,
        "known": list(grid.known_names),
        "derived": [
            {"name": name, "inputs": list(one.inputs), **_plain(one, grid.step_s)}
            for name, one in grid.derived.items()
        ],
        "transitions": grid.transitions.tolist(),
        "offsets": grid.offsets.tolist(),
        "first_day": grid.first_day,
        "day_codes": grid.day_codes.tolist(),
        "blocks": [_plain(block, grid.step_s) for block in graph.blocks],
        "widths": [len(block.columns(graph.grid)) for block in graph.blocks],
    }


def _plain(value: Any, step_s: int) -> Any:
    if isinstance(value, timedelta):
        return int(value.total_seconds()) // step_s
    if isinstance(value, Settings):
        return {name: _plain(one, step_s) for name, one in value}
    if isinstance(value, list | tuple):
        return [_plain(one, step_s) for one in value]
    return value
