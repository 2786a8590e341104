"""Calendar months in UTC, the pieces in which data are fetched and kept."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from frugal_ai.errors import PipelineError


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def start(self) -> datetime:
        """First instant."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """First instant of the month after it."""
        return self.next().start

    @property
    def last_day(self) -> date:
        """Last day."""
        return (self.end - timedelta(days=1)).date()

    def next(self) -> "Month":
        """Return the month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)


def month_of(day: date) -> Month:
    """Return the month of a day."""
    return Month(day.year, day.month)


def months(first: date, last: date) -> list[Month]:
    """List the months that a span of days touches, both ends included.

    Raises
    ------
    PipelineError
        If the span ends before it begins.
    """
    if last < first:
        raise PipelineError(f"expected --from not after --to, got --from {first} --to {last}")
    following = itertools.accumulate(
        itertools.repeat(month_of(first)), lambda month, _: month.next()
    )
    return list(itertools.takewhile(lambda month: month <= month_of(last), following))


def spans(found: list[Month]) -> str:
    """Write ascending months in a message, those that follow each other as one span."""
    runs: list[list[Month]] = []
    for month in found:
        if runs and runs[-1][-1].next() == month:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
