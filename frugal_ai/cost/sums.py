"""What ledgers come to, by model, pipeline, project or period."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import fsum
from typing import Literal, get_args

from frugal_ai.cost.record import Record
from frugal_ai.errors import CostError

By = Literal["model", "pipeline", "project", "run", "stage", "year", "month", "day"]
BY: tuple[By, ...] = get_args(By)
_KEYS: dict[By, Callable[[Record], str]] = {
    "model": lambda one: one.model_id or (f"{one.experiment_id}/{one.rung}" if one.rung else ""),
    "pipeline": lambda one: one.experiment_id or one.project_name,
    "project": lambda one: one.project_name,
    "run": lambda one: one.run_id,
    "stage": lambda one: one.stage,
    "year": lambda one: one.timestamp[:4],
    "month": lambda one: one.timestamp[:7],
    "day": lambda one: one.timestamp[:10],
}


@dataclass(frozen=True)
class Sum:
    """What some records come to.

    Attributes
    ----------
    key
        What they have in common; empty where they name none, as work that no model bears.
    records
        Their number.
    cpu_s, kwh, co2e_g
        CPU time [s], electricity [kWh], emissions [gCO2e].
    eur
        Money of those that have a price [EUR].
    """

    key: str
    records: int
    cpu_s: float
    kwh: float
    co2e_g: float
    eur: float


def sums(records: Iterable[Record], by: By) -> tuple[Sum, ...]:
    """Add records up, in the order of their keys.

    Parameters
    ----------
    records
        Of one run or of many; a record that stands twice counts once.
    by
        What groups have in common. Periods are those of the time of booking, UTC.

    Raises
    ------
    CostError
        If there is no such grouping.
    """
    if by not in _KEYS:
        raise CostError(f"sums: expected one of {', '.join(BY)}, got {by!r}")
    groups: dict[str, dict[Record, None]] = {}
    for one in records:
        groups.setdefault(_KEYS[by](one), {})[one] = None
    return tuple(_sum(key, tuple(groups[key])) for key in sorted(groups))


def _sum(key: str, records: tuple[Record, ...]) -> Sum:
    return Sum(
        key=key,
        records=len(records),
        cpu_s=fsum(one.cpu_time_s for one in records),
        kwh=fsum(one.energy_consumed for one in records),
        co2e_g=1000 * fsum(one.emissions for one in records),
        eur=fsum(one.cost_eur or 0.0 for one in records),
    )
