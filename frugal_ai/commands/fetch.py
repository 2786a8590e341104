"""Open data brought into a folder: one function per service."""

from pathlib import Path
from typing import Any

import click

_first = click.option(
    "--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC)."
)
_last = click.option(
    "--to", "last", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day (UTC)."
)
_folder = click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder of the fetched data."
)
_url = click.option("--url", help="Address to ask instead of the service's own, up to its version.")
_refresh = click.option("--refresh", is_flag=True, help="Ask again for the months that are there.")


@click.group()
def fetch() -> None:
    """Fetch open data into a folder; a pipeline that reads it opens no connection.

    Whole months are fetched. What is there already is not asked for again.
    """


@fetch.command()
@click.option(
    "--dataset", type=click.Choice(["eco2mix-national", "eco2mix-regional"]), required=True
)
@click.option("--region", "regions", multiple=True, help="Of eco2mix-regional; by default all.")
@_first
@_last
@_folder
@_url
@_refresh
def odre(dataset: Any, regions: tuple[str, ...], url: str | None, **order: Any) -> None:
    """Load, production and CO2 of France: eCO2mix by RTE, from the portal ODRÉ."""
    from frugal_ai.data.remote.eco2mix import region_code
    from frugal_ai.data.remote.odre import URL, Eco2mix

    if regions and dataset != "eco2mix-regional":
        raise click.UsageError("expected --region with --dataset eco2mix-regional only")
    codes = tuple(sorted({region_code(region) for region in regions}))
    _fetched(Eco2mix(dataset, codes), url or URL, order)


@fetch.command("open-meteo")
@click.option("--places", type=click.Path(path_type=Path), help="CSV: name, latitude, longitude.")
@click.option("--latitude", multiple=True, type=float, help="Of a place; once for each.")
@click.option("--longitude", multiple=True, type=float, help="Of a place; once for each.")
@click.option("--name", "names", multiple=True, help="Of a place; once for each.")
@click.option("--variables", required=True, help="Comma-separated, such as temperature_2m.")
@click.option("--lead-times", help="Days ahead, such as 1,2: fetch vintages with their lead times.")
@click.option("--publication-delay", default="6h", help="From a run's start until it is available.")
@_first
@_last
@_folder
@_url
@_refresh
def open_meteo(variables: str, publication_delay: str, url: str | None, **given: Any) -> None:
    """Weather forecasts of the past by Open-Meteo, stitched together or with their lead times."""
    from frugal_ai.data.remote.open_meteo import OpenMeteo
    from frugal_ai.data.remote.weather import URLS, places_of, wanted

    chosen = {key: given.pop(key) for key in ("places", "latitude", "longitude", "names")}
    leads = given.pop("lead_times")
    endpoint = OpenMeteo(
        wanted(
            places=places_of(**chosen),
            variables=[name.strip() for name in variables.split(",")],
            lead_days=leads.split(",") if leads else (),
            publication_delay=publication_delay,
        )
    )
    _fetched(endpoint, url or URLS[endpoint.kind], given)


def _fetched(endpoint: Any, url: str, order: dict[str, Any]) -> None:
    """Fetch what the endpoint names, with a bar on a terminal, and say so in one line."""
    from frugal_ai.data.remote.fetch import Order
    from frugal_ai.data.remote.fetch import fetch as fetch_months
    from frugal_ai.data.remote.http import Client
    from frugal_ai.terminal import Terminal

    terminal = Terminal()
    days = {key: order.pop(key).date() for key in ("first", "last")}
    with terminal, Client(url, waits=terminal.wait) as client:
        report = fetch_months(
            endpoint, Order(**days, **order), client, progress=terminal.step, tell=terminal.tell
        )
    click.echo(report.line())
