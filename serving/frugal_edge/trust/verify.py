"""Whether a bundle, or another document, was signed by somebody who is trusted."""

import json
import os
import stat
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from frugal_edge.digest import sha256_of_file
from frugal_edge.errors import SignatureError
from frugal_edge.manifest import SIGNATURE
from frugal_edge.strict_json import Node, parse
from frugal_edge.trust import dsse
from frugal_edge.trust.keys import PublicKey, TrustStore, key_id
from frugal_edge.trust.sigstore import ModelSignature, read_signature
from frugal_edge.trust.statement import read_statement

MAX_SIGNATURE = 1 << 18  # bytes; a real one has 2,500
_MAX_ENVELOPE = 1 << 22


@dataclass(frozen=True, slots=True)
class Verified:
    """Who signed a bundle, and what.

    Attributes
    ----------
    key_id
        Of the trusted key.
    digests
        SHA-256 by file name, as signed and as found; 64 hex digits.
    """

    key_id: str
    digests: Mapping[str, str]


def verify_folder(folder: Path, store: TrustStore) -> Verified:
    """Verify the signature of a bundle, then that its files are those that were signed.

    Nothing but ``model.sig`` is parsed, and of it only the envelope until the signature holds.

    Raises
    ------
    SignatureError
        If the bundle is not signed, by no trusted key, or not what was signed: a file more, less,
        altered, or not a plain file.
    """
    signature = signature_of(folder)
    file = folder / SIGNATURE
    key = _signer(signature, store, file)
    if not dsse.is_by(signature.envelope.signatures[0], signature.envelope, key.key):
        raise SignatureError(
            f"{file}: altered: expected a signature by key {key.id} over this content, got another"
        )
    digests = read_statement(signature.envelope.payload, str(file)).digests
    check_files(folder, digests)
    return Verified(key.id, digests)


def signature_of(folder: Path) -> ModelSignature:
    """Read the signature of a bundle, unverified.

    Raises
    ------
    SignatureError
        If there is none, or it is too long or malformed.
    """
    if SIGNATURE not in _plain_files(folder):
        raise SignatureError(f"{folder}: not signed: expected {SIGNATURE} in it, got none")
    path = folder / SIGNATURE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SIGNATURE + 1)
    except OSError as error:
        raise SignatureError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_SIGNATURE:
        raise SignatureError(f"{path}: expected at most {MAX_SIGNATURE} bytes, got more")
    return read_signature(data, str(path))


def check_files(folder: Path, digests: Mapping[str, str]) -> None:
    """Check that a folder holds the files of a statement and, besides, only the signature.

    Raises
    ------
    SignatureError
        If it does not.
    """
    found = _plain_files(folder) - {SIGNATURE}
    if extra := found - digests.keys():
        raise SignatureError(f"{folder}: expected only files that were signed, got {_list(extra)}")
    if missing := digests.keys() - found:
        raise SignatureError(f"{folder}: expected every file that was signed, got no "
                             f"{_list(missing)}")  # fmt: skip
    for name, expected in digests.items():
        got = file_digest(folder / name)
        if got != expected:
            raise SignatureError(
                f"{folder / name}: altered since it was signed: expected SHA-256 {expected}, "
                f"got {got}"
            )


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece.

    Raises
    ------
    SignatureError
        If it cannot be read, or has become a link.
    """
    try:
        return sha256_of_file(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)))
    except OSError as error:
        raise SignatureError(f"{path}: cannot be read: {error.strerror}") from error


def sign_payload(payload: bytes, payload_type: str, *keys: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the JSON of an envelope that each of the keys has signed."""
    signatures = tuple(
        dsse.sign(payload_type, payload, key, key_id(key.public_key())) for key in keys
    )
    envelope = dsse.Envelope(payload_type, payload, signatures)
    return json.dumps(dsse.as_dict(envelope), separators=(",", ":")).encode()


def verify_payload(
    data: bytes, payload_type: str, store: TrustStore, file: str = "envelope"
) -> tuple[bytes, str]:
    """Return the payload of an envelope, and the id of the trusted key that has signed it.

    Parameters
    ----------
    data
        JSON of an envelope; one of its signatures must be by a trusted key.
    payload_type
        What the payload must be.
    store
        The trusted keys.
    file
        Where it came from, for messages.

    Raises
    ------
    SignatureError
        If it is no envelope, of another type, by no trusted key or altered.
    """
    if len(data) > _MAX_ENVELOPE:
        raise SignatureError(f"{file}: expected at most {_MAX_ENVELOPE} bytes, got {len(data)}")
    root = Node(parse(data, file, SignatureError), file, error=SignatureError)
    envelope = dsse.read_envelope(root)
    if envelope.payload_type != payload_type:
        root.refuse("payloadType", repr(payload_type))
    trusted = {key.id: key for key in store.keys}
    known = [one for one in envelope.signatures if one.keyid in trusted]
    if not known:
        names = _list({one.keyid or "(no key id)" for one in envelope.signatures})
        raise SignatureError(f"{file}: expected a signature by a trusted key, got one by {names}; "
                             f"{store.described()}")  # fmt: skip
    for one in known:
        if dsse.is_by(one, envelope, trusted[one.keyid].key):
            return envelope.payload, one.keyid
    raise SignatureError(
        f"{file}: altered: expected a signature by key {known[0].keyid} over this content, "
        "got another"
    )


def _signer(signature: ModelSignature, store: TrustStore, file: Path) -> PublicKey:
    key = store.first(lambda one: one.hint == signature.hint)
    if key is None:
        raise SignatureError(
            f"{file}: expected a signature by a trusted key, got one by the key {signature.signer};"
            f" {store.described()}"
        )
    keyid = signature.envelope.signatures[0].keyid
    if keyid not in {"", key.id}:
        raise SignatureError(f"{file}: keyid: expected {key.id} as the key's digest, got {keyid!r}")
    return key


def _plain_files(folder: Path) -> AbstractSet[str]:
    names = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                if not stat.S_ISREG(mode):
                    raise SignatureError(
                        f"{entry.path}: expected only plain files in a signed bundle, "
                        f"got {_kind(mode)}"
                    )
                names.add(entry.name)
    except OSError as error:
        raise SignatureError(f"{folder}: cannot be read: {error.strerror}") from error
    return names


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
