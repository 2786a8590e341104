"""Month after month from a service into a folder; what is there already is not asked for again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from frugal_ai.data.remote.http import Client
from frugal_ai.data.remote.months import Month, months, spans
from frugal_ai.data.remote.store import Manifest, Store, checksum, is_fresh
from frugal_ai.errors import DataError

Progress = Callable[[str, int, int], None]
"""Is told what is done, how many months are done, and of how many."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a service has for a month.

    Attributes
    ----------
    frame
        Rows with a column ``timestamp`` in UTC.
    urls
        How it was asked.
    settled
        Whether it is expected to say the same the next time.
    units
        Units of the columns, where the service states them.
    blank
        Columns that were asked for and hold no value.
    """

    frame: pl.DataFrame
    urls: tuple[str, ...]
    settled: bool
    units: Mapping[str, str] = field(default_factory=dict)
    blank: tuple[str, ...] = ()


class Endpoint(Protocol):
    """A dataset of a service, and what is wanted of it."""

    @property
    def service(self) -> str:
        """Name of the service."""
        ...

    @property
    def dataset(self) -> str:
        """Name of the dataset and of its folder."""
        ...

    @property
    def attribution(self) -> str:
        """Licence, and who is to be named."""
        ...

    def asked(self) -> dict[str, Any]:
        """Say what is wanted, in plain JSON."""
        ...

    def with_also(self, asked: Mapping[str, Any]) -> "Endpoint":
        """Return an endpoint that wants also what was asked for before.

        Raises
        ------
        DataError
            If both contradict each other.
        """
        ...

    def ask(self, client: Client, month: Month, now: datetime) -> Answer:
        """Ask for a month that has begun.

        Raises
        ------
        DataError
            If the service does not answer as it should.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be fetched, and into which folder.

    Attributes
    ----------
    first, last
        First and last day; whole months are fetched.
    out
        Folder in which the folder of the dataset lies.
    refresh
        Ask again for what is there.
    now
        The time at which this is asked.
    """

    first: date
    last: date
    out: Path
    refresh: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, kw_only=True)
class FetchReport:
    """What was fetched, and what the folder then holds of the span asked for."""

    dataset: str
    folder: Path
    fetched: int
    kept: int
    rows: int
    first: datetime
    last: datetime

    def line(self) -> str:
        """Say it in one line."""
        count = self.fetched + self.kept
        return (
            f"{self.dataset}: {count} month{'s' * (count != 1)}, {self.rows:,} rows from"
            f" {self.first:%Y-%m-%dT%H:%MZ} to {self.last:%Y-%m-%dT%H:%MZ} in {self.folder}"
            f" ({self.fetched} fetched, {self.kept} were there)"
        )


def fetch(
    endpoint: Endpoint,
    order: Order,
    client: Client,
    *,
    progress: Progress,
    tell: Callable[[str], None],
) -> FetchReport:
    """Fetch a span of months; what is done stays when it is interrupted.

    Parameters
    ----------
    endpoint
        What is wanted.
    order
        Which months of it, and where they go.
    client
        Asks the service.
    progress
        Follows the months.
    tell
        Hears of empty months, damaged files and columns without a value.

    Raises
    ------
    DataError
        If the service cannot be reached or does not answer as it should, if there are no rows at
        all, or if a month without rows lies between others.
    OutputError
        If a file cannot be written.
    """
    wanted = months(order.first, order.last)
    begun = [month for month in wanted if month.start < order.now]
    store = Store(order.out / endpoint.dataset)
    manifest = store.manifest()
    if manifest is not None:
        endpoint = endpoint.with_also(manifest.asked)
    book = _Book(endpoint, store, manifest or _new(endpoint), order.now, tell)
    for done, month in enumerate(begun):
        progress(f"{endpoint.dataset} {month}", done, len(begun))
        if order.refresh or not book.holds(month):
            book.take(month, endpoint.ask(client, month, order.now))
    progress(endpoint.dataset, len(begun), len(begun))
    return book.report(wanted)


def _new(endpoint: Endpoint) -> Manifest:
    return Manifest(
        service=endpoint.service,
        dataset=endpoint.dataset,
        attribution=endpoint.attribution,
        asked=endpoint.asked(),
    )


@dataclass
class _Book:
    """Keeps the manifest while months come in, in the order of time."""

    endpoint: Endpoint
    store: Store
    manifest: Manifest
    now: datetime
    tell: Callable[[str], None]
    fetched: int = 0
    kept: int = 0
    empty: list[Month] = field(default_factory=list)
    blank: dict[str, list[Month]] = field(default_factory=dict)

    def holds(self, month: Month) -> bool:
        """Tell whether a month is there as it is wanted."""
        entry = self.manifest.months.get(str(month))
        if entry is None or not is_fresh(entry, month, checksum(self.endpoint.asked()), self.now):
            return False
        if self.store.content(str(month), entry) is None:
            self.tell(f"{self.store.path(str(month))}: not as it was fetched; asked for again")
            return False
        self._check_no_hole(month)
        self.kept += 1
        return True

    def take(self, month: Month, answer: Answer) -> None:
        """Put a month into the folder."""
        if answer.frame.is_empty():
            self.empty.append(month)
            return
        self._check_no_hole(month)
        for name in answer.blank:
            self.blank.setdefault(name, []).append(month)
        held = self.manifest.model_copy(
            update={
                "asked": self.endpoint.asked(),
                "units": {**self.manifest.units, **answer.units},
            }
        )
        self.manifest = self.store.put(
            held,
            month,
            answer.frame,
            asked_at=self.now,
            urls=answer.urls,
            settled=answer.settled,
        )
        self.fetched += 1

    def _check_no_hole(self, month: Month) -> None:
        """Refuse a month with rows after one without, where others with rows came before."""
        if self.empty and self.fetched + self.kept:
            raise DataError(
                f"{self.endpoint.dataset}: expected rows in every month, got none for"
                f" {spans(self.empty)} and some for {month}; what was fetched before is kept"
            )
        if self.empty:
            self._tell_empty()
            self.empty = []

    def _tell_empty(self) -> None:
        self.tell(f"{self.endpoint.dataset}: no rows for {spans(self.empty)}")

    def report(self, wanted: list[Month]) -> FetchReport:
        """Say what was fetched of the months that were wanted."""
        future = [month for month in wanted if month.start >= self.now]
        self.empty += future
        if self.empty and self.fetched + self.kept:
            self._tell_empty()
        for name, found in self.blank.items():
            self.tell(f"{self.endpoint.dataset}: {name}: no value in {spans(found)}")
        entries = [
            self.manifest.months[str(month)]
            for month in wanted
            if str(month) in self.manifest.months
        ]
        if not entries:
            raise DataError(f"{self.endpoint.dataset}: expected rows, got none for {spans(wanted)}")
        return FetchReport(
            dataset=self.endpoint.dataset,
            folder=self.store.folder,
            fetched=self.fetched,
            kept=self.kept,
            rows=sum(entry.rows for entry in entries),
            first=min(entry.first for entry in entries),
            last=max(entry.last for entry in entries),
        )
