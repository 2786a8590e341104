"""The command line: one function per command, heavy imports inside."""

import sys
from pathlib import Path
from typing import Any

import click

from frugal_ai import __version__
from frugal_ai.errors import FrugalError, PipelineError

_BAD_INPUT = 2
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

_pipeline = click.argument("pipeline", type=click.Path(path_type=Path))
_data = click.option(
    "--data",
    "data",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Read FILE instead of the source's main file, or of the one that the pipeline calls NAME.",
)
_uri = click.option(
    "--tracking-uri", metavar="URI", help="MLflow store; by default a file beside the run."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and no more.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="frugal-ai")
def commands() -> None:
    """Electricity forecasts that cost as little carbon as the need allows."""


@commands.command()
@_pipeline
@_data
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run; by default runs/.")
@_uri
@_json
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be run.")
def run(
    pipeline: Path,
    data: tuple[str, ...],
    out: Path | None,
    tracking_uri: str | None,
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Climb the ladder of PIPELINE and end in a verified ONNX bundle."""
    from frugal_ai.pipeline import read_pipeline
    from frugal_ai.run import Order, run_folder
    from frugal_ai.run import run as climb
    from frugal_ai.terminal import Terminal, summary_json

    declared = read_pipeline(pipeline)
    terminal = Terminal(quiet=as_json)
    if dry_run:
        terminal.print_check(_checked(pipeline, data, terminal))
        return
    order = Order(pipeline, out or run_folder(declared.name), replacements(data), tracking_uri)
    with terminal:
        report = climb(declared, order, terminal)
    if as_json:
        click.echo(summary_json(report, order.out))
    else:
        terminal.print_run(report, order.out)
    if report.status == "interrupted":
        sys.exit(_INTERRUPTED)
    if report.chosen is None:
        _complain(PipelineError(report.reason))
        sys.exit(_BAD_INPUT)


@commands.command()
@click.argument("pipelines", nargs=-1, required=True, type=click.Path(path_type=Path))
@_data
def check(pipelines: tuple[Path, ...], data: tuple[str, ...]) -> None:
    """Check PIPELINES and their data, and say what a run would do."""
    from frugal_ai.terminal import Terminal

    terminal = Terminal()
    wrong = 0
    for path in pipelines:
        try:
            terminal.print_check(_checked(path, data, terminal))
        except FrugalError as error:
            wrong += 1
            _complain(error)
    if wrong:
        sys.exit(_BAD_INPUT)


def _checked(path: Path, data: tuple[str, ...], terminal: Any) -> Any:
    from frugal_ai.check import check_pipeline

    return check_pipeline(path, replacements(data), terminal.tell)


@commands.command()
def rungs() -> None:
    """List the rungs there are."""
    from frugal_ai import ladder

    kinds = [ladder.kind(name) for name in ladder.names()]
    order = ("naive", "linear", "boosting")
    for kind in sorted(kinds, key=lambda kind: order.index(kind.family)):
        name = kind.model_fields["rung"].default
        click.echo(f"{name:20}{kind.family:10}{kind.summary}")


@commands.command()
def sources() -> None:
    """List the sources of data there are."""
    from frugal_ai.data import sources as found

    for name, summary in found.names():
        click.echo(f"{name:20}{summary}")


@commands.command()
@_uri
@click.option("--pipeline", "name", help="Only runs of this pipeline.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@_json
def leaderboard(tracking_uri: str | None, name: str | None, *, as_csv: bool, as_json: bool) -> None:
    """Show every logged rung, accuracy against carbon."""
    if as_csv and as_json:
        raise click.UsageError("expected --csv or --json, got both")
    from frugal_ai.leaderboard.export import to_csv, to_json
    from frugal_ai.terminal import Terminal
    from frugal_ai.tracking import default_uri, read_runs

    rows = read_runs(tracking_uri or default_uri(Path("runs")), name)
    if as_csv:
        click.echo(to_csv(rows), nl=False)
    elif as_json:
        click.echo(to_json(rows))
    else:
        Terminal().print_leaderboard(rows)


@commands.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
@_uri
def log(run_dir: Path, tracking_uri: str | None) -> None:
    """Log a finished RUN_DIR to MLflow, for example after the server was down."""
    from frugal_ai.tracking import log_run

    logged = log_run(run_dir, tracking_uri)
    click.echo(f"logged {run_dir} to {logged.uri} as run {logged.run_id}")


@commands.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder; by default RUN_DIR/plots.")
@click.option("--png", is_flag=True, help="Write PNG instead of SVG.")
def plot(run_dir: Path, out: Path | None, *, png: bool) -> None:
    """Draw the chosen rung of RUN_DIR on the test origins: forecasts, errors, reliability."""
    from frugal_ai.plots.pictures import write_pictures
    from frugal_ai.terminal import Terminal

    for path in write_pictures(run_dir, out, png=png, tell=Terminal().tell):
        click.echo(path)


@commands.command()
@click.argument("path", metavar="RUN_DIR|BUNDLE", type=click.Path(path_type=Path))
@click.option("--keep", type=float, help="Share of the skill to keep; by default 0.99.")
@click.option("--max-bytes", metavar="SIZE", help="Of the graph, such as 64kB.")
@click.option("--max-latency", metavar="TIME", help="Of one forecast on this machine: 100us.")
@click.option("--max-rss", metavar="SIZE", help="Memory of a process that forecasts once: 64MB.")
@click.option("--strict", is_flag=True, help="Refuse where nothing passes every gate.")
def compress(path: Path, *, strict: bool, **gates: Any) -> None:
    """Make what a run has chosen smaller, and put it in the place of the bundle."""
    from frugal_ai.recompress import recompress
    from frugal_ai.terminal import Terminal

    terminal = Terminal()
    asked = {name: value for name, value in gates.items() if value is not None}
    with terminal:
        given = asked | ({"strict": True} if strict else {})
        report, run_dir = recompress(path, given, terminal.tell, terminal.step)
    if report.compression:
        terminal.print_compression(report.compression)
    for bundle in report.bundles:
        click.echo(f"bundle   {run_dir / bundle}")


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


@commands.group()
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


@commands.group()
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


def replacements(given: tuple[str, ...]) -> dict[str, Path]:
    """Read ``FILE`` and ``NAME=FILE`` into paths by name; the main file's name is empty.

    Raises
    ------
    PipelineError
        If a name is given twice.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        name, path = (name, path) if equals and not Path(text).exists() else ("", text)
        if name in found:
            raise PipelineError(f"--data: expected one file for {name or 'the source'}, got two")
        found[name] = Path(path)
    return found


def main() -> None:
    """Run the command line; errors are one line on standard error and a non-zero exit."""
    from frugal_ai.cost.threads import pinned_threads

    pinned_threads(1)
    try:
        commands.main(standalone_mode=False)
    except FrugalError as error:
        _complain(error)
        sys.exit(_BAD_INPUT)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("frugal-ai: interrupted", err=True)
        sys.exit(_INTERRUPTED)


def _complain(error: FrugalError) -> None:
    click.echo(f"frugal-ai: error: {error}", err=True)


if __name__ == "__main__":
    main()
