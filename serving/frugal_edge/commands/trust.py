"""``frugal-edge trust add FILE``, ``remove KEY``, ``list``."""

import argparse
from pathlib import Path

from frugal_edge.commands._state import TRUST, state_argument

PURPOSE = "say whose signatures are accepted"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    acts = parser.add_subparsers(required=True, metavar="add|remove|list", dest="act")
    look = parser.formatter_class
    add = acts.add_parser("add", help="trust a public key", formatter_class=look)
    add.add_argument("key", metavar="FILE", type=Path, help="public key, PEM, ECDSA on P-256")
    remove = acts.add_parser("remove", help="trust a key no longer", formatter_class=look)
    remove.add_argument("key", metavar="KEY", help="key id, as list prints it")
    shown = acts.add_parser("list", help="print the trusted keys", formatter_class=look)
    for act in (add, remove, shown):
        state_argument(act)


def run(options: argparse.Namespace) -> str:
    """Change or list the trusted keys; a change is audited before it is made."""
    place: Path = options.state / TRUST
    if options.act == "add":
        return _add(options.state, place, options.key)
    if options.act == "remove":
        return _remove(options.state, place, options.key)
    return _list(place)


def _add(state: Path, place: Path, file: Path) -> str:
    from frugal_edge.install import audit
    from frugal_edge.trust.keys import TrustStore, add_key, read_public_key

    key = read_public_key(file)
    if known := TrustStore.read(place).first(lambda one: one.id == key.id):
        return f"{key.id} is trusted already: {known.file}\n"
    audit.append(state, "trust-add", key=key.id, file=str(file))
    return f"{key.id} is trusted from now on: {add_key(place, key)}\n"


def _remove(state: Path, place: Path, key_id: str) -> str:
    from frugal_edge.install import audit
    from frugal_edge.trust.keys import TrustStore, remove_key, trusted_key

    trusted_key(TrustStore.read(place), key_id)
    audit.append(state, "trust-remove", key=key_id)
    remove_key(place, key_id)
    return f"{key_id} is trusted no longer; {TrustStore.read(place).described()}\n"


def _list(place: Path) -> str:
    from frugal_edge.trust.keys import TrustStore

    store = TrustStore.read(place)
    if not store.keys:
        return f"{store.described()}\n"
    return "".join(f"{key.id}  {key.file}\n" for key in store.keys)
