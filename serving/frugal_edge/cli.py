"""The command line: ``frugal-edge COMMAND``, one file of `frugal_edge.commands` each."""

import argparse
import gc
import os
from collections.abc import Callable, Sequence

from frugal_edge import __version__, commands
from frugal_edge.errors import EdgeError
from frugal_edge.terminal import tell, write

_FAILED = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 2 after an error that is told on stderr, 130 after Ctrl-C."""
    # One thread is enough, and the others would be started before any can be refused.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    collects = gc.isenabled()
    gc.disable()  # what is imported stays: to look for garbage in it takes a twentieth of a start
    try:
        options = _parser().parse_args(arguments)
        run: Callable[[argparse.Namespace], str] = options.run
        write(run(options))
    except EdgeError as error:
        tell("error", str(error))
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        if collects:
            gc.enable()
    return 0


class _Help(argparse.HelpFormatter):
    """Help of a fixed width: asking for the terminal's would load three compression libraries."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=88)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="frugal-edge",
        description="Run forecast bundles on low-power gateways.",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"frugal-edge {__version__}")
    choices = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in commands.NAMES:
        command = commands.find(name)
        one = choices.add_parser(
            name,
            help=command.PURPOSE,
            description=f"{command.PURPOSE[0].upper()}{command.PURPOSE[1:]}.",
            formatter_class=_Help,
        )
        command.arguments(one)
        one.set_defaults(run=command.run)
    return parser
