from pathlib import Path

import pytest
from click.testing import CliRunner

from frugal_ai.cli import commands
from frugal_ai.release.keys import KeyPair


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


def test_help_names_what_is_needed(keys: KeyPair) -> None:
    assert "--key PATH" in " ".join(ran("sign", "--help"))
