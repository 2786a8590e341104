"""Keys to sign bundles with: ECDSA on P-256, in PEM files."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from frugal_edge.trust.keys import SUFFIX, key_id, pem

from frugal_ai.errors import OutputError, ReleaseError

_PRIVATE = ".pem"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_EXPECTED = "expected one private key, PEM without password, ECDSA on P-256"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new pair of keys.

    Attributes
    ----------
    id
        As gateways name it, see `frugal_edge.trust.keys.key_id`.
    private, public
        Its two files.
    """

    id: str
    private: Path
    public: Path


def make_keys(folder: Path, name: str) -> KeyPair:
    """Make a pair of keys, the private one readable by its owner alone.

    Raises
    ------
    ReleaseError
        If the name is not that of a file.
    OutputError
        If a file of that name is there, or cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ReleaseError(f"--name: expected letters, digits, '_', '-' and '.', got {name!r}")
    pair = folder / f"{name}{_PRIVATE}", folder / f"{name}{SUFFIX}"
    for path in pair:
        if path.exists():
            raise OutputError(f"{path}: is there already, and no key is ever overwritten")
    key = ec.generate_private_key(ec.SECP256R1())
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error
    _write_new(pair[0], content, 0o600)
    _write_new(pair[1], pem(key.public_key()), 0o644)
    return KeyPair(key_id(key.public_key()), *pair)


def read_private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a key to sign with.

    Raises
    ------
    ReleaseError
        If it cannot be read or is anything but one private key on P-256.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read: {error.strerror}") from error
    if b"PUBLIC KEY" in data:
        raise ReleaseError(f"{path}: {_EXPECTED}, got a public one")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, UnsupportedAlgorithm):
        raise ReleaseError(f"{path}: {_EXPECTED}, got something else") from None
    except TypeError:
        raise ReleaseError(f"{path}: {_EXPECTED}, got one with a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ReleaseError(f"{path}: {_EXPECTED}, got one of another kind")
    if not isinstance(key.curve, ec.SECP256R1):
        raise ReleaseError(f"{path}: {_EXPECTED}, got one on {key.curve.name}")
    return key


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
