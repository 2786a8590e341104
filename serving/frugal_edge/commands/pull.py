"""``frugal-edge pull --from URL_OR_DIR``."""

import argparse
from typing import TYPE_CHECKING

from frugal_edge.commands._install import how, install_arguments
from frugal_edge.commands._state import TRUST
from frugal_edge.errors import InstallError
from frugal_edge.terminal import tell

if TYPE_CHECKING:
    from frugal_edge.install.pull import Step

PURPOSE = "install what a signed channel has for this gateway"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--from",
        dest="address",
        metavar="URL_OR_DIR",
        required=True,
        help="channel: https:// or file:// address, or directory, of channel.json",
    )
    install_arguments(parser)
    parser.add_argument(
        "--series",
        metavar="SERIES",
        action="append",
        help="series to bring, may be repeated (default: those that something is installed for)",
    )
    parser.add_argument(
        "--group", metavar="NAME", default="default", help="group of this gateway in rollouts"
    )
    parser.add_argument(
        "--gateway", metavar="ID", help="its identifier (default: one made up once and kept)"
    )


def run(options: argparse.Namespace) -> str:
    """Bring and install, series by series; one that fails does not stop the others."""
    from frugal_edge.install.channel import Gateway
    from frugal_edge.install.models import Models
    from frugal_edge.install.pull import gateway_id, pull
    from frugal_edge.trust.keys import TrustStore

    state = options.state
    series = tuple(options.series or Models(state).series())
    gateway = Gateway(options.gateway or gateway_id(state), options.group, series)
    trusted = TrustStore.read(state / TRUST)
    steps = pull(state, options.address, trusted, gateway, how(options))
    failed = [step for step in steps if step.what == "failed"]
    if not failed:
        return "".join(f"{_said(step)}\n" for step in steps) or "nothing for this gateway\n"
    for step in steps:
        if step not in failed:
            tell("info", _said(step))
    raise InstallError("; ".join(map(_said, failed)))


def _said(step: "Step") -> str:
    if step.what == "kept":
        return f"{step.series_id}: {step.id} not taken: {step.why}"
    return f"{step.series_id}: {step.id} {step.what}: {step.why}"
