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
        return next((one for one in self.entries if one.row.chosen), None)


def factors_of(entry: Entry) -> Factors:
    """Return the carbon factors of an entry's run."""
    return entry.row.country, entry.row.intensity_g_per_kwh, entry.row.pue


def key_of(entry: Entry) -> Key:
    """Return what an entry may be compared under."""
    row = entry.row
    return Key(
        pipeline=row.pipeline,
        kind=row.kind,
        unit=row.unit,
        simulated=row.simulated,
        weather=row.weather or "",
        targets_digest=row.targets_digest,
        origins_test=row.origins_test,
        hardware=row.hardware,
        energy_method=row.energy_method,
        forecasts=row.forecasts,
        fleet=row.fleet or "",
        factors=factors_of(entry) if row.fleet else None,
    )


def group_up(entries: Iterable[Entry]) -> list[Group]:
    """Gather entries that may be compared; the group with the latest run comes first."""
    found: dict[Key, list[Entry]] = {}
    for one in entries:
        found.setdefault(key_of(one), []).append(one)
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
    kept: dict[str, Entry] = {choice.row.rung: choice} if choice else {}
    for one in group.entries:
        kept.setdefault(one.row.rung, one)
    return tuple(kept.values())


def _latest_first(entry: Entry) -> tuple[float, str]:
    return entry.row.ended.timestamp(), entry.row.run_id


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
