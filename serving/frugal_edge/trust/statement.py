"""What is signed of a bundle: the names and digests of its files, as an in-toto statement.

The predicate is https://model_signing/signature/v1.0 of the OpenSSF model-signing format, with the
serialization ``files`` and SHA-256. https://github.com/sigstore/model-transparency describes both.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from frugal_edge.digest import sha256_hex
from frugal_edge.errors import SignatureError
from frugal_edge.manifest import SIGNATURE
from frugal_edge.strict_json import Node, parse, shown

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_METHOD, _HASH = "files", "sha256"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLAIN_NAME = re.compile(r"(?!\.\.?$)[^/\\]{1,255}")


@dataclass(frozen=True, slots=True)
class Statement:
    """Which files a bundle has.

    Attributes
    ----------
    name
        What the signer called the bundle.
    digests
        SHA-256 by file name, 64 hex digits; the signature itself is not among them.
    """

    name: str
    digests: Mapping[str, str]


def write_statement(statement: Statement) -> bytes:
    """Return the JSON of a statement, with the files in the order of their names."""
    digests = dict(sorted(statement.digests.items()))
    document = {
        "_type": _STATEMENT,
        "subject": [{"name": statement.name, "digest": {_HASH: _over(digests)}}],
        "predicateType": _PREDICATE,
        "predicate": {
            "serialization": {
                "method": _METHOD,
                "hash_type": _HASH,
                "allow_symlinks": False,
                "ignore_paths": [SIGNATURE],
            },
            "resources": [
                {"name": name, "algorithm": _HASH, "digest": digest}
                for name, digest in digests.items()
            ],
        },
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def read_statement(payload: bytes, file: str) -> Statement:
    """Read a statement. Other keys of the predicate are passed over, as the format wants it.

    Parameters
    ----------
    payload
        Of an envelope whose signature was verified.
    file
        Where it came from, for messages.

    Raises
    ------
    SignatureError
        If it is another statement, of another predicate, serialization or hash, or contradicts
        itself.
    """
    place = f"{file}: payload"
    root = Node(parse(payload, place, SignatureError), place, error=SignatureError)
    _expect(root, "_type", _STATEMENT)
    _expect(root, "predicateType", _PREDICATE)
    subjects = root.nodes("subject")
    if len(subjects) != 1:
        root.refuse("subject", "one subject")
    (subject,) = subjects
    predicate = root.node("predicate")
    root.close()
    serialization = predicate.node("serialization")
    _expect(serialization, "method", _METHOD)
    _expect(serialization, "hash_type", _HASH)
    if serialization.flag("allow_symlinks"):
        serialization.refuse("allow_symlinks", "false")
    digests: dict[str, str] = {}
    for resource in predicate.nodes("resources"):
        name = _name(resource)
        if name in digests:
            resource.refuse("name", "every file once")
        _expect(resource, "algorithm", _HASH)
        digests[name] = _hex(resource, "digest")
        resource.close()
    total = _hex(subject.node("digest"), _HASH)
    if total != _over(digests):
        raise SignatureError(
            f"{place}: subject: expected SHA-256 {_over(digests)} over its resources, got {total}"
        )
    return Statement(subject.text("name"), digests)


def _over(digests: Mapping[str, str]) -> str:
    return sha256_hex(b"".join(bytes.fromhex(digest) for digest in digests.values()))


def _name(resource: Node) -> str:
    name = resource.text("name")
    if not _PLAIN_NAME.fullmatch(name) or name == SIGNATURE:
        resource.refuse("name", "the plain name of a file other than the signature")
    return name


def _expect(node: Node, key: str, value: str) -> None:
    if node.text(key) != value:
        node.refuse(key, shown(value))


def _hex(node: Node, key: str) -> str:
    text = node.text(key)
    return text if _DIGEST.fullmatch(text) else node.refuse(key, "64 hex digits")
