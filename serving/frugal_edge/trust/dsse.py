"""DSSE envelopes, signed with ECDSA on P-256 and SHA-256.

The format is that of https://github.com/secure-systems-lab/dsse, protocol and envelope v1.0. Of its
two alphabets of base64 the standard one alone is read: no byte of an envelope may change.
"""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from frugal_edge.strict_json import Node, shown

_MAX_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature, in DER, and what it says of its key: unsigned, a hint alone."""

    sig: bytes
    keyid: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with the signatures over its type and its bytes."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Join type and payload so that no other pair gives the same bytes; these are signed."""
    named = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(named), named, len(payload), payload)


def sign(
    payload_type: str, payload: bytes, key: ec.EllipticCurvePrivateKey, keyid: str
) -> Signature:
    """Sign a payload."""
    return Signature(key.sign(pae(payload_type, payload), ec.ECDSA(SHA256())), keyid)


def is_by(signature: Signature, envelope: Envelope, key: ec.EllipticCurvePublicKey) -> bool:
    """Tell whether a signature is that of a key over an envelope's type and payload."""
    signed = pae(envelope.payload_type, envelope.payload)
    try:
        key.verify(signature.sig, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def as_dict(envelope: Envelope) -> dict[str, object]:
    """Return what the JSON of an envelope holds."""
    return {
        "payload": _encode(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [
            {"sig": _encode(one.sig), "keyid": one.keyid} for one in envelope.signatures
        ],
    }


def read_envelope(node: Node) -> Envelope:
    """Read an envelope; nothing is verified, and nothing in the payload is parsed.

    Raises
    ------
    EdgeError
        Of the node's class, if it is not an envelope with 1 to 16 signatures.
    """
    envelope = Envelope(
        payload_type=node.text("payloadType"),
        payload=_decoded(node, "payload"),
        signatures=tuple(_signature(one) for one in node.nodes("signatures")),
    )
    if not 1 <= len(envelope.signatures) <= _MAX_SIGNATURES:
        node.refuse("signatures", f"1 to {_MAX_SIGNATURES} signatures")
    node.close()
    return envelope


def _signature(node: Node) -> Signature:
    keyid = node.take("keyid") if "keyid" in node.names() else ""
    if not isinstance(keyid, str) or not keyid.isprintable():
        node.refuse("keyid", "a printable text")
    signature = Signature(_decoded(node, "sig"), keyid)
    node.close()
    return signature


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(node: Node, key: str) -> bytes:
    text = node.text(key)
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        node.refuse(key, "base64")
    if _encode(data) != text:  # bits beyond the last byte
        node.refuse(key, f"base64 as it is written, {shown(_encode(data)[-4:])} at the end")
    return data
