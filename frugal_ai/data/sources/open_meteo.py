"""Weather forecasts of the past by Open-Meteo, fetched with frugal-ai fetch open-meteo."""

from pathlib import Path
from typing import Literal

import polars as pl

from frugal_ai.data import table
from frugal_ai.data.frame import covariate_names
from frugal_ai.data.remote.store import Store
from frugal_ai.data.remote.weather import Kind, Place, Variable, folder
from frugal_ai.data.rows import SERIES, VALUE
from frugal_ai.data.source import Request, listed
from frugal_ai.data.sources._fetched import Fetched, days, fetched_to, normal
from frugal_ai.data.sources.file import CovariateColumn, CovariateTable


class Table(CovariateTable):
    """Fetched weather as a table of covariates; its series are the places.

    Attributes
    ----------
    path
        The folder that was given to the command as ``--out``.
    dataset
        ``historical-forecast``: forecasts of short lead, which do not say when they became known;
        or ``previous-runs``: vintages.
    places
        CSV file with name, latitude and longitude of the places that the pipeline needs, relative
        to its folder: where nothing has been fetched, the error names it in the command.
    lead_days
        Leads that the pipeline needs of ``previous-runs``, likewise.
    """

    source: Literal["open_meteo"] = "open_meteo"
    dataset: Kind = "historical-forecast"
    places: Path | None = None
    lead_days: tuple[int, ...] = (1, 2)

    def absent(self, request: Request) -> str | None:
        """Say what has to be fetched first, and by which command; None if nothing has."""
        used = [self.columns[name] for name in covariate_names(request) if name in self.columns]
        store = self._store(request) if used else None
        if store is None:
            return None
        return store.absent(request.since, request.until) or self._lacking(store, used)

    def _lacking(self, store: Store, used: list[CovariateColumn]) -> str | None:
        """Say which variables or places of the columns in use have not been fetched."""
        asked = store.held().asked
        places = [place["name"] for place in asked["places"]]
        lacking = [spec.column for spec in used if spec.column not in asked["variables"]]
        lacking += [spec.series for spec in used if spec.series and spec.series not in places]
        if not lacking:
            return None
        return (
            f"{store.folder}: expected {listed(dict.fromkeys(lacking))}, got"
            f" {listed([*asked['variables'], *places], 30)}; type: {store.command}"
        )

    def _store(self, request: Request) -> Store | None:
        """Return the folder that is read, or None where a file stands in its place."""
        out = fetched_to(request.base / self.path, request.replacements.get(self.name))
        if out is None:
            return None
        variables = dict.fromkeys(spec.column for spec in self.columns.values())
        places = "FILE" if self.places is None else normal(request.base / self.places)
        leads = ""
        if self.dataset == "previous-runs":
            leads = f" --lead-times {','.join(map(str, self.lead_days))}"
        return Store(
            out / folder(self.dataset),
            f"frugal-ai fetch open-meteo --places {places} --variables {','.join(variables)}"
            f" {days(request)}{leads} --out {out}",
        )

    def table(self, request: Request) -> table.Table:
        """Read the months that the request touches."""
        store = self._store(request)
        if store is None:
            return super().table(request)
        frame = store.read(request.since, request.until)
        return table.from_frame(frame, str(store.folder))


class Source(Fetched):
    """Fetched weather as series: a variable at each place.

    The other variables are covariates, and ``latitude`` and ``longitude`` static ones. Only
    ``historical-forecast`` has one value for each time.

    Attributes
    ----------
    path
        The folder that was given to the command as ``--out``.
    value
        Which variable, such as ``temperature_2m``.
    """

    name: Literal["open_meteo"] = "open_meteo"
    value: Variable

    def _held_in(self, out: Path, request: Request) -> Store:
        return Store(
            out / folder("historical-forecast"),
            f"frugal-ai fetch open-meteo --places FILE --variables {self.value} {days(request)}"
            f" --out {out}",
        )

    def _main(self, request: Request) -> table.Table:
        store = self._store(request)
        if store is None:
            return super()._main(request)
        rows = table.from_frame(store.read(request.since, request.until), str(store.folder))
        rows.need([self.value])
        asked = store.held().asked["places"]
        where = pl.DataFrame([Place.model_validate(place).model_dump() for place in asked])
        located = rows.frame.join(where, left_on=SERIES, right_on="name", how="left")
        return rows.with_frame(located.with_columns(pl.col(self.value).alias(VALUE)))
