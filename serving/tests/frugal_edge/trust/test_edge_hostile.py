"""Signatures and statements with any part exchanged for anything: refused, never a crash."""

import copy
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.errors import SignatureError
from frugal_edge.trust import dsse
from frugal_edge.trust.sigstore import read_signature, sign_statement
from frugal_edge.trust.statement import PAYLOAD_TYPE, Statement, read_statement, write_statement
from hypothesis import given, settings
from hypothesis import strategies as st

Keys = tuple[ec.EllipticCurvePrivateKey, ...]

STATEMENT = Statement("load", {"manifest.json": "a" * 64, "model.onnx": "b" * 64})

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["YQ==", "sha256", "files", "model.sig", "..", "0" * 64, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths to all parts of a document."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return [path, *(found for key, part in parts for found in places(part, (*path, key)))]


def exchanged(document: Any, path: tuple[Any, ...], value: object) -> Any:
    if not path:
        return value
    document = copy.deepcopy(document)
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return document


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_a_signature_with_any_part_exchanged_is_refused(
    data: st.DataObject, signing_keys: Keys
) -> None:
    document = json.loads(sign_statement(STATEMENT, signing_keys[0]))
    path = data.draw(st.sampled_from(places(document)))
    other = exchanged(document, path, data.draw(anything))
    try:
        signature = read_signature(json.dumps(other).encode(), "model.sig")
    except SignatureError as error:
        message = str(error)
    else:
        (one,) = signature.envelope.signatures
        if dsse.is_by(one, signature.envelope, signing_keys[0].public_key()):
            # which key has signed is said beside what it has signed
            assert other == document or path[-1] in {"hint", "keyid"}
        message = "model.sig"
    assert message.startswith("model.sig")
    assert "\n" not in message


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_a_statement_with_any_part_exchanged_is_read_or_refused(data: st.DataObject) -> None:
    document = json.loads(write_statement(STATEMENT))
    path = data.draw(st.sampled_from(places(document)))
    other = exchanged(document, path, data.draw(anything))
    try:
        digests = dict(read_statement(json.dumps(other).encode(), "model.sig").digests)
    except SignatureError as error:
        message = str(error)
    else:
        assert digests == STATEMENT.digests or path[-1] == "name"
        assert [*digests.values()] == [*STATEMENT.digests.values()]
        message = "model.sig: payload"
    assert message.startswith("model.sig: payload")
    assert "\n" not in message


def test_a_number_that_is_longer_than_python_reads_is_refused() -> None:
    number = b'{"mediaType": ' + b"1" * 5000 + b"}"
    with pytest.raises(SignatureError, match=r"model.sig: not valid JSON: Exceeds the limit"):
        read_signature(number, "model.sig")


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(SignatureError, match=r"model.sig: nested too deeply"):
        read_signature(b"[" * 200_000, "model.sig")


@settings(deadline=None)
@given(payload=st.binary(min_size=1, max_size=300))
def test_signed_bytes_that_are_no_statement_are_refused(payload: bytes, signing_keys: Keys) -> None:
    signature = dsse.sign(PAYLOAD_TYPE, payload, signing_keys[0], "")
    envelope = dsse.Envelope(PAYLOAD_TYPE, payload, (signature,))
    assert dsse.is_by(signature, envelope, signing_keys[0].public_key())
    try:
        read_statement(payload, "model.sig")
    except SignatureError as error:
        message = str(error)
    else:
        message = ""
    assert message.startswith("model.sig: payload")
