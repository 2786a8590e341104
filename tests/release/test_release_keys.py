from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from frugal_edge.trust.keys import key_id, read_public_key

from frugal_ai.errors import OutputError, ReleaseError
from frugal_ai.release.keys import KeyPair, make_keys, read_private_key

ROOT = Path(__file__).parents[2]


def test_a_pair_belongs_together_and_only_its_owner_reads_the_private_half(keys: KeyPair) -> None:
    assert keys.private.name == "release.pem"
    assert keys.private.stat().st_mode & 0o777 == 0o600
    assert keys.private.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")  # PKCS 8
    assert read_public_key(keys.public).id == keys.id
    assert key_id(read_private_key(keys.private).public_key()) == keys.id


@pytest.mark.parametrize("there", ["a.pem", "a.pub"])
def test_no_key_is_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    with pytest.raises(OutputError, match=f"{there}: is there already, and no key is ever"):
        make_keys(tmp_path, "a")
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".hidden", "a b"])
def test_a_name_is_that_of_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReleaseError, match="--name: expected letters, digits"):
        make_keys(tmp_path / "keys", name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file: cannot be made: File exists"):
        make_keys(tmp_path / "file", "a")


def private(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    how: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how or NoEncryption())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "got something else"),
        (private(ec.generate_private_key(ec.SECP384R1())), "got one on secp384r1"),
        (private(ed25519.Ed25519PrivateKey.generate()), "got one of another kind"),
        (
            private(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"secret")),
            "got one with a password",
        ),
        ((ROOT / "models" / "demo.pub").read_bytes(), "got a public one"),
    ],
)
def test_only_a_private_key_on_p256_signs(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.pem"
    path.write_bytes(content)
    with pytest.raises(ReleaseError, match=f"a.pem: expected one private key, .*, {said}"):
        read_private_key(path)


def test_a_key_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"a.pem: cannot be read: No such file"):
        read_private_key(tmp_path / "a.pem")


def test_the_demonstration_key_is_a_pair_and_the_page_names_it() -> None:
    name = read_public_key(ROOT / "models" / "demo.pub").id
    assert key_id(read_private_key(ROOT / "models" / "demo.pem").public_key()) == name
    assert f"`{name}`" in (ROOT / "models" / "README.md").read_text()
