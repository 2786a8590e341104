"""What a run would cost, before it is run."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    default=Path("runs/ledger.jsonl"),
    help="Of earlier runs; by default runs/ledger.jsonl.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no more.")
def plan(pipeline: Path, ledger: Path, *, as_json: bool) -> None:
    """Say what a run of PIPELINE would cost, from earlier runs on this machine; runs nothing."""
    from frugal_ai.plan.plan import make_plan
    from frugal_ai.wording import figure, mass

    made = make_plan(pipeline, ledger)
    for problem in made.problems:
        click.echo(f"frugal-ai: not read: {problem}", err=True)
    if as_json:
        click.echo(json.dumps(made.as_dict()))
        return
    click.echo(f"{made.pipeline} on {made.machine}")
    for one in made.lines:
        if one.cost is None:
            click.echo(f"{one.what:22}{'unknown':>12}  {one.why}")
            continue
        money = "" if one.eur is None else f"{figure(one.eur):>10} EUR"
        click.echo(
            f"{one.what:22}{figure(one.cost.cpu_s):>8} CPU-s{figure(one.cost.energy_wh):>10} Wh"
            f"{mass(one.cost.co2e_g):>16}{money}  {one.runs} x {one.why}"
        )
    total = made.total
    money = "" if made.eur is None else f"{figure(made.eur):>10} EUR"
    click.echo(
        f"{'total of the known':22}{figure(total.cpu_s):>8} CPU-s{figure(total.energy_wh):>10} Wh"
        f"{mass(total.co2e_g):>16}{money}"
    )
    click.echo(f"energy, emissions and money: within a factor {made.spread:g} in 90 % of cases")
    if made.unknown:
        click.echo(f"unknown and not in the total: {', '.join(made.unknown)}")
