"""Public keys, and which of them are trusted."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from frugal_edge.errors import ConfigError
from frugal_edge.files import sync_folder, write_whole

SUFFIX = ".pub"
_ID_DIGITS = 16
_MAX_BYTES = 1 << 14  # a real one has 178
_EXPECTED = "expected one public key, PEM, ECDSA on P-256"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked with.

    Attributes
    ----------
    id
        See `key_id`.
    hint
        See `key_hint`.
    file
        Where it was read.
    key
        What verifies.
    """

    id: str
    hint: str
    file: Path
    key: ec.EllipticCurvePublicKey

    @classmethod
    def of(cls, key: ec.EllipticCurvePublicKey, file: Path) -> "PublicKey":
        """Name a key."""
        return cls(key_id(key), key_hint(key), file, key)


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return the first 16 hex digits of the SHA-256 of a key's DER SubjectPublicKeyInfo."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:_ID_DIGITS]


def key_hint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of a key's PEM, by which a model's signature names it; 64 hex digits."""
    return hashlib.sha256(pem(key)).hexdigest()


def pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_public_key(path: Path) -> PublicKey:
    """Read the one key of a PEM file.

    Raises
    ------
    ConfigError
        If it cannot be read or holds anything but one public key on P-256.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path}: {_EXPECTED}, got more than {_MAX_BYTES} bytes")
    if b"PRIVATE KEY" in data:
        raise ConfigError(f"{path}: {_EXPECTED}, got a private one: keep it where models are built")
    if data.count(b"-----BEGIN") > 1:
        raise ConfigError(f"{path}: {_EXPECTED}, got several: give each a file of its own")
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{path}: {_EXPECTED}, got something else") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        kind = type(key).__name__.removesuffix("PublicKey").lstrip("_")
        raise ConfigError(f"{path}: {_EXPECTED}, got one of {kind}")
    if not isinstance(key.curve, ec.SECP256R1):
        raise ConfigError(f"{path}: {_EXPECTED}, got one on {key.curve.name}")
    return PublicKey.of(key, path)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The keys whose signatures are accepted; several while one replaces another.

    Attributes
    ----------
    place
        Where they were looked for.
    keys
        What was found, by file name; may be none.
    """

    place: Path
    keys: tuple[PublicKey, ...]

    @classmethod
    def read(cls, place: Path) -> "TrustStore":
        """Read one key from a file, or all ``*.pub`` of a folder; none where there is nothing.

        Raises
        ------
        ConfigError
            If something there is not a key as `read_public_key` has it.
        """
        if not place.is_dir():
            return cls(place, (read_public_key(place),) if place.exists() else ())
        try:
            files = sorted(path for path in place.iterdir() if path.suffix == SUFFIX)
        except OSError as error:
            raise ConfigError(f"{place}: cannot be read: {error.strerror}") from error
        return cls(place, tuple(read_public_key(path) for path in files))

    def first(self, fits: Callable[[PublicKey], bool]) -> PublicKey | None:
        """Find a key."""
        return next((key for key in self.keys if fits(key)), None)

    def described(self) -> str:
        """Say in a few words which keys are trusted."""
        named = ", ".join(f"{key.id} ({key.file.name})" for key in self.keys)
        return f"trusted: {named}" if named else f"no key is trusted, {self.place} holds none"


def add_key(place: Path, key: PublicKey) -> Path:
    """Trust a key from now on; one that is trusted already stays as it is. Return its file.

    Raises
    ------
    ConfigError
        If it cannot be written.
    """
    known = TrustStore.read(place).first(lambda one: one.id == key.id)
    if known:
        return known.file
    path = place / f"{key.id}{SUFFIX}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        write_whole(path, pem(key.key))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def trusted_key(store: TrustStore, key_id: str) -> PublicKey:
    """Return a key by its id.

    Raises
    ------
    ConfigError
        If it is not trusted.
    """
    key = store.first(lambda one: one.id == key_id)
    if key is None:
        raise ConfigError(
            f"{store.place}: expected the id of a trusted key, got {key_id!r}; {store.described()}"
        )
    return key


def remove_key(place: Path, key_id: str) -> None:
    """Trust a key no longer, however many files hold it.

    Raises
    ------
    ConfigError
        If it was not trusted, or cannot be removed.
    """
    store = TrustStore.read(place)
    trusted_key(store, key_id)
    try:
        for key in store.keys:
            if key.id == key_id:
                key.file.unlink()
        sync_folder(place)
    except OSError as error:
        raise ConfigError(f"{place}: {key_id}: cannot be removed: {error.strerror}") from error
