"""The whole bill of a model under a fleet: lines, totals, ranges, what matters, break-even."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from frugal_ai.bill.amount import Amount, Value
from frugal_ai.bill.basis import Basis, Kind
from frugal_ai.bill.breakeven import breakevens
from frugal_ai.bill.compose import compose
from frugal_ai.bill.evaluate import Line, summed
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.bill.sci import Sci, sci
from frugal_ai.bill.tornado import Turn, tornado
from frugal_ai.bill.uncertainty import Range, Swings, swing
from frugal_ai.cost.factors import Factors
from frugal_ai.cost.record import STAGES, Stage

Ranges = dict[Kind, Range]


@dataclass(frozen=True)
class Figures:
    """What one line or the whole comes to; a price that is not known is None.

    Attributes
    ----------
    kwh, gco2e, eur
        Electricity, emissions and money.
    kwh_ranges, gco2e_ranges, eur_ranges
        Of each, by kind of uncertainty; never merged.
    """

    kwh: float
    gco2e: float
    eur: float | None
    kwh_ranges: Ranges
    gco2e_ranges: Ranges
    eur_ranges: Ranges | None


@dataclass(frozen=True)
class BillLine:
    """One line: its stage, what of it, and what it comes to."""

    stage: Stage
    what: str
    figures: Figures


@dataclass(frozen=True)
class Bill:
    """What a model costs over the life of a fleet.

    Attributes
    ----------
    model, fleet
        Their names.
    lines
        In the order of the stages; those that come to nothing are left out.
    stages
        The lines of each stage together.
    whole
        All of them.
    own_g
        The part that hangs on which model it is: run, retraining, pushes, inference [gCO2e].
    sci
        Emissions of a functional unit, with their terms.
    turns
        What it depends on, the most telling first.
    breakevens
        Sentences.
    notes
        What a reader should know.
    factor_set_id
        Digest of the factors.
    """

    model: str
    fleet: str
    lines: tuple[BillLine, ...]
    stages: dict[Stage, Figures]
    whole: Figures
    own_g: float
    sci: Sci
    turns: tuple[Turn, ...]
    breakevens: tuple[str, ...]
    notes: tuple[str, ...]
    factor_set_id: str

    def to_json(self) -> str:
        """Write it as one JSON object; what is not known is null."""
        return json.dumps(_known(asdict(self)), indent=1, ensure_ascii=False)


OWN: frozenset[Stage] = frozenset(
    (*STAGES[: STAGES.index("inference") + 1], "metering", "unattributed")
)
"""Stages that hang on which model it is."""


def make_bill(fleet: Fleet, model: Model, factors: Factors) -> Bill:
    """Compute a bill.

    Raises
    ------
    CostError
        If a country has no carbon intensity, or a factor that the fleet needs is not there.
    """
    basis = compose(fleet, model, factors)
    swings = swing(basis)
    plain = {line: _first(amount) for line, amount in swings.lines.items()}
    order = sorted(plain, key=lambda line: STAGES.index(line.stage))
    shown = [line for line in order if _counts(plain[line])]
    by_stage: dict[Stage, Figures] = {}
    for stage in dict.fromkeys(line.stage for line in shown):
        parts = {line: swings.lines[line] for line in shown if line.stage == stage}
        by_stage[stage] = _figures(swings, summed(parts))
    return Bill(
        model=model.name,
        fleet=fleet.label,
        lines=tuple(
            BillLine(line.stage, line.what, _figures(swings, swings.lines[line])) for line in shown
        ),
        stages=by_stage,
        whole=_figures(swings, swings.total),
        own_g=sum(float(one.gco2e) for line, one in plain.items() if line.stage in OWN),
        sci=sci(basis, fleet, plain),
        turns=tornado(swings),
        breakevens=breakevens(fleet, model, basis, plain),
        notes=(*model.notes, *_notes(fleet, basis, plain)),
        factor_set_id=factors.digest(),
    )


def _first(amount: Amount) -> Amount:
    return Amount(*(float(np.ravel(value)[0]) for value in (amount.kwh, amount.gco2e, amount.eur)))


def _counts(amount: Amount) -> bool:
    return any(value != 0 for value in (amount.kwh, amount.gco2e))


def _figures(swings: Swings, amount: Amount) -> Figures:
    eur = float(np.ravel(amount.eur)[0])
    known = math.isfinite(eur)
    return Figures(
        kwh=float(np.ravel(amount.kwh)[0]),
        gco2e=float(np.ravel(amount.gco2e)[0]),
        eur=eur if known else None,
        kwh_ranges=swings.ranges(amount.kwh),
        gco2e_ranges=swings.ranges(amount.gco2e),
        eur_ranges=swings.ranges(amount.eur) if known else None,
    )


def _notes(fleet: Fleet, basis: Basis, lines: dict[Line, Amount]) -> tuple[str, ...]:
    notes = []
    if fleet.allocation.rule == "marginal":
        notes.append("allocation marginal: rest and manufacture of the gateways are not charged")
    if any(one.price_eur is None for one in fleet.gateways) and fleet.allocation.reserved:
        notes.append("the gateways have no price_eur: their purchase is not in EUR")
    if not _known_price(basis.rates.eur_per_kwh):
        notes.append(f"no price of electricity is known for {fleet.country}: EUR is left out; "
                     "give a row electricity_price in --factors")  # fmt: skip
    if fleet.allocation.reserved and any(one.idle_w is None for one in fleet.gateways):
        notes.append("gateways without idle_w and busy_w draw what a Raspberry Pi 4 does")
    if fleet.allocation.reserved and any(one.embodied_kg is None for one in fleet.gateways):
        notes.append("manufacture of gateways is that of a proxy: see device and embodied_kg")
    if fleet.network == "mobile":
        notes.append("the mobile network is that of France, an upper bound")
    if float(lines[Line("transport", "lines")].gco2e):
        notes.append("the subscription of fixed lines is not in EUR")
    notes.append("avoided emissions are never netted")
    return tuple(notes)


def _known_price(value: Value) -> bool:
    return math.isfinite(float(value))


def _known(value: Any) -> Any:
    """Replace what JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _known(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return value
