import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.bundle import open_bundle
from frugal_edge.errors import BundleError, SignatureError
from frugal_edge.trust.keys import PublicKey, TrustStore, key_id
from frugal_edge.trust.verify import Verified, verify_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Keys = tuple[ec.EllipticCurvePrivateKey, ...]
Trust = Callable[..., Path]
MakeBundle = Callable[..., Path]
SignFolder = Callable[[Path, ec.EllipticCurvePrivateKey], None]


@pytest.fixture
def signed(make_bundle: MakeBundle, sign_folder: SignFolder, signing_keys: Keys) -> Path:
    folder = make_bundle()
    sign_folder(folder, signing_keys[0])
    return folder


@pytest.fixture
def store(signing_keys: Keys) -> TrustStore:
    key = PublicKey.of(signing_keys[0].public_key(), Path("release.pub"))
    return TrustStore(Path("trust"), (key,))


def refused(folder: Path, store: TrustStore) -> str:
    with pytest.raises(SignatureError) as error:
        verify_folder(folder, store)
    assert "\n" not in str(error.value)
    return str(error.value)


def edit_signature(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "model.sig"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def test_a_signed_bundle_is_verified_and_opened(
    signed: Path, store: TrustStore, signing_keys: Keys
) -> None:
    verified = verify_folder(signed, store)
    assert verified.key_id == key_id(signing_keys[0].public_key())
    assert verified.digests.keys() == {path.name for path in signed.iterdir()} - {"model.sig"}
    assert open_bundle(signed, verified.digests).manifest == open_bundle(signed).manifest


def test_an_unsigned_bundle_is_refused(make_bundle: MakeBundle, store: TrustStore) -> None:
    folder = make_bundle()
    assert refused(folder, store) == f"{folder}: not signed: expected model.sig in it, got none"


def test_a_key_that_is_not_trusted_is_named_with_those_that_are(
    signed: Path, signing_keys: Keys, trust: Trust, tmp_path: Path
) -> None:
    signer, other = (key_id(key.public_key()) for key in signing_keys[:2])
    assert refused(signed, TrustStore.read(trust(signing_keys[1]))) == (
        f"{signed / 'model.sig'}: expected a signature by a trusted key, got one by the key "
        f"{signer}; trusted: {other} ({other}.pub)"
    )
    message = refused(signed, TrustStore.read(tmp_path / "nothing"))
    assert message.endswith(f"no key is trusted, {tmp_path / 'nothing'} holds none")


def test_a_foreign_signature_under_the_name_of_a_trusted_key_is_refused(
    signed: Path, store: TrustStore, sign_folder: SignFolder, signing_keys: Keys
) -> None:
    named = json.loads((signed / "model.sig").read_bytes())
    sign_folder(signed, signing_keys[1])

    def pretend(document: dict[str, Any]) -> None:
        document["verificationMaterial"] = named["verificationMaterial"]
        (own,) = document["dsseEnvelope"]["signatures"]
        own["keyid"] = named["dsseEnvelope"]["signatures"][0]["keyid"]

    edit_signature(signed, pretend)
    assert "model.sig: altered: expected a signature by key" in refused(signed, store)


def test_keys_are_replaced_while_both_are_trusted(
    signed: Path, sign_folder: SignFolder, signing_keys: Keys, trust: Trust
) -> None:
    old, new, _ = signing_keys
    folder = trust(old, new)
    assert verify_folder(signed, TrustStore.read(folder)).key_id == key_id(old.public_key())
    sign_folder(signed, new)
    assert verify_folder(signed, TrustStore.read(folder)).key_id == key_id(new.public_key())
    (folder / f"{key_id(old.public_key())}.pub").unlink()
    assert verify_folder(signed, TrustStore.read(folder)).key_id == key_id(new.public_key())
    sign_folder(signed, old)
    assert "expected a signature by a trusted key" in refused(signed, TrustStore.read(folder))


def test_an_altered_file_is_refused(signed: Path, store: TrustStore) -> None:
    path = signed / "MODEL_CARD.md"
    path.write_bytes(path.read_bytes().replace(b"A", b"B"))
    assert refused(signed, store).startswith(f"{path}: altered since it was signed: expected SHA-2")


def test_a_file_more_is_refused(signed: Path, store: TrustStore) -> None:
    (signed / "extra.py").write_text("")
    assert refused(signed, store) == f"{signed}: expected only files that were signed, got extra.py"


def test_names_that_somebody_else_chose_do_not_break_the_line(
    signed: Path, store: TrustStore
) -> None:
    for number in range(7):
        (signed / f"a\n{number}").write_text("")
    assert refused(signed, store).endswith(
        r"signed, got 'a\n0', 'a\n1', 'a\n2', 'a\n3', 'a\n4' and 2 more"
    )
    (signed / "a\n0").unlink()
    (signed / "a\n0").mkdir()
    assert r"'a\n0': expected only plain files" in refused(signed, store)


def test_a_file_less_is_refused(signed: Path, store: TrustStore) -> None:
    (signed / "golden.json").unlink()
    assert refused(signed, store) == (
        f"{signed}: expected every file that was signed, got no golden.json"
    )


@pytest.mark.parametrize("name", ["golden.json", "model.sig", "other"])
def test_a_link_is_refused_even_to_the_same_content(
    signed: Path, store: TrustStore, tmp_path: Path, name: str
) -> None:
    target = tmp_path / "target"
    if (signed / name).exists():
        (signed / name).rename(target)
    (signed / name).symlink_to(target)
    assert refused(signed, store) == (
        f"{signed / name}: expected only plain files in a signed bundle, got a symbolic link"
    )


def test_a_folder_or_a_pipe_in_a_bundle_is_refused(signed: Path, store: TrustStore) -> None:
    (signed / "sub").mkdir()
    assert refused(signed, store).endswith("plain files in a signed bundle, got a folder")
    (signed / "sub").rmdir()
    os.mkfifo(signed / "sub")
    assert refused(signed, store).endswith("a signed bundle, got a device, pipe or socket")


def test_a_folder_that_is_none_is_refused(store: TrustStore, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    assert refused(absent, store) == f"{absent}: cannot be read: No such file or directory"


def test_every_truncated_signature_is_refused(signed: Path, store: TrustStore) -> None:
    path = signed / "model.sig"
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert refused(signed, store).startswith(f"{path}: not valid JSON: ")


def test_a_huge_signature_is_not_read(signed: Path, store: TrustStore) -> None:
    with (signed / "model.sig").open("r+b") as file:
        file.truncate(1 << 40)
    assert refused(signed, store).endswith("model.sig: expected at most 262144 bytes, got more")


def material(**given: object) -> Callable[[dict[str, Any]], object]:
    return lambda d: d.update(verificationMaterial=given)


HINT = {"hint": "0" * 64}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: d.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"),
            "mediaType: expected 'application/vnd.dev.sigstore.bundle.v0.3+json', got 'application",
        ),
        (lambda d: d.update(messageSignature={}), "document: unknown key 'messageSignature'"),
        (
            material(certificate={"rawBytes": "YQ=="}, tlogEntries=[]),
            "publicKey: expected a signature by a public key, got ['certificate', 'tlogEntries']",
        ),
        (material(publicKey={}), "publicKey.hint: the key is missing"),
        (material(publicKey={"hint": "release"}), "hint: expected 64 hex digits, got 'release'"),
        (material(publicKey=HINT), "by the key "),
        (material(publicKey=HINT, tlogEntries=[{}]), "expected no entry of a transparency log"),
        (material(publicKey=HINT, more=1), "verificationMaterial: unknown key 'more'"),
        (
            lambda d: d["dsseEnvelope"].update(payloadType="text/plain"),
            "payloadType: expected 'application/vnd.in-toto+json', got 'text/plain'",
        ),
        (
            lambda d: d["dsseEnvelope"]["signatures"].append(d["dsseEnvelope"]["signatures"][0]),
            "signatures: expected one signature",
        ),
        (
            lambda d: d["dsseEnvelope"]["signatures"][0].update(keyid="release"),
            "as the key's digest, got 'release'",
        ),
    ],
)
def test_signatures_of_another_make_are_refused(
    signed: Path, store: TrustStore, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    edit_signature(signed, change)
    message = refused(signed, store)
    assert message.startswith(f"{signed / 'model.sig'}: ")
    assert said in message


def test_nothing_of_an_unverified_bundle_is_parsed(signed: Path, store: TrustStore) -> None:
    """What would be refused if it were read is not what is complained of."""
    (signed / "manifest.json").write_text("{")

    def spoil(document: dict[str, Any]) -> None:
        document["dsseEnvelope"]["payload"] = "ew=="  # {

    edit_signature(signed, spoil)
    assert "model.sig: altered: expected a signature by key" in refused(signed, store)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for examples, which is emptied before each."""
    return tmp_path_factory.mktemp("examples") / "bundle"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)
@given(data=st.data())
def test_every_changed_byte_of_any_file_is_refused(
    data: st.DataObject, signed: Path, store: TrustStore, kept: Path
) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(signed, kept)
    path = data.draw(st.sampled_from(sorted(kept.iterdir())))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    refused(kept, store)


def test_every_changed_byte_of_the_signature_is_refused(signed: Path, store: TrustStore) -> None:
    path = signed / "model.sig"
    content = path.read_bytes()
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= (0x01, 0x06, 0x20, 0x80)[place % 4]
        path.write_bytes(altered)
        refused(signed, store)
    path.write_bytes(content)
    assert isinstance(verify_folder(signed, store), Verified)


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
def test_what_is_exchanged_after_the_verification_is_not_opened(
    signed: Path, store: TrustStore, make_bundle: MakeBundle, tmp_path: Path, name: str
) -> None:
    verified = verify_folder(signed, store)
    other = make_bundle(["history"], folder=tmp_path / "other")
    for path in other.iterdir() if name == "manifest.json" else [other / name]:
        shutil.copy(path, signed)  # a whole bundle, valid in itself; or its model
    with pytest.raises(BundleError, match=f"{name}: (altered|expected .* bytes)"):
        open_bundle(signed, verified.digests)


def test_verifying_needs_neither_numpy_nor_onnxruntime(
    signed: Path, signing_keys: Keys, trust: Trust
) -> None:
    code = """
import sys
from pathlib import Path
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_folder
verify_folder(Path(sys.argv[1]), TrustStore.read(Path(sys.argv[2])))
heavy = {"numpy", "onnxruntime", "yaml", "ssl", "_ssl", "asyncio", "socket"} & set(sys.modules)
print(sorted(heavy))
"""
    command: list[str | Path] = [sys.executable, "-c", code, signed, trust(signing_keys[0])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
