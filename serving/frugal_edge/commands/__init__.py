"""One file per command of ``frugal-edge``, named after it.

A command has ``PURPOSE``, ``arguments(parser)`` and ``run(options)``, which returns what goes to
stdout. Its file imports nothing beyond the standard library until it is run: the help, and every
other command, read it.
"""

import argparse
from importlib import import_module
from typing import Protocol, cast

NAMES = (
    "forecast", "verify", "info", "trust",
    "install", "pull", "rollback", "status", "selftest", "history",
    "serve", "once", "echo-test", "dataflow", "quarantine", "token",
)  # fmt: skip


class Command(Protocol):
    """What the file of a command holds."""

    PURPOSE: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, options: argparse.Namespace) -> str:
        """Do it, and return what goes to stdout."""


def find(name: str) -> Command:
    """Import the file of a command."""
    return cast("Command", import_module(f"frugal_edge.commands.{name.replace('-', '_')}"))
