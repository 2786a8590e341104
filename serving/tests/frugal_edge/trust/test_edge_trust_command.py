from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge import cli
from frugal_edge.install import audit
from frugal_edge.trust.keys import key_id, pem

Keys = tuple[ec.EllipticCurvePrivateKey, ...]
MakeBundle = Callable[..., Path]
SignFolder = Callable[[Path, ec.EllipticCurvePrivateKey], None]
Capture = pytest.CaptureFixture[str]


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture
def public(signing_keys: Keys, tmp_path: Path) -> Path:
    path = tmp_path / "release.pub"
    path.write_bytes(pem(signing_keys[0].public_key()))
    return path


def test_verify_names_the_key_or_says_that_nothing_was_checked(
    make_bundle: MakeBundle,
    sign_folder: SignFolder,
    signing_keys: Keys,
    public: Path,
    capsys: Capture,
) -> None:
    folder = make_bundle()
    assert run("verify", folder) == 0
    assert "0123456789ab: not signed, 4 files as listed, 3 golden" in capsys.readouterr().out
    assert run("verify", folder, "--trust", public) == 2
    assert "not signed: expected model.sig in it" in capsys.readouterr().err
    sign_folder(folder, signing_keys[0])
    assert run("verify", folder) == 0
    assert ": signature not checked, 4 files as listed" in capsys.readouterr().out
    signer = key_id(signing_keys[0].public_key())
    for trusted in (public, public.parent):
        assert run("verify", folder, "--trust", trusted) == 0
        assert f": signed by key {signer}, 4 files as listed" in capsys.readouterr().out
    sign_folder(folder, signing_keys[1])
    assert run("verify", folder, "--trust", public) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert f"trusted: {signer} (release.pub)" in err


def test_a_forecast_takes_a_signed_bundle(
    make_bundle: MakeBundle, sign_folder: SignFolder, signing_keys: Keys, capsys: Capture
) -> None:
    folder = make_bundle()
    sign_folder(folder, signing_keys[0])
    assert run("info", folder) == 0
    assert "MW" in capsys.readouterr().out


def test_keys_are_added_listed_and_removed_with_an_audit(
    signing_keys: Keys, public: Path, tmp_path: Path, capsys: Capture
) -> None:
    state = tmp_path / "state"
    name = key_id(signing_keys[0].public_key())
    file = state / "trust" / f"{name}.pub"
    assert run("trust", "list", "--state", state) == 0
    assert capsys.readouterr().out == f"no key is trusted, {state / 'trust'} holds none\n"
    assert not state.exists()
    assert run("trust", "add", public, "--state", state) == 0
    assert capsys.readouterr().out == f"{name} is trusted from now on: {file}\n"
    assert run("trust", "add", public, "--state", state) == 0
    assert capsys.readouterr().out == f"{name} is trusted already: {file}\n"
    assert run("trust", "list", "--state", state) == 0
    assert capsys.readouterr().out == f"{name}  {file}\n"
    assert run("trust", "remove", name, "--state", state) == 0
    assert capsys.readouterr().out == (
        f"{name} is trusted no longer; no key is trusted, {state / 'trust'} holds none\n"
    )
    assert run("trust", "remove", name, "--state", state) == 2
    assert "expected the id of a trusted key" in capsys.readouterr().err
    events = [{k: v for k, v in e.items() if k not in {"time", "who"}} for e in audit.read(state)]
    assert events == [
        {"what": "trust-add", "key": name, "file": str(public)},
        {"what": "trust-remove", "key": name},
    ]


def test_what_cannot_be_audited_is_not_done(public: Path, tmp_path: Path, capsys: Capture) -> None:
    state = tmp_path / "state"
    (state / "audit.jsonl").mkdir(parents=True)
    assert run("trust", "add", public, "--state", state) == 2
    assert "audit.jsonl: cannot be written: Is a directory" in capsys.readouterr().err
    assert not (state / "trust").exists()
