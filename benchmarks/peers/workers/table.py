"""A task as data frames, for the peers that take those."""

import pandas as pd

from benchmarks.peers.task import Task


def frequency(task: Task) -> str:
    """Return the step as pandas writes it."""
    return pd.tseries.frequencies.to_offset(pd.Timedelta(seconds=task.step_s)).freqstr


def index(task: Task, part: slice) -> pd.DatetimeIndex:
    """Return the start of the intervals in UTC, without a zone, at a fixed frequency."""
    times = task.times[part]
    return pd.date_range(times[0], periods=len(times), freq=frequency(task), unit="ns")


def local(task: Task, times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Read the local clock, without a zone."""
    return times.tz_localize("UTC").tz_convert(task.timezone).tz_localize(None)


def calendar(task: Task, times: pd.DatetimeIndex) -> pd.DataFrame:
    """Return local time of day [h], day of the week and day of the year."""
    clock = local(task, times)
    return pd.DataFrame(
        {
            "local_hour": clock.hour + clock.minute / 60,
            "local_weekday": clock.dayofweek,
            "local_day_of_year": clock.dayofyear,
        },
        index=times,
    )


def known(task: Task, series: int, part: slice) -> pd.DataFrame:
    """Return calendar and known covariates of a series."""
    times = index(task, part)
    covariates = pd.DataFrame(task.known[series, part], columns=list(task.known_names), index=times)
    return pd.concat([calendar(task, times), covariates], axis=1)
