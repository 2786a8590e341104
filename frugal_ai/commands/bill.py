"""The whole bill of a model under a fleet, and the factors that it rests on."""

import json
from dataclasses import asdict
from pathlib import Path

import click

_factors = click.option(
    "--factors",
    "own",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV as factors.csv, whose rows take the place of those of equal key and region.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no more.")


@click.command()
@click.argument("path", metavar="RUN_DIR|BUNDLE", type=click.Path(path_type=Path))
@click.option(
    "--fleet", "fleet_file", required=True, type=click.Path(path_type=Path), help="Fleet, YAML."
)
@click.option(
    "--against", type=click.Path(path_type=Path), help="Another run or bundle, to compare with."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of bill.json, pictures, lines."
)
@_factors
@_json
def bill(
    path: Path,
    fleet_file: Path,
    against: Path | None,
    out: Path | None,
    own: Path | None,
    *,
    as_json: bool,
) -> None:
    """Show what a model costs over the life of a fleet: gCO2e, kWh and EUR by stage."""
    from rich.console import Console

    if as_json and against is not None:
        raise click.UsageError("expected --json or --against, got both")
    from frugal_ai.bill.bill import OWN, make_bill
    from frugal_ai.bill.compose import compose
    from frugal_ai.bill.fleet import read_fleet
    from frugal_ai.bill.folder import write_bill
    from frugal_ai.bill.model import read_model
    from frugal_ai.bill.table import TABLE_WIDTH, bill_sentences, bill_table, ratio_sentence
    from frugal_ai.bill.uncertainty import ratio
    from frugal_ai.cost.factors import load_factors

    factors = load_factors(own)
    fleet, model = read_fleet(fleet_file, factors), read_model(path)
    made = make_bill(fleet, model, factors)
    written = write_bill(made, fleet, factors, out) if out else ()
    if as_json:
        click.echo(made.to_json())
        return
    console = Console(highlight=False)
    console.print(f"{made.model} under {made.fleet}", markup=False, soft_wrap=True)
    # figures cut short are worth nothing: where the terminal is narrow, its lines wrap
    Console(highlight=False, width=max(console.width, TABLE_WIDTH)).print(bill_table(made))
    for sentence in bill_sentences(made):
        console.print(sentence, markup=False, soft_wrap=True)
    if against is not None:
        other = read_model(against)
        found = ratio(compose(fleet, model, factors), compose(fleet, other, factors), OWN)
        console.print(ratio_sentence(model.name, other.name, found), markup=False, soft_wrap=True)
    for file in written:
        console.print(str(file), markup=False, soft_wrap=True)


@click.command()
@click.option("--country", help="Only factors in force there: ISO 3166-1, such as FR or FRA.")
@_factors
@_json
def factors(country: str | None, own: Path | None, *, as_json: bool) -> None:
    """List every factor in force, with value, range, unit, year, region and source."""
    from frugal_ai.cost.factors import load_factors

    table = load_factors(own)
    rows = table.of_country(country) if country else table.rows
    if as_json:
        found = {"factor_set_id": table.digest(), "factors": [asdict(row) for row in rows]}
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in rows:
        ends = "" if row.low is None else f" [{row.low:g}, {row.high:g}]"
        click.echo(
            f"{row.key:26}{row.region:5}{row.value:g}{ends} {row.unit}, {row.year}: {row.name}. "
            f"{row.source}"
        )
    click.echo(f"factor set {table.digest()}, {len(rows)} rows")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("runs/ledger.jsonl"))
@click.option(
    "--by", default="pipeline", help="model, pipeline, project, run, stage, year, month, day."
)
@_json
def ledger(file: Path, by: str, *, as_json: bool) -> None:
    """Add up the ledger FILE, by default that of all runs; lines cut by a crash are told."""
    from typing import cast

    from frugal_ai.cost.ledger_file import read_lines
    from frugal_ai.cost.sums import By, sums
    from frugal_ai.wording import figure, mass

    read = read_lines(file)
    found = sums(read.records, cast(By, by))  # any other word is refused there
    for problem in read.problems:
        click.echo(f"frugal-ai: not read: {problem}", err=True)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        click.echo(
            f"{one.key or '-':32}{one.records:6} lines  {figure(one.cpu_s)} CPU-s  "
            f"{figure(one.kwh * 1000)} Wh  {mass(one.co2e_g)}"
        )
