"""A folder of fetched data: one Parquet file for each month, and a manifest that vouches for them.

A file is written before the manifest names it, and each of both as a whole or not at all. So a
fetch that is interrupted leaves months that are complete, and those that are missing.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import polars as pl
from pydantic import AwareDatetime, Field, ValidationError

from frugal_ai.data.remote.months import Month, months, spans
from frugal_ai.data.rows import TIME
from frugal_ai.errors import DataError, OutputError
from frugal_ai.files import write_bytes, write_text
from frugal_ai.settings import Settings

MANIFEST = "manifest.json"
_MARGIN = timedelta(days=1)  # to interpolate at the ends of a period


class Entry(Settings):
    """What is known of the file of one month.

    Attributes
    ----------
    rows, sha256
        Number of its rows, and the checksum of its bytes.
    first, last
        Its first and last instant.
    asked_at
        When the service was asked.
    asked
        Checksum of what the service was asked for.
    urls
        The questions.
    settled
        Whether the service is expected to say the same the next time.
    """

    rows: int
    sha256: str
    first: AwareDatetime
    last: AwareDatetime
    asked_at: AwareDatetime
    asked: str
    urls: tuple[str, ...]
    settled: bool


class Manifest(Settings):
    """What a folder holds, where it comes from, and on what terms.

    Attributes
    ----------
    version
        Of this form.
    service, dataset
        Where the data come from.
    attribution
        Licence, and who is to be named.
    asked
        What is asked for in every month.
    units
        Units of the columns, where the service states them.
    months
        By the name of a month, such as ``2021-03``, its file.
    """

    version: Literal[1] = 1
    service: str
    dataset: str
    attribution: str
    asked: dict[str, Any]
    units: dict[str, str] = Field(default_factory=dict)
    months: dict[str, Entry] = Field(default_factory=dict)


def checksum(asked: Mapping[str, Any]) -> str:
    """Return one name for what is asked for."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def parquet(frame: pl.DataFrame) -> bytes:
    """Write a frame as the bytes of a Parquet file."""
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd")
    return content.getvalue()


@dataclass(frozen=True)
class Store:
    """The folder of one dataset.

    Attributes
    ----------
    folder
        Where manifest and months lie.
    command
        What a user types to fetch them, for messages.
    """

    folder: Path
    command: str = field(default="frugal-ai fetch")

    def path(self, month: str) -> Path:
        """Return the file of a month."""
        return self.folder / f"{month}.parquet"

    def manifest(self) -> Manifest | None:
        """Read the manifest; None where nothing has been fetched.

        Raises
        ------
        DataError
            If there is one that cannot be read.
        """
        path = self.folder / MANIFEST
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from None
        except ValidationError as error:
            found = error.errors(include_url=False)[0]
            key = ".".join(map(str, found["loc"])) or "content"
            raise DataError(
                f"{path}: expected the manifest of fetched data, {key}: {found['msg']}; remove the"
                f" folder and fetch again: {self.command}"
            ) from None

    def absent(self, since: int | None = None, until: int | None = None) -> str | None:
        """Say which months of a period are not there, and how they are fetched; None if all are.

        Parameters
        ----------
        since, until
            First instant of the period and the first one after it [unix s]; None for no limit.
        """
        manifest = self.manifest()
        if manifest is None or not manifest.months:
            return self._nothing()
        there = sorted(manifest.months)
        lacking = [] if since is None or until is None else _months_within(since, until)
        lacking = [month for month in lacking if str(month) not in there]
        if not lacking:
            return None
        return (
            f"{self.folder}: expected {spans(lacking)}, got months from {there[0]} to {there[-1]};"
            f" type: {self.command}"
        )

    def held(self) -> Manifest:
        """Read the manifest of what has been fetched.

        Raises
        ------
        DataError
            If nothing has, or it cannot be read.
        """
        manifest = self.manifest()
        if manifest is None or not manifest.months:
            raise DataError(self._nothing())
        return manifest

    def _nothing(self) -> str:
        return f"{self.folder}: nothing has been fetched yet; type: {self.command}"

    def put(
        self,
        manifest: Manifest,
        month: Month,
        frame: pl.DataFrame,
        *,
        asked_at: datetime,
        urls: tuple[str, ...],
        settled: bool,
    ) -> Manifest:
        """Write the rows of a month, and then the manifest that names them.

        Parameters
        ----------
        manifest
            What the folder is to hold besides.
        month, frame
            The month and its rows, with a column ``timestamp``.
        asked_at, urls, settled
            As in `Entry`.

        Returns
        -------
        Manifest
            As it was written.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        content = parquet(frame)
        entry = Entry(
            rows=frame.height,
            sha256=hashlib.sha256(content).hexdigest(),
            first=cast(datetime, frame[TIME].min()),
            last=cast(datetime, frame[TIME].max()),
            asked_at=asked_at,
            asked=checksum(manifest.asked),
            urls=urls,
            settled=settled,
        )
        entries = dict(sorted({**manifest.months, str(month): entry}.items()))
        manifest = manifest.model_copy(update={"months": entries})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be written: {error.strerror}") from error
        write_bytes(self.path(str(month)), content)
        write_text(self.folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
        return manifest

    def content(self, month: str, entry: Entry) -> bytes | None:
        """Read the file of a month; None if it is not what was written."""
        try:
            content = self.path(month).read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == entry.sha256 else None

    def read(self, since: int | None = None, until: int | None = None) -> pl.DataFrame:
        """Read the months that a period touches, or all months if it touches none.

        Parameters
        ----------
        since, until
            First instant of the period and the first one after it [unix s]; None for no limit.

        Raises
        ------
        DataError
            If nothing has been fetched, or a file is not what was fetched.
        """
        every = sorted(self.held().months.items())
        chosen = [item for item in every if _touches(item[1], since, until)] or every
        return pl.concat([self._frame(month, entry) for month, entry in chosen], how="diagonal")

    def _frame(self, month: str, entry: Entry) -> pl.DataFrame:
        content = self.content(month, entry)
        if content is None:
            raise DataError(
                f"{self.path(month)}: expected the file as it was fetched, got none, or one that is"
                f" cut or changed; fetch it again: {self.command}"
            )
        return pl.read_parquet(io.BytesIO(content))


def _months_within(since: int, until: int) -> list[Month]:
    first, last = (datetime.fromtimestamp(t, UTC).date() for t in (since, max(until - 1, since)))
    return months(first, last)


def _touches(entry: Entry, since: int | None, until: int | None) -> bool:
    after = until is None or (entry.first - _MARGIN).timestamp() < until
    return after and (since is None or (entry.last + _MARGIN).timestamp() >= since)


def is_fresh(entry: Entry, month: Month, asked: str, now: datetime) -> bool:
    """Tell whether a month need not be asked for again.

    One that is not settled is asked for once a day, since the services publish once a day; one
    that was not over when it was asked for, always.
    """
    if entry.asked != asked:
        return False
    over = entry.asked_at >= month.end
    today = entry.asked_at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return entry.settled or (over and today)
