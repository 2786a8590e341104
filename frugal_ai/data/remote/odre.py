"""eCO2mix from the portal Open Data Réseaux Énergies, by its Opendatasoft Explore API v2.1."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import polars as pl

from frugal_ai.data.remote.eco2mix import (
    INSTANT,
    NATIONAL,
    REGION_CODE,
    REGIONAL,
    STEP_S,
    Dataset,
    Schema,
    is_real_time,
    to_frame,
)
from frugal_ai.data.remote.fetch import Answer
from frugal_ai.data.remote.http import Client
from frugal_ai.data.remote.months import Month
from frugal_ai.data.rows import TIME

URL = "https://odre.opendatasoft.com/api/explore/v2.1"
_SCHEMAS: dict[Dataset, Schema] = {"eco2mix-national": NATIONAL, "eco2mix-regional": REGIONAL}


@dataclass(frozen=True)
class Eco2mix:
    """Consolidated and definitive data, and real-time data of what is not yet consolidated.

    Attributes
    ----------
    dataset
        ``eco2mix-national`` or ``eco2mix-regional``.
    regions
        INSEE's codes of the regions that are wanted; empty for all.
    """

    dataset: Dataset
    regions: tuple[str, ...] = ()
    service: str = "ODRÉ"
    attribution: str = "Source: RTE, Open Data Réseaux Énergies (ODRÉ), Licence Ouverte 2.0"

    def asked(self) -> dict[str, Any]:
        """Say what is wanted, in plain JSON."""
        return {"regions": sorted(self.regions)}

    def with_also(self, asked: Mapping[str, Any]) -> "Eco2mix":
        """Return an endpoint that wants also the regions that were asked for before."""
        before = tuple(asked.get("regions", ()))
        every = not before or not self.regions
        return replace(self, regions=() if every else tuple(sorted({*before, *self.regions})))

    def ask(self, client: Client, month: Month, now: datetime) -> Answer:  # noqa: ARG002 - the portal ends where its data end
        """Ask for a month: for its consolidated data, and for the real-time data after them."""
        settled, url = self._export(client, "cons-def", month)
        last = cast(datetime | None, settled[TIME].max())
        step = timedelta(seconds=STEP_S)
        if last is not None and last >= month.end - step:
            return Answer(frame=settled, urls=(url,), settled=not is_real_time(settled).any())
        recent, recent_url = self._export(client, "tr", month)
        if last is not None:
            recent = recent.filter(pl.col(TIME) >= last + step)
        frame = pl.concat([settled, recent], how="diagonal")
        return Answer(frame=frame, urls=(url, recent_url), settled=False)

    def _export(self, client: Client, kind: str, month: Month) -> tuple[pl.DataFrame, str]:
        dataset = f"{self.dataset}-{kind}"
        params = {"where": self._where(month), "order_by": INSTANT, "timezone": "UTC"}
        answer, url = client.get_json(f"catalog/datasets/{dataset}/exports/json", params)
        frame = to_frame(answer, dataset, _SCHEMAS[self.dataset])
        return frame.filter(pl.col(TIME).is_between(month.start, month.end, closed="left")), url

    def _where(self, month: Month) -> str:
        """Write the condition in Opendatasoft's query language."""
        terms = [
            f"{INSTANT} >= date'{month.start:%Y-%m-%dT%H:%M:%SZ}'",
            f"{INSTANT} < date'{month.end:%Y-%m-%dT%H:%M:%SZ}'",
        ]
        if self.regions:
            one_of = " OR ".join(f"{REGION_CODE} = '{code}'" for code in self.regions)
            terms.append(f"({one_of})")
        return " AND ".join(terms)
