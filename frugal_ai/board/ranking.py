"""Models of a group in order: by energy, ties shown as ties, CO2e under one stated factor."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from frugal_ai.board.entries import Entry, readable
from frugal_ai.board.filters import Filters, Metric, Scope
from frugal_ai.board.groups import Group, factors_of, shown
from frugal_ai.board.leads import of_lead
from frugal_ai.selection.candidate import tied_costs
from frugal_ai.selection.pareto import front

_SIGMAS = 1.96  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Stated:
    """The one factor that all CO2e of a table are under.

    `own` tells whether it is that of every run; else they are computed anew from energy.
    """

    country: str
    intensity: float  # [gCO2e/kWh]
    pue: float
    own: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """A model with its place.

    Attributes
    ----------
    error, error_ci
        By the metric and the lead times that are asked for; None where they are not known.
    grams, grams_ci
        By the scope that is asked for, under the stated factor [gCO2e]; the interval is that of
        repeated measurements.
    training_g, use_g
        Of training, of a thousand forecasts, under the stated factor [gCO2e].
    energy_rank, error_rank
        From 1 on; models that cannot be told apart share one.
    energy_tied, error_tied
        Whether another has the same rank.
    on_front
        Whether no other is better in error and in carbon at once.
    gain_per_g
        Gain [1] over the model `over` of the same run for each gram more that it costs [1/gCO2e];
        None where it costs no more.
    """

    entry: Entry
    error: float | None
    error_ci: tuple[float, float] | None
    grams: float | None
    grams_ci: tuple[float, float] | None
    training_g: float | None
    use_g: float | None
    energy_rank: int | None = None
    energy_tied: bool = False
    error_rank: int | None = None
    error_tied: bool = False
    on_front: bool = False
    gain_per_g: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A group, ranked.

    `recommended` is what the latest run that chose has chosen; None where there is none.
    """

    group: Group
    stated: Stated
    rows: tuple[Ranked, ...]
    recommended: Ranked | None


def rank(group: Group, asked: Filters) -> Board:
    """Rank the models of a group that are shown."""
    entries = readable(shown(group, asked))
    stated = state(entries, group.latest, asked.intensity)
    rows = [_ranked(one, asked, stated) for one in entries]
    rows = _with_front(_with_error_ranks(_with_energy_ranks(rows), asked))
    rows = _with_gains(rows)
    chosen = next((one for one in rows if one.entry is group.choice), None)
    return Board(group, stated, tuple(rows), chosen)


def state(entries: Sequence[Entry], latest: Entry, intensity: float | None) -> Stated:
    """Return the factor that a table is under: that of the latest run unless one is asked for."""
    country, own, pue = factors_of(latest)
    alike = all(factors_of(one) == factors_of(latest) for one in entries)
    if intensity is None or intensity == own:
        return Stated(country, own, pue, own=alike)
    return Stated("", intensity, pue, own=False)


def _ranked(entry: Entry, asked: Filters, stated: Stated) -> Ranked:
    row = entry.row
    training = _restated(row.co2e_g, row.energy_wh, entry, stated)
    use = _restated(row.co2e_g_per_1000, None, entry, stated)
    grams = {"training": training, "inference": use, "life": _life(entry, training, use)}
    value = grams[asked.scope]
    spread = _SIGMAS * row.co2e_spread if row.co2e_spread else None
    ends = None
    if value is not None and spread:
        ends = (value * max(1 - spread, 0.0), value * (1 + spread))
    error, error_ci = _error(entry, asked)
    return Ranked(
        entry=entry,
        error=error,
        error_ci=error_ci,
        grams=value,
        grams_ci=ends,
        training_g=training,
        use_g=use,
    )


def _error(entry: Entry, asked: Filters) -> tuple[float | None, tuple[float, float] | None]:
    if asked.lead is not None:
        found = of_lead(entry, asked.lead)
        return (found.mae, found.mae_ci) if found else (None, None)
    row = entry.row
    return getattr(row, asked.metric), getattr(row, f"{asked.metric}_ci")


def _restated(
    grams: float | None, energy_wh: float | None, entry: Entry, stated: Stated
) -> float | None:
    """Compute emissions under the stated factor from energy at the machine."""
    country, intensity, pue = factors_of(entry)
    if grams is None or (country, intensity, pue) == (
        stated.country, stated.intensity, stated.pue,
    ):  # fmt: skip
        return grams
    if energy_wh is not None:
        return energy_wh / pue / 1000 * stated.pue * stated.intensity
    if intensity == 0:
        return None  # emissions of nothing do not tell the energy
    return grams / intensity / pue * stated.pue * stated.intensity


def _life(entry: Entry, training: float | None, use: float | None) -> float | None:
    if entry.row.life_cycle_g is not None:
        return entry.row.life_cycle_g
    if training is None or use is None:
        return None
    return training + use * entry.row.forecasts / 1000


