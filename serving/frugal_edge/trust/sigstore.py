"""``model.sig``: a statement in an envelope in a Sigstore bundle, with a public key's digest.

The bundle is version 0.3 as https://docs.sigstore.dev/about/bundle has it, without certificate,
transparency log and timestamps: nobody else is asked.
"""

import json
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from frugal_edge.errors import SignatureError
from frugal_edge.strict_json import Node, parse
from frugal_edge.trust import dsse
from frugal_edge.trust.keys import key_hint, key_id
from frugal_edge.trust.statement import PAYLOAD_TYPE, Statement, write_statement

_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY = "publicKey"


@dataclass(frozen=True, slots=True)
class ModelSignature:
    """What ``model.sig`` holds; nothing of it is verified yet.

    Attributes
    ----------
    hint
        SHA-256 of the PEM of the key that has signed, 64 hex digits.
    envelope
        The statement, with one signature.
    """

    hint: str
    envelope: dsse.Envelope

    @property
    def signer(self) -> str:
        """The key that is said to have signed, as well as it is named."""
        keyid = self.envelope.signatures[0].keyid
        return keyid or f"with SHA-256 {self.hint[:16]}... of its PEM"


def sign_statement(statement: Statement, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the content of ``model.sig``."""
    public = key.public_key()
    payload = write_statement(statement)
    signature = dsse.sign(PAYLOAD_TYPE, payload, key, key_id(public))
    document = {
        "mediaType": _MEDIA_TYPE,
        "verificationMaterial": {_KEY: {"hint": key_hint(public)}, "tlogEntries": []},
        "dsseEnvelope": dsse.as_dict(dsse.Envelope(PAYLOAD_TYPE, payload, (signature,))),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def read_signature(data: bytes, file: str) -> ModelSignature:
    """Read the content of ``model.sig``, down to the bytes that were signed.

    Raises
    ------
    SignatureError
        If it is anything but a Sigstore bundle of that version, signed once with a key.
    """
    root = Node(parse(data, file, SignatureError), file, error=SignatureError)
    if root.text("mediaType") != _MEDIA_TYPE:
        root.refuse("mediaType", repr(_MEDIA_TYPE))
    hint = _hint(root.node("verificationMaterial"), file)
    content = root.node("dsseEnvelope")
    envelope = dsse.read_envelope(content)
    root.close()
    if envelope.payload_type != PAYLOAD_TYPE:
        content.refuse("payloadType", repr(PAYLOAD_TYPE))
    if len(envelope.signatures) != 1:
        content.refuse("signatures", "one signature")
    return ModelSignature(hint, envelope)


def _hint(material: Node, file: str) -> str:
    if _KEY not in material.names():
        found = ", ".join(material.names()) or "nothing"
        raise SignatureError(
            f"{file}: {material.place(_KEY)}: expected a signature by a public key, got {found}"
        )
    key = material.node(_KEY)
    hint = key.text("hint")
    if not _DIGEST.fullmatch(hint):
        key.refuse("hint", "64 hex digits")
    key.close()
    if "tlogEntries" in material.names() and material.array("tlogEntries"):
        material.refuse("tlogEntries", "no entry of a transparency log")
    material.close()
    return hint
