from pathlib import Path

import pytest
from click.testing import CliRunner
from frugal_edge.install.archive import Limits, unpack
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_folder

from frugal_ai.cli import commands
from frugal_ai.errors import ReleaseError
from frugal_ai.release.keys import KeyPair, read_private_key
from frugal_ai.release.sign import sign_archive


def ran(*arguments: str | Path) -> list[str]:
    done = CliRunner().invoke(commands, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_from_keys_to_an_archive(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    key, private, public = ran("keygen", "KEYS", "--name", "ours")
    name = key.split()[1]
    assert private.startswith("private  KEYS/ours.pem: signs; keep it secret")
    assert public.startswith("public   KEYS/ours.pub: verifies; give it to the gateways")
    assert ran("sign", bundle, "--key", "KEYS/ours.pem") == [
        f"signed   {bundle / 'model.sig'} by key {name}"
    ]
    archive, sha256, signer = ran("pack", bundle, "--out", "a.tar")
    assert archive == f"archive  a.tar ({Path('a.tar').stat().st_size} bytes)"
    assert len(sha256.split()[1]) == 64
    assert signer == f"signer   {name}"
    assert ran("pack", bundle, "--unsigned", "--out", "b.tar")[2] == (
        "signer   none: gateways refuse it"
    )


def test_a_tar_is_signed_in_its_place(bundle: Path, keys: KeyPair, tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    ran("pack", bundle, "--unsigned", "--out", file)
    assert ran("sign", file, "--key", keys.private) == [f"signed   {file} by key {keys.id}"]
    ran("sign", bundle, "--key", keys.private)
    unpack(file, tmp_path / "unpacked", Limits())
    store = TrustStore.read(keys.public)
    assert verify_folder(tmp_path / "unpacked", store) == verify_folder(bundle, store)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "cut off at byte 0"), (b"no tar" * 200, "a.tar: ")],
)
def test_what_is_no_tar_of_a_bundle_stays_as_it_is(
    keys: KeyPair, tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "a.tar"
    file.write_bytes(content)
    with pytest.raises(ReleaseError, match=told):
        sign_archive(file, read_private_key(keys.private))
    assert file.read_bytes() == content


def test_help_names_what_is_needed(keys: KeyPair) -> None:
    assert "--key PATH" in " ".join(ran("sign", "--help"))
