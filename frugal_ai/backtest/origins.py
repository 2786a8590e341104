"""Which instants forecasts are made from."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
from annotated_types import MinLen
from numpy.typing import NDArray
from pydantic import BeforeValidator, model_validator

from frugal_ai.data.calendar import DAY_S, zone
from frugal_ai.data.panel import format_time
from frugal_ai.errors import PipelineError
from frugal_ai.settings import Duration, Settings

IntArray = NDArray[np.int64]


def _clock(value: object) -> object:
    # YAML 1.1 reads 10:30 without quotes as the number 630
    if isinstance(value, int):
        raise ValueError(  # noqa: TRY004 - pydantic reports a ValueError
            f'expected a local time in quotes such as "00:00", got {value}'
        )
    return value


LocalTime = Annotated[time, BeforeValidator(_clock)]


class OriginRule(Settings):
    """Origins from the ``first`` to the ``last`` local day, at local times, every few days."""

    first: date
    last: date
    every: Duration = timedelta(days=1)
    at: Annotated[tuple[LocalTime, ...], MinLen(1)] = (time(0),)

    @model_validator(mode="after")
    def _check(self) -> "OriginRule":
        if self.last < self.first:
            raise ValueError(f"expected last on or after first ({self.first}), got {self.last}")
        if self.every < timedelta(days=1) or self.every % timedelta(days=1):
            raise ValueError("expected every to be whole days; several a day are listed in at")
        return self

    def instants(self, timezone: str) -> IntArray:
        """List the origins in ascending order [unix s]."""
        days = range(0, (self.last - self.first).days + 1, self.every.days)
        return instants([self.first + timedelta(days=d) for d in days], self.at, zone(timezone))


def instants(days: list[date], at: tuple[time, ...], place: ZoneInfo) -> IntArray:
    """Combine local days and times to instants [unix s], ascending; a repeated hour counts once."""
    found = {
        int(datetime.combine(day, clock, place).astimezone(UTC).timestamp())
        for day in days
        for clock in at
    }
    return np.array(sorted(found), np.int64)


def start_of(value: datetime | date, timezone: str) -> int:
    """Convert the start of the training period to an instant [unix s]; a date is local midnight."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return int(datetime.combine(value, time(0), zone(timezone)).timestamp())


def training_origins(
    start: int, end: int, at: tuple[time, ...], timezone: str, reach_s: int, horizon_s: int
) -> IntArray:
    """List every origin whose window and targets lie inside the training period.

    Parameters
    ----------
    start, end
        Training period [unix s]; no value at or after ``end`` is seen.
    at
        Local times of the origins.
    timezone
        IANA name.
    reach_s, horizon_s
        How far a window reaches before and after its origin [s].

    Returns
    -------
    IntArray
        Origins [O] [unix s].

    Raises
    ------
    PipelineError
        If there is none.
    """
    place = zone(timezone)
    first = datetime.fromtimestamp(start, place).date()
    count = (end - start) // DAY_S + 2
    found = instants([first + timedelta(days=d) for d in range(count)], at, place)
    found = found[(found >= start + reach_s) & (found + horizon_s <= end)]
    if not len(found):
        raise PipelineError(
            f"periods: expected room for training before {format_time(end)}, but the windows need "
            f"{(reach_s + horizon_s) / 3600:g} h and the period has {(end - start) / 3600:g} h"
        )
    return found
