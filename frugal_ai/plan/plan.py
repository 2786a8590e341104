"""What a run would cost, from what earlier runs on this machine took; nothing is run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from frugal_ai.cost.context import Cost, CostContext, build_context, total_cost
from frugal_ai.cost.ledger import Size
from frugal_ai.cost.ledger_file import read_lines
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.plan.past import COMMON, Took, took
from frugal_ai.plan.scaling import ASSUMED_EXPONENT, Point, exponent, scaled
from frugal_ai.prepare import split_of
from frugal_ai.size import bare_grid, size_of

Basis = Literal["same", "resized", "similar", "unknown"]


@dataclass(frozen=True)
class Line:
    """What a rung, or something in common, is expected to take.

    Attributes
    ----------
    what
        Name of the rung, or what is common.
    basis, why
        What the expectation rests on, and in words.
    runs
        Number of earlier runs that it rests on.
    cost
        Expected; None where nothing is known.
    eur
        Price of the electricity [EUR]; None without a price or a cost.
    """

    what: str
    basis: Basis
    why: str
    runs: int
    cost: Cost | None
    eur: float | None


@dataclass(frozen=True)
class Plan:
    """What a run is expected to cost.

    Attributes
    ----------
    pipeline, machine
        What would be run, and where.
    lines
        By rung, then what is common.
    spread
        Factor of the power model that holds 90 % of cases; of energy and what follows from it.
    problems
        Lines of the ledger that could not be read.
    """

    pipeline: str
    machine: str
    lines: tuple[Line, ...]
    spread: float
    problems: tuple[str, ...]

    @property
    def total(self) -> Cost:
        """Of everything that is known."""
        return total_cost(one.cost for one in self.lines if one.cost is not None)

    @property
    def eur(self) -> float | None:
        """Price of the electricity of everything that is known [EUR]; None without a price."""
        known = [one.eur for one in self.lines if one.eur is not None]
        return sum(known) if known else None

    @property
    def unknown(self) -> tuple[str, ...]:
        """What nothing is known of."""
        return tuple(one.what for one in self.lines if one.cost is None)

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain JSON."""
        return asdict(self) | {
            "total": asdict(self.total),
            "eur": self.eur,
            "unknown": list(self.unknown),
        }


def make_plan(path: Path, ledger: Path) -> Plan:
    """Expect the cost of a pipeline; its data are not read.

    Parameters
    ----------
    path
        Pipeline file.
    ledger
        Of the project; that of a project without runs need not exist.

    Raises
    ------
    FrugalError
        If the pipeline is not valid or the ledger cannot be read.
    """
    pipeline = read_pipeline(path)
    context = build_context(pipeline.cost, folder=path.parent)
    read = read_lines(ledger) if ledger.exists() else None
    past = took(read.records, context.hardware, context.threads) if read else ()
    split = split_of(pipeline)
    grid = bare_grid(pipeline, split)
    sizes = {rung.name: size_of(pipeline, rung, grid, split) for rung in pipeline.rungs}
    lines = [_of_rung(name, size, pipeline.name, past, context) for name, size in sizes.items()]
    lines += [_common(what, pipeline.name, past, context) for what in _shared(pipeline)]
    hardware = context.hardware
    return Plan(
        pipeline=pipeline.name,
        machine=f"{hardware.cpu_model}, {hardware.cpu_count} threads",
        lines=tuple(lines),
        spread=context.power.spread,
        problems=read.problems if read else (),
    )


def _shared(pipeline: Pipeline) -> tuple[str, ...]:
    return tuple(what for what in COMMON.values() if what != "compression" or pipeline.compress)


def _of_rung(
    what: str, size: Size, pipeline: str, past: Sequence[Took], context: CostContext
) -> Line:
    alike = [one for one in past if one.what == what]
    mine = [one for one in alike if one.pipeline == pipeline]
    same = [one for one in mine if one.point.size == size]
    if same:
        why = f"{pipeline}, the same rows and features"
        return _line(what, "same", why, same, scaled(_points(same), size, 0.0), context)
    if not alike:
        return _nothing(what, f"no rung {what} in the ledger of this machine")
    used = mine or alike
    basis: Basis = "resized" if mine else "similar"
    names = ", ".join(sorted({one.pipeline for one in used}))
    fitted = exponent(_points(alike))
    power = ASSUMED_EXPONENT if fitted is None else fitted
    how = "assumed" if fitted is None else "fitted"
    why = f"{names}, scaled by rows x features^{power:.2g} ({how})"
    found = scaled(_points(used), size, power)
    return _line(what, basis, why, used, found, context)


def _common(what: str, pipeline: str, past: Sequence[Took], context: CostContext) -> Line:
    alike = [one for one in past if one.what == what]
    mine = [one for one in alike if one.pipeline == pipeline]
    if not alike:
        return _nothing(what, f"no {what} in the ledger of this machine")
    used = mine or alike
    names = ", ".join(sorted({one.pipeline for one in used}))
    found = scaled(_points(used), used[0].point.size, 0.0)
    why = names if mine else f"{names}, not scaled"
    return _line(what, "same" if mine else "similar", why, used, found, context)


def _nothing(what: str, why: str) -> Line:
    return Line(what, "unknown", why, 0, None, None)


def _points(past: Sequence[Took]) -> list[Point]:
    return [one.point for one in past]


def _line(
    what: str, basis: Basis, why: str, used: Sequence[Took], found: Point, context: CostContext
) -> Line:
    # what no line explains may be negative, which a model of power would refuse
    energy = context.power.energy(max(found.cpu_s, 0.0), max(found.wall_s, 0.0))
    cost = context.cost_of(energy, found.cpu_s, found.wall_s)
    price = context.factors.find("electricity_price", context.country)
    eur = None if price is None else cost.energy_wh / 1000 * price.value
    return Line(what, basis, why, len({one.run_id for one in used}), cost, eur)
