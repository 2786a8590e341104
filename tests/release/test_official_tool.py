"""Signatures both ways with the official tool of the format, where `make signing` has put it."""

import json
import subprocess
from pathlib import Path

import pytest
from frugal_edge.errors import SignatureError
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.statement import read_statement
from frugal_edge.trust.verify import signature_of, verify_folder

from frugal_ai.release.keys import KeyPair, make_keys, read_private_key
from frugal_ai.release.sign import sign_bundle

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-signing" / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="the official model-signing is not installed: make signing"
)


def official(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "-m", "model_signing", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def officially_signed(bundle: Path, key: Path, *options: str) -> None:
    signature = bundle / "model.sig"
    done = official("sign", "key", bundle, "--private_key", key, "--signature", signature, *options)
    assert done.returncode == 0, done.stderr


def officially_verified(bundle: Path, key: Path) -> bool:
    signature = bundle / "model.sig"
    done = official("verify", "key", bundle, "--signature", signature, "--public_key", key)
    said = done.stdout + done.stderr
    assert "Verification succeeded" in said or "Verification failed" in said, said
    return done.returncode == 0


def test_the_official_tool_verifies_what_we_sign(bundle: Path, keys: KeyPair) -> None:
    sign_bundle(bundle, read_private_key(keys.private))
    assert officially_verified(bundle, keys.public)
    other = make_keys(bundle.parent / "keys", "other")
    assert not officially_verified(bundle, other.public)
    (bundle / "MODEL_CARD.md").write_text("another")
    assert not officially_verified(bundle, keys.public)


def test_we_verify_what_the_official_tool_signs(bundle: Path, keys: KeyPair) -> None:
    officially_signed(bundle, keys.private)
    verified = verify_folder(bundle, TrustStore.read(keys.public))
    assert verified.key_id == keys.id
    assert verified.digests.keys() == {path.name for path in bundle.iterdir()} - {"model.sig"}
    (bundle / "MODEL_CARD.md").write_text("another")
    with pytest.raises(SignatureError, match=r"MODEL_CARD.md: altered since it was signed"):
        verify_folder(bundle, TrustStore.read(keys.public))


def test_files_that_the_official_tool_was_told_to_ignore_are_refused(
    bundle: Path, keys: KeyPair
) -> None:
    card = bundle / "MODEL_CARD.md"
    officially_signed(bundle, keys.private, "--ignore-paths", str(card))
    with pytest.raises(SignatureError, match="expected only files that were signed, got MODEL_CA"):
        verify_folder(bundle, TrustStore.read(keys.public))


def test_both_say_the_same_of_the_same_bundle(bundle: Path, keys: KeyPair) -> None:
    sign_bundle(bundle, read_private_key(keys.private))
    ours = signature_of(bundle)
    officially_signed(bundle, keys.private)
    theirs = signature_of(bundle)
    assert ours.hint == theirs.hint
    one, other = (json.loads(signature.envelope.payload) for signature in (ours, theirs))
    assert one["subject"][0]["digest"] == other["subject"][0]["digest"]
    assert one["predicate"]["resources"] == other["predicate"]["resources"]
    assert read_statement(ours.envelope.payload, "ours").digests == (
        read_statement(theirs.envelope.payload, "theirs").digests
    )
