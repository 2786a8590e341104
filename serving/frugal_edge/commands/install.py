"""``frugal-edge install BUNDLE``."""

import argparse
from pathlib import Path

from frugal_edge.commands._install import how, install_arguments, trusted

PURPOSE = "verify a bundle, try it and let it run, or leave everything as it is"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="tar or folder of a bundle")
    install_arguments(parser)
    parser.add_argument(
        "--force",
        action="store_true",
        help="install what was rolled back, or is installed already; never a downgrade",
    )


def run(options: argparse.Namespace) -> str:
    """Install a bundle for its series."""
    from frugal_edge.install.installer import install

    done = install(
        options.state, options.bundle, trusted(options), how(options, force=options.force)
    )
    left = f"on trial, {done.trial_left} cycles left" if done.trial_left else "committed"
    if not done.cases:
        return f"{done.series_id}: {done.entry.id} is installed already, {left}\n"
    return (
        f"{done.series_id}: {done.entry.id} installed, signed by key {done.entry.key},"
        f" {done.cases} golden cases reproduced, {left}; {done.seconds:.2f} s from signature to"
        f" commit\n"
    )
