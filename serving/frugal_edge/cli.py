"""The command line: ``frugal-edge forecast|verify|info BUNDLE``."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from frugal_edge import __version__
from frugal_edge.errors import EdgeError, InputError, OutputError

if TYPE_CHECKING:
    from frugal_edge.runtime import Forecaster

_FAILED = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 2 after an error that is told on stderr, 130 after Ctrl-C."""
    # One thread is enough, and the others would be started before any can be refused.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        options = _parser().parse_args(arguments)
        command: Callable[[argparse.Namespace], str] = options.command
        _write(command(options))
    except EdgeError as error:
        _tell("error", str(error))
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


class _Help(argparse.HelpFormatter):
    """Help of a fixed width: asking for the terminal's would load three compression libraries."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=88)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="frugal-edge",
        description="Run forecast bundles with numpy and onnxruntime only.",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"frugal-edge {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    forecast = _command(commands, "forecast", forecast_command, "verify a bundle, then forecast")
    forecast.add_argument("--history", required=True, metavar="FILE", help="observations, CSV")
    forecast.add_argument("--known", metavar="FILE", help="covariates known ahead, CSV")
    forecast.add_argument(
        "--origin",
        metavar="T",
        help="start of the first interval, ISO 8601 with an offset or Z"
        " (default: the end of the last observation)",
    )
    forecast.add_argument(
        "--state",
        metavar="FILE",
        help="kept from one forecast to the next, so that quantiles follow what arrives",
    )
    forecast.add_argument("--json", action="store_true", help="one JSON object instead of CSV")
    _command(commands, "verify", verify_command, "check digests and replay the golden cases")
    _command(commands, "info", info_command, "check digests and say what a bundle holds")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    function: Callable[[argparse.Namespace], str],
    purpose: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=purpose, description=f"{purpose.capitalize()}.", formatter_class=_Help
    )
    parser.set_defaults(command=function)
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of the bundle")
    return parser


def forecast_command(options: argparse.Namespace) -> str:
    """Verify a bundle, replay its golden cases and forecast."""
    origin = None if options.origin is None else _origin(options.origin)
    forecaster, _ = _tested(options.bundle)
    from frugal_edge import oneshot, render

    known, state = (None if name is None else Path(name) for name in (options.known, options.state))
    if state and not forecaster.manifest.drifts:
        _tell("warning", "--state: nothing is kept, the quantiles of this model do not drift")
    answer = oneshot.forecast_files(forecaster, Path(options.history), known, origin, state)
    for sentence in answer.out_of_bounds:
        _tell("warning", sentence)
    return render.as_json(answer) if options.json else render.as_csv(answer)


def verify_command(options: argparse.Namespace) -> str:
    """Verify a bundle and replay its golden cases."""
    forecaster, (cases, largest) = _tested(options.bundle)
    about = forecaster.manifest
    return (
        f"{about.id}: {len(about.files)} files as listed, {cases} golden cases reproduced,"
        f" largest difference {largest:.3g} {about.unit}\n"
    )


def info_command(options: argparse.Namespace) -> str:
    """Verify a bundle's digests and describe it."""
    from frugal_edge.bundle import open_bundle
    from frugal_edge.describe import describe

    return describe(open_bundle(options.bundle).manifest)


def _tested(folder: str) -> "tuple[Forecaster, tuple[int, float]]":
    from frugal_edge.bundle import open_bundle

    bundle = open_bundle(folder)
    try:
        from frugal_edge.runtime import Forecaster
    except ImportError as error:
        raise EdgeError(f"numpy and onnxruntime are needed to run a model: {error}") from error
    forecaster = Forecaster(bundle)
    return forecaster, forecaster.self_test()


def _origin(text: str) -> int:
    from frugal_edge.clock import parse_time

    try:
        return parse_time(text)
    except ValueError as error:
        raise InputError(f"--origin: {error}") from None


def _write(text: str) -> None:
    if sys.stdout is None:
        raise OutputError("stdout: cannot be written: it is closed")
    try:
        sys.stdout.buffer.write(text.encode())  # UTF-8 wherever it runs
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer would be tried again, and fail again, at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"stdout: cannot be written: {error.strerror}") from error


def _tell(level: str, text: str) -> None:
    sys.stderr.write(f"frugal-edge: {level}: {' '.join(text.split())}\n")