def _with_energy_ranks(rows: Sequence[Ranked]) -> list[Ranked]:
    """Rank by energy: under one factor that is the order of emissions."""
    known = [one for one in rows if one.grams is not None]
    if not known:
        return list(rows)
    costs = np.array([one.grams for one in known], dtype=np.float64)
    spread = np.array([one.entry.row.co2e_spread or 0.0 for one in known], dtype=np.float64)
    tied = tied_costs(costs, spread)
    places = {
        id(one): (float(value), cost) for one, value, cost in zip(known, tied, costs, strict=True)
    }
    return _placed(
        rows,
        lambda one: places.get(id(one)),
        lambda first, other: places[id(first)][0] == places[id(other)][0],
        "energy",
    )


def _with_error_ranks(rows: Sequence[Ranked], asked: Filters) -> list[Ranked]:
    """Rank by error: not told apart are intervals that overlap, unless the run proved the gain.

    It proved that of the whole horizon, which says nothing of a band of lead times.
    """

    def tie(better: Ranked, worse: Ranked) -> bool:
        return _error_tie(better, worse, proven=asked.lead is None and _proven(better, worse))

    return _placed(rows, lambda one: None if one.error is None else (one.error,), tie, "error")


def _error_tie(better: Ranked, worse: Ranked, *, proven: bool) -> bool:
    if better.error == worse.error:
        return True
    if better.error_ci is None or worse.error_ci is None or proven:
        return False
    return better.error_ci[1] >= worse.error_ci[0]


def _proven(better: Ranked, worse: Ranked) -> bool:
    """Whether the run itself proved the gain, on the same origins in pairs."""
    one, other = better.entry.row, worse.entry.row
    return one.verdict == "worth it" and (one.over, one.run_id) == (other.rung, other.run_id)


def _placed(
    rows: Sequence[Ranked],
    order: Callable[[Ranked], tuple[float, ...] | None],
    tie: Callable[[Ranked, Ranked], bool],
    name: str,
) -> list[Ranked]:
    """Give ranks; a rank is shared by all that are tied with the first that has it."""
    known = sorted(
        (one for one in rows if order(one) is not None), key=lambda one: order(one) or ()
    )
    ranks: dict[int, int] = {}
    leader: Ranked | None = None
    for place, one in enumerate(known, start=1):
        if leader is not None and tie(leader, one):
            ranks[id(one)] = ranks[id(leader)]
        else:
            leader, ranks[id(one)] = one, place
    shared = Counter(ranks.values())
    return [
        _changed(one, **{f"{name}_rank": at, f"{name}_tied": shared[at] > 1})
        if (at := ranks.get(id(one))) is not None
        else one
        for one in rows
    ]


def _changed(one: Ranked, **changes: object) -> Ranked:
    return replace(one, **changes)  # type: ignore[arg-type]  # by name


def _with_front(rows: Sequence[Ranked]) -> list[Ranked]:
    known = [one for one in rows if _plain(one)]
    if not known:
        return list(rows)
    errors = np.array([one.error for one in known], dtype=np.float64)
    costs = np.array([one.grams for one in known], dtype=np.float64)
    kept = {id(one) for one, keep in zip(known, front(errors, costs), strict=True) if keep}
    return [_changed(one, on_front=True) if id(one) in kept else one for one in rows]


def _plain(one: Ranked) -> bool:
    return one.error is not None and one.grams is not None and math.isfinite(one.error)


def _with_gains(rows: Sequence[Ranked]) -> list[Ranked]:
    by_name = {(one.entry.row.run_id, one.entry.row.rung): one for one in rows}

    def per_gram(one: Ranked) -> float | None:
        row = one.entry.row
        before = by_name.get((row.run_id, row.over or ""))
        if before is None or row.gain is None or one.grams is None or before.grams is None:
            return None
        more = one.grams - before.grams
        return row.gain / more if more > 0 else None

    return [_changed(one, gain_per_g=per_gram(one)) for one in rows]


_KEYS: dict[str, Callable[[Ranked], object]] = {
    "energy": lambda one: one.grams,
    "rung": lambda one: one.entry.row.rung,
    "error": lambda one: one.error,
    "skill": lambda one: one.entry.row.skill,
    "pinball": lambda one: one.entry.row.pinball,
    "training": lambda one: one.training_g,
    "use": lambda one: one.use_g,
    "year": lambda one: one.entry.g_per_year,
    "gain": lambda one: one.gain_per_g,
    "bytes": lambda one: one.entry.row.bytes,
    "ended": lambda one: one.entry.row.ended,
}


def ordered(rows: Sequence[Ranked], asked: Filters) -> list[Ranked]:
    """Sort rows; what is not known comes last either way."""
    key = _KEYS[asked.sort]
    known = [one for one in rows if key(one) is not None]
    unknown = [one for one in rows if key(one) is None]
    known.sort(key=lambda one: (key(one), one.entry.row.rung), reverse=asked.descending)
    return [*known, *unknown]


__all__ = ["Board", "Metric", "Ranked", "Scope", "Stated", "ordered", "rank", "state"]
