"""The signed list of a folder's archives, from which gateways take their updates."""

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.bundle import open_bundle
from frugal_edge.errors import EdgeError
from frugal_edge.install.archive import Limits, unpack
from frugal_edge.install.channel import DEFAULT_GROUP, FORMAT, NAME, PAYLOAD_TYPE, read_channel
from frugal_edge.trust.keys import PublicKey, TrustStore
from frugal_edge.trust.statement import read_statement
from frugal_edge.trust.verify import check_files, sign_payload, signature_of, verify_payload

from frugal_ai.errors import ReleaseError
from frugal_ai.files import write_bytes


@dataclass(frozen=True, slots=True)
class Published:
    """A channel file and what it says."""

    file: Path
    serial: int
    bundles: tuple[str, ...]


def read_rollout(text: str | None) -> dict[str, float]:
    """Read shares such as ``default=10,canary=100`` [%]; without any, everybody takes all.

    Raises
    ------
    ReleaseError
        If it is something else.
    """
    if text is None:
        return {DEFAULT_GROUP: 100.0}
    found: dict[str, float] = {}
    for part in text.split(","):
        group, _, percent = part.strip().partition("=")
        try:
            found[group] = float(percent)
        except ValueError:
            found[group] = -1.0
        if not group or not 0 <= found[group] <= 100:
            raise ReleaseError(f"--rollout: expected GROUP=0 to 100, got {part!r}")
    return found


def publish(
    folder: Path, key: ec.EllipticCurvePrivateKey, rollout: Mapping[str, float], name: str
) -> Published:
    """Write the channel file of a folder of archives.

    The serial is the time, and above that of the file that it replaces: gateways refuse one that
    goes back.

    Parameters
    ----------
    folder
        Holds archives of signed bundles, ``*.tar``.
    key
        Private key, on P-256, that signs the channel; it may be that of the bundles.
    rollout
        Per group, the percentage of gateways that take the bundles.
    name
        Of the channel.

    Raises
    ------
    ReleaseError
        If there is no archive, or one that a gateway would refuse.
    OutputError
        If the file cannot be written.
    """
    tars = sorted(folder.glob("*.tar"))
    if not tars:
        raise ReleaseError(f"{folder}: expected archives of bundles, *.tar, got none")
    public = PublicKey.of(key.public_key(), folder / NAME)
    serial = max(_now(), _serial_before(folder / NAME, public) + 1)
    offers = [_offer(tar, rollout) for tar in tars]
    payload = {"format": FORMAT, "channel": name, "serial": serial, "bundles": offers}
    data = json.dumps(payload, separators=(",", ":")).encode()
    try:
        channel = read_channel(data)
    except EdgeError as error:
        raise ReleaseError(f"{folder}: {error}") from error
    write_bytes(folder / NAME, sign_payload(data, PAYLOAD_TYPE, key))
    return Published(folder / NAME, serial, tuple(offer.id for offer in channel.offers))


def _now() -> int:
    return int(time.time())


def _offer(tar: Path, rollout: Mapping[str, float]) -> dict[str, object]:
    try:
        content = tar.read_bytes()
        with tempfile.TemporaryDirectory() as place:
            unpacked = Path(place) / "bundle"
            unpack(tar, unpacked, Limits())
            signature = signature_of(unpacked)
            check_files(unpacked, read_statement(signature.envelope.payload, str(tar)).digests)
            manifest = open_bundle(unpacked).manifest
    except (EdgeError, OSError) as error:
        raise ReleaseError(f"{tar}: a gateway would refuse it: {error}") from error
    return {
        "series_id": manifest.series_id,
        "id": manifest.id,
        "sequence": manifest.sequence,
        "url": tar.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "rollout": dict(rollout),
    }


def _serial_before(file: Path, public: PublicKey) -> int:
    """Return the serial of the channel file that is there; 0 for none, or one by another key."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise ReleaseError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        payload, _ = verify_payload(content, PAYLOAD_TYPE, TrustStore(file, (public,)), str(file))
        return read_channel(payload).serial
    except EdgeError:
        return 0
