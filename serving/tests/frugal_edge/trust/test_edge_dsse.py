import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.errors import SignatureError
from frugal_edge.trust.dsse import pae
from frugal_edge.trust.keys import TrustStore, key_id
from frugal_edge.trust.verify import sign_payload, verify_payload
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TYPE = "application/vnd.example+json"
PAYLOAD = b'{"groups": []}'

Keys = tuple[ec.EllipticCurvePrivateKey, ...]
Trust = Callable[..., Path]

once = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
shapes = st.fixed_dictionaries(
    {},
    optional={
        "payload": json_values | st.sampled_from(["", "YQ==", "YR==", "Y-==", "a"]),
        "payloadType": json_values | st.just(TYPE),
        "signatures": json_values
        | st.lists(
            st.fixed_dictionaries(
                {}, optional={"sig": json_values | st.just("YQ=="), "keyid": json_values}
            ),
            max_size=3,
        ),
        "other": json_values,
    },
)


def changed(data: bytes, change: Callable[[dict[str, object]], None]) -> bytes:
    document = json.loads(data)
    change(document)
    return json.dumps(document).encode()


def test_what_is_signed_is_as_the_protocol_says() -> None:
    signed = pae("http://example.com/HelloWorld", b"hello world")
    assert signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("é", b"\xff\n") == b"DSSEv1 2 \xc3\xa9 2 \xff\n"  # lengths of bytes
    assert pae("", b"") == b"DSSEv1 0  0 "


@once
@given(
    payload=st.binary(min_size=1, max_size=200),
    kind=st.text(st.characters(codec="ascii"), min_size=1),
)
def test_what_was_signed_comes_back(
    payload: bytes, kind: str, signing_keys: Keys, trust: Trust
) -> None:
    store = TrustStore.read(trust(signing_keys[0]))
    data = sign_payload(payload, kind, signing_keys[0])
    if kind.isprintable():
        name = key_id(signing_keys[0].public_key())
        assert verify_payload(data, kind, store) == (payload, name)
    else:
        with pytest.raises(SignatureError, match="payloadType: expected a printable text"):
            verify_payload(data, kind, store)


def test_every_changed_byte_is_refused(signing_keys: Keys, trust: Trust) -> None:
    store = TrustStore.read(trust(signing_keys[0]))
    data = sign_payload(PAYLOAD, TYPE, signing_keys[0])
    for place in range(len(data)):
        for mask in (0x01, 0x06, 0x20, 0x80):
            altered = bytearray(data)
            altered[place] ^= mask
            with pytest.raises(SignatureError):
                verify_payload(bytes(altered), TYPE, store)


def test_every_truncation_is_refused(signing_keys: Keys, trust: Trust) -> None:
    store = TrustStore.read(trust(signing_keys[0]))
    data = sign_payload(PAYLOAD, TYPE, signing_keys[0])
    for length in range(len(data)):
        with pytest.raises(SignatureError):
            verify_payload(data[:length], TYPE, store)


def test_one_of_several_signatures_must_be_trusted(signing_keys: Keys, trust: Trust) -> None:
    old, new, foreign = signing_keys
    both = sign_payload(PAYLOAD, TYPE, new, old)
    assert verify_payload(both, TYPE, TrustStore.read(trust(old)))[1] == key_id(old.public_key())
    folder = trust(foreign, folder=trust().parent / "others")
    named = f"{key_id(foreign.public_key())} ({key_id(foreign.public_key())}.pub)"
    with pytest.raises(SignatureError) as refused:
        verify_payload(both, TYPE, TrustStore.read(folder), "channel.json")
    message = str(refused.value)
    assert message.startswith("channel.json: expected a signature by a trusted key, got one by ")
    assert all(key_id(key.public_key()) in message for key in (old, new))
    assert message.endswith(f"; trusted: {named}")


def test_a_signature_that_fails_does_not_hide_one_that_holds(
    signing_keys: Keys, trust: Trust
) -> None:
    old, new, _ = signing_keys
    good = json.loads(sign_payload(PAYLOAD, TYPE, old, new))
    good["signatures"][0]["sig"] = "YQ=="
    store = TrustStore.read(trust(old, new))
    assert verify_payload(json.dumps(good).encode(), TYPE, store)[1] == key_id(new.public_key())
    good["signatures"][1]["sig"] = "YQ=="
    with pytest.raises(SignatureError, match="altered: expected a signature by key"):
        verify_payload(json.dumps(good).encode(), TYPE, store)


def test_the_key_of_one_cannot_be_said_to_be_that_of_another(
    signing_keys: Keys, trust: Trust
) -> None:
    trusted, foreign, _ = signing_keys
    forged = json.loads(sign_payload(PAYLOAD, TYPE, foreign))
    forged["signatures"][0]["keyid"] = key_id(trusted.public_key())
    with pytest.raises(SignatureError, match="altered: expected a signature by key"):
        verify_payload(json.dumps(forged).encode(), TYPE, TrustStore.read(trust(trusted)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(payloadType="text/plain"), "payloadType: expected 'application/vnd"),
        (lambda d: d.update(payload=""), "payload: expected a printable text, got ''"),
        (lambda d: d.update(more=1), "document: unknown key 'more'"),
        (lambda d: d.update(signatures=[]), "signatures: expected 1 to 16 signatures"),
        (lambda d: d.update(signatures=d["signatures"] * 17), "expected 1 to 16 signatures"),
        (lambda d: d["signatures"][0].pop("keyid"), r"got one by \(no key id\)"),
        (lambda d: d["signatures"][0].update(cert="x"), r"signatures\[0\]: unknown key 'cert'"),
        (lambda d: d["signatures"][0].update(keyid="a" * 129), "text of at most 128 characters"),
        (lambda d: d["signatures"][0].update(keyid=3), r"signatures\[0\].keyid: expected a print"),
        (lambda d: d.update(payload=d["payload"] + "="), "payload: expected base64"),
        (lambda d: d.update(payload="Y-_="), "payload: expected base64"),
        (lambda d: d.update(payload="YR=="), "payload: expected base64 as it is written, 'YQ=='"),
    ],
)
def test_other_envelopes_are_refused(
    signing_keys: Keys, trust: Trust, change: Callable[[dict[str, object]], None], said: str
) -> None:
    data = changed(sign_payload(PAYLOAD, TYPE, signing_keys[0]), change)
    with pytest.raises(SignatureError, match=said):
        verify_payload(data, TYPE, TrustStore.read(trust(signing_keys[0])))


def test_an_envelope_is_bounded(signing_keys: Keys, trust: Trust) -> None:
    data = sign_payload(b"x" * (1 << 22), TYPE, signing_keys[0])
    with pytest.raises(SignatureError, match="expected at most 4194304 bytes, got 5592"):
        verify_payload(data, TYPE, TrustStore.read(trust(signing_keys[0])))


@once
@given(data=st.binary(max_size=100) | (shapes | json_values).map(lambda v: json.dumps(v).encode()))
def test_nothing_but_an_envelope_gets_through(
    data: bytes, signing_keys: Keys, trust: Trust
) -> None:
    with pytest.raises(SignatureError):
        verify_payload(data, TYPE, TrustStore.read(trust(signing_keys[0])))
