"""What the feature graph must know besides the recipe: time grid, local calendar, covariates."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from frugal_ai.data.calendar import DAY_S, holiday_days, utc_offsets
from frugal_ai.errors import PipelineError
from frugal_ai.settings import format_duration

DAY_FLAGS = ("holiday", "bridge", "yearend")
_MARGIN_DAYS = 40  # how far around the valid origins a recipe may ask for a day's flags

IntArray = NDArray[np.int64]


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
    )
