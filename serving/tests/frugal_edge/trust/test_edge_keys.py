import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from frugal_edge.errors import ConfigError
from frugal_edge.trust.keys import TrustStore, add_key, pem, read_public_key, remove_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Keys = tuple[ec.EllipticCurvePrivateKey, ...]
Trust = Callable[..., Path]

EXPECTED = "expected one public key, PEM, ECDSA on P-256"


def of(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_key_is_named_by_the_digests_of_its_two_encodings(
    signing_keys: Keys, tmp_path: Path
) -> None:
    text = of(signing_keys[0])
    (tmp_path / "a.pub").write_bytes(text)
    key = read_public_key(tmp_path / "a.pub")
    der = base64.b64decode(b"".join(text.splitlines()[1:-1]))
    assert key.id == hashlib.sha256(der).hexdigest()[:16]
    assert key.hint == hashlib.sha256(text).hexdigest()


def test_another_way_to_write_a_key_gives_the_same_names(
    signing_keys: Keys, tmp_path: Path
) -> None:
    text = of(signing_keys[0])
    (tmp_path / "a.pub").write_bytes(text)
    (tmp_path / "b.pub").write_bytes(text.replace(b"\n", b"\r\n") + b"\n\n")
    a, b = TrustStore.read(tmp_path).keys
    assert (a.id, a.hint) == (b.id, b.hint)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", f"{EXPECTED}, got something else"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "got something else"),
        (of(rsa.generate_private_key(65537, 2048)), f"{EXPECTED}, got one of RSA"),
        (of(ed25519.Ed25519PrivateKey.generate()), f"{EXPECTED}, got one of Ed25519"),
        (of(ec.generate_private_key(ec.SECP384R1())), f"{EXPECTED}, got one on secp384r1"),
        (of(ec.generate_private_key(ec.SECP256K1())), f"{EXPECTED}, got one on secp256k1"),
        (of(ec.generate_private_key(ec.SECP256R1())) * 2, "got several: give each a file"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
            "got a private one: keep it where models are built",
        ),
        (b"#" * 20_000, "got more than 16384 bytes"),
    ],
)
def test_anything_but_one_public_key_on_p256_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "a.pub"
    path.write_bytes(content)
    for place in (path, tmp_path):
        with pytest.raises(ConfigError) as refused:
            TrustStore.read(place)
        assert str(refused.value).startswith(f"{path}: ")
        assert said in str(refused.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 177), mask=st.integers(1, 255))
def test_an_altered_key_is_refused_or_still_the_same(
    place: int, mask: int, signing_keys: Keys, tmp_path: Path
) -> None:
    whole = of(signing_keys[0])
    content = bytearray(whole)
    content[place] ^= mask
    path = tmp_path / "a.pub"
    path.write_bytes(content)
    try:
        kept = pem(read_public_key(path).key)
    except ConfigError:
        kept = whole
    assert kept == whole


def test_a_file_that_is_not_there_holds_no_key(tmp_path: Path) -> None:
    store = TrustStore.read(tmp_path / "absent")
    assert store.keys == ()
    assert store.described() == f"no key is trusted, {tmp_path / 'absent'} holds none"
    with pytest.raises(ConfigError, match=r"absent: cannot be read: No such file or directory"):
        read_public_key(tmp_path / "absent")


def test_a_folder_trusts_each_pub_in_it_and_nothing_else(signing_keys: Keys, trust: Trust) -> None:
    folder = trust(*signing_keys)
    (folder / "floors.json").write_text("{}")
    store = TrustStore.read(folder)
    assert len(store.keys) == 3
    assert [key.file.name for key in store.keys] == sorted(f"{key.id}.pub" for key in store.keys)


def test_keys_come_and_go(signing_keys: Keys, tmp_path: Path) -> None:
    old, new, _ = signing_keys
    folder = tmp_path / "state" / "trust"
    for name, key in (("old", old), ("new", new)):
        (tmp_path / name).write_bytes(pem(key.public_key()))
        given_key = read_public_key(tmp_path / name)
        file = add_key(folder, given_key)
        assert file == folder / f"{given_key.id}.pub"
        assert add_key(folder, given_key) == file  # twice is once
    first, second = (read_public_key(tmp_path / name).id for name in ("old", "new"))
    assert {key.id for key in TrustStore.read(folder).keys} == {first, second}
    (folder / "copy.pub").write_bytes(pem(old.public_key()))
    remove_key(folder, first)
    assert [key.id for key in TrustStore.read(folder).keys] == [second]
    assert [path.name for path in folder.iterdir()] == [f"{second}.pub"]
    with pytest.raises(ConfigError, match=f"expected the id of a trusted key, got '{first}'; tru"):
        remove_key(folder, first)


def test_what_cannot_be_written_is_said(signing_keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "a.pub").write_bytes(pem(signing_keys[0].public_key()))
    key = read_public_key(tmp_path / "a.pub")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written: Not a directory"):
        add_key(tmp_path / "file" / "trust", key)
