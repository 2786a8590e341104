"""What the feature graph must know besides the recipe: time grid, local calendar, covariates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from frugal_ai.data.calendar import DAY_S, holiday_days, utc_offsets
from frugal_ai.errors import PipelineError
from frugal_ai.settings import format_duration

if TYPE_CHECKING:
    from frugal_ai.features.derived import Derived

SERIES = "series"
"""Static covariate that every series of a panel has: its number."""
DAY_FLAGS = ("holiday", "bridge", "yearend")
_MARGIN_DAYS = 40  # how far around the valid origins a recipe may ask for a day's flags

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """The frame of reference of one series' features.

    Attributes
    ----------
    step_s
        Length of an interval [s].
    horizon
        Number of target steps, H.
    valid_from, valid_until
        Origins [unix s] for which the calendar tables hold.
    transitions, offsets
        Instants [n] of changes of the local clock [unix s] and offsets from UTC [n + 1] [s].
    first_day, day_codes
        Local day number (days since 1970-01-01) of the first entry of the day table, and the table
        [D]: bit j is set when flag ``DAY_FLAGS[j]`` holds.
    known_names, past_names
        Covariates in the order of their tensors.
    static
        Value of each static covariate of this series.
    derived
        Signals that the graph computes from known covariates, by name.
    percentiles
        Of each known covariate and derived signal in training, the 0th to the 100th [101].
    capacity, scale
        What the target is counted in: the known covariate `capacity`, if there is one, times
        `scale` [unit of the series].
    """

    step_s: int
    horizon: int
    valid_from: int
    valid_until: int
    transitions: IntArray
    offsets: IntArray
    first_day: int
    day_codes: NDArray[np.uint8]
    known_names: tuple[str, ...] = ()
    past_names: tuple[str, ...] = ()
    static: dict[str, float] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    percentiles: Mapping[str, FloatArray] = field(default_factory=dict)
    capacity: str | None = None
    scale: float = 1.0

    @property
    def digest(self) -> str:
        """SHA-256 of the content, equal for grids that make equal graphs."""
        sha = hashlib.sha256()
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Mapping):
                value = {
                    k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in value.items()
                }
            sha.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
            sha.update(b"|")
        return sha.hexdigest()

    @property
    def raw(self) -> Grid:
        """The grid with the target in its own unit."""
        return replace(self, capacity=None, scale=1.0)

    def changes_every(self, period_s: int) -> bool:
        """Say whether the changes of the local clock are whole periods apart."""
        return bool((np.diff(self.transitions) % period_s == 0).all())

    def base(self, name: str) -> frozenset[str]:
        """Return the known covariates that a name stands for.

        Raises
        ------
        PipelineError
            If it is neither a known covariate nor derived from any.
        """
        if name in self.derived:
            return frozenset().union(*(self.base(one) for one in self.derived[name].inputs))
        position(name, self.known_names, "known")
        return frozenset({name})

    def quantiles(self, name: str, levels: FloatArray) -> FloatArray:
        """Return what a known covariate was at some levels of its values in training."""
        self.base(name)
        table = self.percentiles.get(name, np.arange(101.0))
        return np.interp(levels, np.linspace(0, 1, len(table)), table)

    def steps(self, duration: timedelta, what: str) -> int:
        """Convert a duration to a whole number of steps.

        Raises
        ------
        PipelineError
            If the duration is not a multiple of the step.
        """
        seconds = int(duration.total_seconds())
        if seconds % self.step_s:
            step = format_duration(timedelta(seconds=self.step_s))
            raise PipelineError(
                f"{what}: expected a multiple of the step ({step}), got {format_duration(duration)}"
            )
        return seconds // self.step_s


def position(name: str, names: tuple[str, ...], role: str) -> int:
    """Find a covariate among those of a role.

    Raises
    ------
    PipelineError
        If the pipeline does not declare it.
    """
    if name not in names:
        declared = ", ".join(names) or "none"
        raise PipelineError(
            f"recipe: expected a {role} covariate of the pipeline ({declared}), got {name!r}"
        )
    return names.index(name)


def day_codes(holidays: IntArray, first_day: int, n_days: int) -> NDArray[np.uint8]:
    """Code each day by its flags.

    ``holiday`` is a public holiday; ``bridge`` a Monday to Friday between a day off and a holiday;
    ``yearend`` the days from 24 December to 1 January.

    Parameters
    ----------
    holidays
        Day numbers of public holidays, days since 1970-01-01.
    first_day, n_days
        First day number and length D of the table.

    Returns
    -------
    NDArray[np.uint8]
        Codes [D]; bit j belongs to ``DAY_FLAGS[j]``.
    """
    days = np.arange(first_day, first_day + n_days)
    dates = days.astype("datetime64[D]")
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
    holiday = np.isin(days, holidays)
    off_before = np.isin(days - 1, holidays) | (weekday == 0)
    off_after = np.isin(days + 1, holidays) | (weekday == 4)
    beside_holiday = np.isin(days - 1, holidays) | np.isin(days + 1, holidays)
    bridge = off_before & off_after & beside_holiday & (weekday < 5) & ~holiday
    month = dates.astype("datetime64[M]").astype(int) % 12 + 1
    day_of_month = (dates - dates.astype("datetime64[M]")).astype(int) + 1
    yearend = ((month == 12) & (day_of_month >= 24)) | ((month == 1) & (day_of_month == 1))
    return np.asarray(holiday + 2 * bridge + 4 * yearend, dtype=np.uint8)


def local_grid(
    *,
    step_s: int,
    horizon: int,
    timezone: str,
    holidays: str | None,
    valid_from: int,
    valid_until: int,
    known_names: tuple[str, ...] = (),
    past_names: tuple[str, ...] = (),
    static: dict[str, float] | None = None,
    derived: Mapping[str, Derived] | None = None,
    capacity: str | None = None,
) -> Grid:
    """Build the grid of a series from its time zone and the country of its holidays.

    Raises
    ------
    PipelineError
        If the time zone or the country is unknown.
    """
    first_day = valid_from // DAY_S - _MARGIN_DAYS
    last_day = (valid_until + horizon * step_s) // DAY_S + _MARGIN_DAYS
    transitions, offsets = utc_offsets(timezone, first_day * DAY_S, last_day * DAY_S)
    years = [
        int(np.datetime64(day, "D").astype("datetime64[Y]").astype(int)) + 1970
        for day in (first_day, last_day)
    ]
    days_off = (
        holiday_days(holidays, years[0] - 1, years[1] + 1)
        if holidays
        else np.empty(0, dtype=np.int64)
    )
    return Grid(
        step_s=step_s,
        horizon=horizon,
        valid_from=valid_from,
        valid_until=valid_until,
        transitions=transitions,
        offsets=offsets,
        first_day=first_day,
        day_codes=day_codes(days_off, first_day, last_day - first_day + 1),
        known_names=known_names,
        past_names=past_names,
        static=static or {},
        derived=derived or {},
        capacity=capacity,
    )
