"""Whether a use pays for its model in carbon."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("path", metavar="RUN_DIR|BUNDLE", type=click.Path(path_type=Path))
@click.option("--use", required=True, type=click.Path(path_type=Path), help="Of forecasts, YAML.")
@click.option(
    "--fleet", "fleet_file", type=click.Path(path_type=Path), help="Instead of that of the use."
)
@click.option("--factors", "own", type=click.Path(path_type=Path), help="CSV as factors.csv.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no more.")
def relevance(
    path: Path, use: Path, fleet_file: Path | None, own: Path | None, *, as_json: bool
) -> None:
    """Show what a use avoids beside the whole bill, and what it takes to break even."""
    from frugal_ai.bill.bill import make_bill
    from frugal_ai.bill.fleet import read_fleet
    from frugal_ai.bill.model import read_model
    from frugal_ai.bill.relevance import read_case
    from frugal_ai.bill.relevance import relevance as weigh
    from frugal_ai.cost.factors import load_factors
    from frugal_ai.errors import CostError

    factors = load_factors(own)
    case = read_case(use)
    named = None if case.fleet is None else use.parent / case.fleet
    fleet_path = fleet_file or named
    if fleet_path is None:
        raise CostError(f"{use}: fleet: expected a file here, or --fleet")
    fleet = read_fleet(fleet_path, factors)
    found = weigh(case, make_bill(fleet, read_model(path), factors), fleet.years)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
        return
    for line in found.lines():
        click.echo(line)
