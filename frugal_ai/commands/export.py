"""A run or its model in other forms: one function per form."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_path = click.argument("path", metavar="RUN_DIR|BUNDLE", type=click.Path(path_type=Path))
_out = click.option("--out", type=click.Path(path_type=Path), help="File; by default printed.")


@click.group()
def export() -> None:
    """Write a run, or a bundle's model, in another form."""


@export.command("c")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Folder; by default .")
@click.option("--name", help="That all names in the file start with; by default of the series.")
def export_c(bundle: Path, out: Path, name: str | None) -> None:
    """Write the model of BUNDLE as one C99 file, features included, that needs libm alone."""
    from frugal_ai.export.c.source import export_c as write

    click.echo(write(bundle, out, name))


@export.command()
@_path
@_out
def emissions(path: Path, out: Path | None) -> None:
    """Write the ledger as CodeCarbon's emissions.csv, in kg and kWh."""
    from frugal_ai.exports.emissions_csv import emissions_csv

    _write(path, out, emissions_csv)


@export.command("model-card")
@_path
@_out
def model_card(path: Path, out: Path | None) -> None:
    """Write Hugging Face's co2_eq_emissions of a model card, in grams."""
    from frugal_ai.cost.factors import load_factors
    from frugal_ai.exports.model_card import model_card as write

    _give(write(path, load_factors()), out)


@export.command()
@_path
@_out
def boamps(path: Path, out: Path | None) -> None:
    """Write Boavizta's BoAmps report, JSON."""
    from frugal_ai.exports.boamps import boamps as write

    _write(path, out, write)


@export.command()
@_path
@_out
@click.option("--fleet", type=click.Path(path_type=Path), help="Add its life cycle, YAML.")
def sci(path: Path, out: Path | None, fleet: Path | None) -> None:
    """Write the Software Carbon Intensity (ISO/IEC 21031) with its terms, JSON."""
    from frugal_ai.bill.bill import make_bill
    from frugal_ai.bill.fleet import read_fleet
    from frugal_ai.bill.model import read_model
    from frugal_ai.cost.factors import load_factors
    from frugal_ai.exports.sci import sci_report
    from frugal_ai.exports.subject import read_subject

    factors, subject = load_factors(), read_subject(path)
    served = None
    if fleet is not None:
        described = read_fleet(fleet, factors)
        served = make_bill(described, read_model(subject.folder), factors)
    _give(sci_report(subject, factors, served), out)


@export.command()
@_path
@_out
def frugality(path: Path, out: Path | None) -> None:
    """Write a frugality statement: RGESN 2024 and AFNOR SPEC 2314, answered by the ladder."""
    from frugal_ai.exports.frugality import frugality as write
    from frugal_ai.exports.subject import read_subject

    _give(write(read_subject(path)), out)


def _write(path: Path, out: Path | None, form: Callable[[Any, Any], str]) -> None:
    from frugal_ai.cost.factors import load_factors
    from frugal_ai.exports.subject import read_subject

    _give(form(read_subject(path), load_factors()), out)


def _give(text: str, out: Path | None) -> None:
    from frugal_ai.files import write_text

    if out is None:
        click.echo(text, nl=False)
        return
    write_text(out, text)
    click.echo(out)
