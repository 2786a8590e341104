"""``frugal-edge install BUNDLE``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from frugal_edge.commands._install import how, install_arguments
from frugal_edge.commands._state import TRUST

if TYPE_CHECKING:
    from frugal_edge.install.installer import Outcome
    from frugal_edge.trust.keys import TrustStore

PURPOSE = "verify a bundle, try it and let it run, or leave everything as it is"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="tar or folder of a bundle")
    install_arguments(parser)
    parser.add_argument(
        "--trust",
        metavar="FILE_OR_FOLDER",
        type=Path,
        help="public key, or folder of *.pub; the one that has signed is trusted from then on"
        f" (default: the keys in {TRUST}/ of the state folder)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="install what was rolled back, or is installed already; never a downgrade",
    )


def run(options: argparse.Namespace) -> str:
    """Install a bundle for its series."""
    from frugal_edge.install.installer import install
    from frugal_edge.trust.keys import TrustStore

    store = TrustStore.read(options.trust or options.state / TRUST)
    done = install(options.state, options.bundle, store, how(options, force=options.force))
    _trust(options.state, store, done.entry.key)
    return _said(done)


def _trust(state: Path, store: "TrustStore", key_id: str) -> None:
    """Keep the key that has signed: the gateway verifies what it runs at every start."""
    from frugal_edge.install import audit
    from frugal_edge.trust.keys import TrustStore, add_key, trusted_key

    if not TrustStore.read(state / TRUST).first(lambda one: one.id == key_id):
        key = trusted_key(store, key_id)
        audit.append(state, "trust-add", key=key_id, file=str(key.file))
        add_key(state / TRUST, key)


def _said(done: "Outcome") -> str:
    left = f"on trial, {done.trial_left} cycles left" if done.trial_left else "committed"
    if not done.cases:
        return f"{done.series_id}: {done.entry.id} is installed already, {left}\n"
    return (
        f"{done.series_id}: {done.entry.id} installed, signed by key {done.entry.key},"
        f" {done.cases} golden cases reproduced, {left};"
        f" {done.seconds:.2f} s from signature to commit\n"
    )
