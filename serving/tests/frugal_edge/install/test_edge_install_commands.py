"""The commands say in a line or a table what was done, and exit with 2 when it was not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge import cli
from frugal_edge.install.channel import PAYLOAD_TYPE
from frugal_edge.install.models import Models
from frugal_edge.store.database import Database
from frugal_edge.store.forecasts import Forecasts
from frugal_edge.store.readings import VALUE, Reading, Readings
from frugal_edge.trust.verify import sign_payload

Release = Callable[..., Path]
Capture = pytest.CaptureFixture[str]


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture
def said(capsys: Capture) -> Callable[..., str]:
    """Run a command that must succeed, and return what it says."""

    def command(*arguments: object) -> str:
        assert run(*arguments) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return command


@pytest.fixture
def refused(capsys: Capture) -> Callable[..., str]:
    """Run a command that must fail, and return its one line."""

    def command(*arguments: object) -> str:
        assert run(*arguments) == 2
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()[-1]

    return command


Command = Callable[..., str]


def test_a_bundle_is_installed_tried_and_rolled_back(
    state: Path, release: Release, pack: Callable[[Path], Path], said: Command, refused: Command
) -> None:
    at = ("--state", state)
    assert said("status", *at) == f"{state}: nothing is installed\n"
    text = said("install", pack(release(1)), *at, "--trial", 0)
    assert text.startswith("feeder: bundle-1 installed, signed by key ")
    assert "3 golden cases reproduced, committed;" in text
    assert text.endswith("s from signature to commit\n")
    text = said("install", pack(release(2)), *at)
    assert "on trial, 3 cycles left" in text
    text = said("install", release(2, name="again").parent / "bundle-2", *at)
    assert text == "feeder: bundle-2 is installed already, on trial, 3 cycles left\n"
    assert [line.split() for line in said("status", *at).splitlines()] == [
        [
            "series",
            "runs",
            "sequence",
            "trial",
            "before",
            "last",
            "forecast",
            "quality",
            "readings",
            "to",
        ],
        ["feeder", "bundle-2", "2", "3", "left", "bundle-1"],
    ]
    assert said("rollback", "feeder", *at, "--why", "too high") == "feeder: bundle-1 runs\n"
    assert "was rolled back (too high): --force" in refused(
        "install", release(3).with_name("bundle-2"), *at
    )
    assert "committed" in said(
        "install", release(4).with_name("bundle-2"), *at, "--force", "--trial", "0"
    )


def test_the_trusted_key_may_be_named(
    state: Path, release: Release, said: Command, refused: Command
) -> None:
    key = state.parent / "release.pub"
    shutil.move(state / "trust" / "release.pub", key)
    folder = release(1)
    assert "no key is trusted" in refused("install", folder, "--state", state)
    assert "installed" in said("install", folder, "--state", state, "--trust", key)
    assert "trust-add" in said("history", "--state", state)
    assert "3 golden cases" in said("selftest", "--state", state)
    assert "3 golden cases" in said("selftest", "--state", state, "--trust", key)
    assert "installed already" in said("install", folder, "--state", state)


def test_status_is_told_to_programs(state: Path, release: Release, said: Command) -> None:
    said("install", release(1), "--state", state, "--trial", 0)
    said("install", release(2), "--state", state)
    Models(state).failed("feeder", "slow")
    (model,) = json.loads(said("status", "--state", state, "--json"))["models"]
    key = model["current"]["key"]
    assert model == {
        "series_id": "feeder",
        "current": {"id": "bundle-1", "sequence": 1, "key": key},
        "trial_left": 0,
        "previous": None,
        "rejected": [{"id": "bundle-2", "sequence": 2, "why": "slow"}],
        "last_forecast": None,
        "quality": None,
        "last_reading": None,
    }


def test_status_tells_what_the_gateway_made_of_it(
    state: Path, release: Release, said: Command
) -> None:
    said("install", release(1), "--state", state, "--trial", 0)
    database = Database(state)
    body = b'{"origin": "2024-06-01T00:00:00Z", "quality": "gap_filled"}'
    Forecasts(database).put("feeder", 1_717_200_000, 1_717_286_400, body)
    Readings(database).put("feeder", [Reading(VALUE, 1_717_198_200, 4.0)], 1_717_200_000)
    database.close()
    row = said("status", "--state", state).splitlines()[1]
    assert row.split()[-3:] == ["2024-06-01T00:00:00Z", "gap_filled", "2024-05-31T23:30:00Z"]
    (model,) = json.loads(said("status", "--state", state, "--json"))["models"]
    assert (model["quality"], model["last_reading"]) == ("gap_filled", "2024-05-31T23:30:00Z")


def test_one_damaged_record_hides_no_other(
    state: Path, release: Release, said: Command, refused: Command, capsys: Capture
) -> None:
    for number, series in enumerate(("feeder", "roof")):
        said("install", release(number + 1, series=series), "--state", state, "--trial", 0)
    (state / "models" / "feeder" / "slots.json").write_text("{")
    assert run("status", "--state", state) == 0
    out, err = capsys.readouterr()
    assert "bundle-2" in out
    assert "warning: feeder: " in err
    assert "slots.json: not valid JSON" in err
    assert "remove the file to start anew" in err
    status = json.loads(said("status", "--state", state, "--json"))
    assert [model["series_id"] for model in status["models"]] == ["roof"]
    assert "not valid JSON" in status["damaged"]["feeder"]
    assert "feeder: " in refused("selftest", "--state", state)
    said("install", release(3, series="roof"), "--state", state, "--trial", 0)
    assert "not valid JSON" in refused("install", release(4), "--state", state)
    (state / "models" / "feeder" / "slots.json").unlink()
    said("install", release(5), "--state", state, "--trial", 0)


def test_nothing_runs_after_a_first_bundle_failed(
    state: Path, release: Release, said: Command
) -> None:
    said("install", release(1), "--state", state)
    text = said("rollback", "feeder", "--state", state)
    assert text == "feeder: no bundle runs, the first one was on trial\n"
    assert said("status", "--state", state).splitlines()[1].split() == ["feeder", "nothing"]
    assert said("selftest", "--state", state) == f"{state}: nothing is installed\n"


def test_history_tells_who_did_what(state: Path, release: Release, said: Command) -> None:
    assert said("history", "--state", state) == f"{state}: nothing was ever changed\n"
    for sequence in (1, 2):
        said("install", release(sequence), "--state", state, "--trial", 0)
    text = said("rollback", "feeder", "--state", state, "--why", "noon\ntoo high", "--by", "Ada")
    assert text == "feeder: bundle-1 runs, bundle-2 is kept\n"
    lines = said("history", "--state", state).splitlines()
    assert [line.split("  ")[2] for line in lines] == [
        "install", "commit", "install", "commit", "rollback",
    ]  # fmt: skip
    assert lines[-1].endswith("series=feeder id=bundle-2 to=bundle-1 why=noon too high by=Ada")
    events = [json.loads(line) for line in said("history", "--state", state, "--json").splitlines()]
    assert events[-1]["by"] == "Ada"
    assert {"time", "who", "what"} <= events[0].keys()


def test_all_that_runs_is_tested(
    state: Path, release: Release, said: Command, refused: Command
) -> None:
    for number, series in enumerate(("feeder", "roof")):
        said("install", release(number + 1, series=series), "--state", state, "--trial", 0)
    assert said("selftest", "--state", state).splitlines() == [
        "feeder: bundle-1: 3 golden cases reproduced, largest difference 0",
        "roof: bundle-2: 3 golden cases reproduced, largest difference 0",
    ]
    (state / "models" / "roof" / "a" / "model.onnx").write_bytes(b"altered")
    text = refused("selftest", "--state", state)
    assert "roof: " in text
    assert "model.onnx: altered since it was signed" in text
    assert "feeder" not in text
    folder = release(3)
    assert said("selftest", folder).startswith(f"{folder}: 3 golden cases reproduced")


@pytest.mark.parametrize("option", [("--trial", "-1"), ("--trial", "x"), ("--max-mb", "1e9")])
def test_numbers_that_are_none_are_refused(option: tuple[str, str], capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        run("install", "bundle", *option)
    assert "expected a whole number from 0" in capsys.readouterr().err


def test_updates_are_pulled(
    state: Path,
    release: Release,
    pack: Callable[[Path], Path],
    key: ec.EllipticCurvePrivateKey,
    said: Command,
    refused: Command,
    tmp_path: Path,
) -> None:
    import hashlib

    tar = pack(release(7))
    offer = {
        "series_id": "feeder", "id": "bundle-7", "sequence": 7, "url": tar.name,
        "sha256": hashlib.sha256(tar.read_bytes()).hexdigest(), "bytes": tar.stat().st_size,
        "rollout": {"canary": 100},
    }  # fmt: skip
    content = {"format": 1, "channel": "stable", "serial": 1, "bundles": [offer]}
    file = tar.parent / "channel.json"
    file.write_bytes(sign_payload(json.dumps(content).encode(), PAYLOAD_TYPE, key))
    pull = ("pull", "--state", state, "--from", tar.parent)
    assert said(*pull) == "nothing for this gateway\n"  # no series is installed
    assert said(*pull, "--series", "feeder") == "nothing for this gateway\n"  # of another group
    wanted = (*pull, "--series", "feeder", "--group", "canary")
    tar.rename(tmp_path / "away.tar")
    assert "feeder: bundle-7 failed: " in refused(*wanted)
    (tmp_path / "away.tar").rename(tar)
    assert said(*wanted, "--gateway", "g1") == "feeder: bundle-7 installed: 3 cycles on trial\n"
    assert said(*pull, "--group", "canary") == "feeder: bundle-7 not taken: it is installed\n"
