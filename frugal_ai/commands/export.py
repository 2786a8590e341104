"""A bundle's model in other forms: one function per form."""

from pathlib import Path

import click


@click.group()
def export() -> None:
    """Write a bundle's model in another form."""


@export.command("c")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Folder; by default .")
@click.option("--name", help="That all names in the file start with; by default of the series.")
def export_c(bundle: Path, out: Path, name: str | None) -> None:
    """Write the model of BUNDLE as one C99 file, features included, that needs libm alone."""
    from frugal_ai.export.c.source import export_c as write

    click.echo(write(bundle, out, name))
