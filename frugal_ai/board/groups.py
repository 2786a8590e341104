"""Which models may stand in one table: what differs in targets or hardware is never pooled."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from frugal_ai.board.entries import Entry
from frugal_ai.board.filters import Filters
from frugal_ai.leaderboard.figures import is_measured

Factors = tuple[str, float, float]
"""Country, carbon intensity [gCO2e/kWh], PUE."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is equal for all models of a group.

    `factors` are a part of it where a fleet's life cycle counts: its emissions cannot be computed
    anew under another grid from what is logged. Else energy is compared, and the grid is stated.
    """

    pipeline: str
    kind: str
    unit: str
    simulated: bool
    weather: str
    targets_digest: str
    origins_test: int
    hardware: str
    energy_method: str
    forecasts: int
    fleet: str
    factors: Factors | None

    @property
    def short(self) -> str:
        """A name for an address."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Group:
    """Models that may be compared, the latest first."""

    key: Key
    entries: tuple[Entry, ...]

    @property
    def latest(self) -> Entry:
        """The model whose run ended last."""
        return self.entries[0]

    @property
    def choice(self) -> Entry | None:
        """What the latest run that chose has chosen."""
        return next((one for one in self.entries if one.chosen), None)


def factors_of(entry: Entry) -> Factors:
    """Return the carbon factors of an entry's run."""
    under = entry.circumstances
    return under.country, under.intensity_g_per_kwh, under.pue


def key_of(entry: Entry) -> Key:
    """Return what an entry may be compared under."""
    under = entry.circumstances
    return Key(
        pipeline=under.pipeline,
        kind=under.kind,
        unit=under.unit,
        simulated=under.simulated,
        weather=under.weather or "",
        targets_digest=under.targets_digest,
        origins_test=under.origins_test,
        hardware=under.hardware,
        energy_method=under.energy_method,
        forecasts=under.forecasts,
        fleet=under.fleet or "",
        factors=factors_of(entry) if under.fleet else None,
    )


def group_up(entries: Iterable[Entry]) -> list[Group]:
    """Gather entries that may be compared; the group with the latest run comes first."""
    found: dict[Key, list[Entry]] = {}
    places: dict[int, list[Entry]] = {}  # by the circumstances that all models of a run share
    for one in entries:
        place = places.get(id(one.circumstances))
        if place is None:
            place = found.setdefault(key_of(one), [])
            places[id(one.circumstances)] = place
        place.append(one)
    groups = [
        Group(key, tuple(sorted(some, key=_latest_first, reverse=True)))
        for key, some in found.items()
    ]
    return sorted(groups, key=lambda one: _latest_first(one.latest), reverse=True)


def wanted(groups: Sequence[Group], asked: Filters) -> list[Group]:
    """Return the groups that a reader asks for.

    One that is asked for by its short name gives way where another condition leaves nothing of it.
    """
    found = [one for one in groups if _fits(one, asked)]
    if asked.group and not found:
        return wanted(groups, asked.with_(group=""))
    return found


def shown(group: Group, asked: Filters) -> tuple[Entry, ...]:
    """Return the entries of a group that are shown: by default the latest of each model.

    The latest choice is always among them: a later run that was interrupted does not undo it.
    """
    if asked.runs == "all":
        return group.entries
    choice = group.choice
    kept: dict[str, Entry] = {choice.rung: choice} if choice else {}
    for one in group.entries:
        kept.setdefault(one.rung, one)
    return tuple(kept.values())


def _latest_first(entry: Entry) -> tuple[float, str]:
    return entry.ended.timestamp(), entry.run_id


def _fits(group: Group, asked: Filters) -> bool:
    key, run = group.key, group.latest.run
    return (
        asked.pipeline in {"", key.pipeline}
        and asked.hardware in {"", key.hardware}
        and asked.group in {"", key.short}
        and asked.horizon in {0, run.horizon_s}
        and (not asked.series or asked.series in run.series)
        and (asked.estimated or is_measured(key.energy_method))
    )
