"""The command line: one function per command, heavy imports inside.

Commands on runs are here, the others in `frugal_ai.commands`.
"""

import sys
from pathlib import Path
from typing import Any

import click

from frugal_ai import __version__
from frugal_ai.commands.bill import bill, factors, ledger
from frugal_ai.commands.board import board
from frugal_ai.commands.calibrate import calibrate
from frugal_ai.commands.export import export
from frugal_ai.commands.fetch import fetch
from frugal_ai.commands.plan import plan
from frugal_ai.commands.release import channel, keygen, pack, sign
from frugal_ai.commands.relevance import relevance
from frugal_ai.commands.review import account, decisions, promote, pull
from frugal_ai.commands.when import when
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
    from frugal_ai.leaderboard.rows import to_csv, to_json
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


_MORE = (
    board,
    fetch, export, keygen, sign, pack, channel, bill, factors, ledger, plan, calibrate, when,
    relevance, promote, pull, decisions, account,
)  # fmt: skip
for _command in _MORE:
    commands.add_command(_command)


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
