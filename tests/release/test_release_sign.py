from pathlib import Path

import pytest
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_folder

from frugal_ai.errors import OutputError, ReleaseError
from frugal_ai.release.keys import KeyPair, make_keys, read_private_key
from frugal_ai.release.sign import sign_bundle

MODELS = Path(__file__).parents[2] / "models"


@pytest.mark.parametrize(
    "folder", [path.parent for path in sorted(MODELS.glob("*/*/manifest.json"))], ids=str
)
def test_the_reference_bundles_are_signed_with_the_demonstration_key(folder: Path) -> None:
    verified = verify_folder(folder, TrustStore.read(MODELS / "demo.pub"))
    assert "manifest.json" in verified.digests


def test_a_bundle_is_signed_as_it_is(bundle: Path, keys: KeyPair) -> None:
    before = {path.name for path in bundle.iterdir()}
    assert sign_bundle(bundle, read_private_key(keys.private)) == bundle / "model.sig"
    assert {path.name for path in bundle.iterdir()} == before | {"model.sig"}
    verified = verify_folder(bundle, TrustStore.read(keys.public))
    assert verified.key_id == keys.id
    assert verified.digests.keys() == before


def test_a_bundle_of_a_run_is_signed(bundle: Path, keys: KeyPair) -> None:
    run = bundle.parent / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    bundle.rename(run / "bundle")
    assert sign_bundle(run, read_private_key(keys.private)) == run / "bundle" / "model.sig"


def test_a_bundle_is_signed_anew(bundle: Path, keys: KeyPair) -> None:
    sign_bundle(bundle, read_private_key(keys.private))
    other = make_keys(bundle.parent / "keys", "next")
    sign_bundle(bundle, read_private_key(other.private))
    assert verify_folder(bundle, TrustStore.read(other.public)).key_id == other.id


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("golden.json", b"{}", "golden.json: expected .* bytes, got 2"),
        ("notes.txt", b"", "not listed in manifest.json: notes.txt"),
        ("manifest.json", b"{}", "manifest.json: schema_version"),
    ],
)
def test_what_a_gateway_would_refuse_is_not_signed(
    bundle: Path, keys: KeyPair, name: str, content: bytes, said: str
) -> None:
    (bundle / name).write_bytes(content)
    with pytest.raises(ReleaseError, match=said):
        sign_bundle(bundle, read_private_key(keys.private))
    assert not (bundle / "model.sig").exists()


def test_a_signature_that_cannot_be_written_is_said(bundle: Path, keys: KeyPair) -> None:
    bundle.rename(bundle.parent / "moved")
    with pytest.raises(ReleaseError, match="bundle: cannot be read"):
        sign_bundle(bundle, read_private_key(keys.private))


def test_what_was_signed_stays_if_it_cannot_be_written(
    bundle: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_bundle(bundle, read_private_key(keys.private))
    before = (bundle / "model.sig").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"model.sig: cannot be written: No space left"):
        sign_bundle(bundle, read_private_key(keys.private))
    assert (bundle / "model.sig").read_bytes() == before
