"""Which days of a test are worth a look: a week of median error, and the worst days."""

from dataclasses import dataclass

import numpy as np

from frugal_ai.backtest.metrics import FloatArray, IntArray, OriginErrors, origin_errors
from frugal_ai.data.calendar import local_days
from frugal_ai.report.forecasts import ForecastTable

_WEEK = 7  # [days]
_HOUR_S = 3600


@dataclass(frozen=True)
class Days:
    """Origins on neighbouring local days, and the mean absolute error of their forecasts.

    Attributes
    ----------
    first, last
        Local days [days since 1970-01-01].
    origins
        Which of the table's origins, ascending.
    mae
        [unit of the series].
    """

    first: int
    last: int
    origins: IntArray
    mae: float


def worst_days(table: ForecastTable, timezone: str, count: int) -> list[Days]:
    """Return the local days whose origins have the largest error, worst first.

    Parameters
    ----------
    table
        Of one series or several; errors are averaged over series.
    timezone
        IANA name of the clock that days are told by.
    count
        How many at most; of equal ones the earlier.
    """
    found = _grouped(table, timezone, length=1)
    return sorted(found, key=lambda days: -days.mae)[:count]


def median_week(table: ForecastTable, timezone: str) -> Days | None:
    """Return the week with the median error of all weeks, None where the test is shorter than one.

    Weeks are counted from the first test day on, and the last one is left out where it is cut. Of
    an even number of weeks the better one in the middle is taken.
    """
    found = _grouped(table, timezone, length=_WEEK)
    ranked = sorted(found, key=lambda days: days.mae)
    return ranked[(len(ranked) - 1) // 2] if ranked else None


def all_days(table: ForecastTable, timezone: str) -> Days:
    """Return the whole test as one."""
    days = local_days(timezone, table.origins)
    errors = origin_errors(table.forecast, table.actual)
    everything = np.arange(len(days))
    return Days(int(days[0]), int(days[-1]), everything, _mean(errors, everything))


def in_a_row(table: ForecastTable, origins: IntArray) -> IntArray:
    """Keep the origins whose forecasts follow one another, so that lines do not lie over lines.

    A forecast may reach an hour into the next, as on the day when clocks are set forward.

    Parameters
    ----------
    table
        Where the origins are from.
    origins
        Which of its origins, ascending.
    """
    horizon_s = table.steps * table.step_s
    kept: list[int] = []
    free = None  # [unix s]
    for origin in origins.tolist():
        start = int(table.origins[origin])
        if free is None or start >= free:
            kept.append(origin)
            free = start + horizon_s - min(_HOUR_S, horizon_s // 4)
    return np.array(kept, dtype=np.int64)


def _grouped(table: ForecastTable, timezone: str, length: int) -> list[Days]:
    """Split the test into runs of local days, those with a score; a last one that is cut is not."""
    days = local_days(timezone, table.origins)
    errors = origin_errors(table.forecast, table.actual)
    group = (days - days[0]) // length
    spacing = int(np.diff(np.unique(days)).min()) if len(np.unique(days)) > 1 else 1
    found = []
    for number in range(int(group[-1]) + 1):
        first = int(days[0]) + number * length
        last = first + length - 1
        origins = np.flatnonzero(group == number)
        whole = last <= days[-1] + spacing - 1
        if whole and errors.count[:, origins].any():
            found.append(Days(first, last, origins, _mean(errors, origins)))
    return found


def _mean(errors: OriginErrors, origins: IntArray) -> float:
    """Mean absolute error of some origins, averaged over the series scored there."""
    total: FloatArray = errors.total[:, origins].sum(axis=1)
    count = errors.count[:, origins].sum(axis=1)
    scored = count > 0
    return float((total[scored] / count[scored]).mean())
