import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from frugal_ai.cli import commands
from frugal_ai.errors import FrugalError, ReviewError
from frugal_ai.release.keys import make_keys
from frugal_ai.review.accounts import Accounts

Fixture = Any
EDGE = "from frugal_edge.cli import main; main()"
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


def ran(*arguments: str | Path, given: str | None = None) -> list[str]:
    done = CliRunner().invoke(
        commands, [str(a) for a in arguments], input=given, catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def refused(*arguments: str | Path) -> str:
    with pytest.raises(FrugalError) as caught:
        commands.main([str(a) for a in arguments], standalone_mode=False)
    told = str(caught.value)
    assert "\n" not in told
    return told


@pytest.fixture
def here(store: Fixture, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in the folder that has runs/."""
    folder: Path = store.runs.parent
    monkeypatch.chdir(folder)
    return folder


def test_from_a_run_to_a_gateway(here: Path) -> None:
    key = make_keys(here / "KEYS", "release")
    told = ran("promote", "runs/first", "--stage", "champion", "--by", "Ada L.", "--why", "best")
    assert told[:2] == ["run      first", "model    load/1: champion"]
    assert told[3] == f"decision 1 in {here}/runs/decisions.jsonl"
    assert told[4] == "next     frugal-ai pull champion/load --out load.tar"
    told = ran("pull", "champion/load", "--out", "load.tar")
    assert told[0] == "model    load/1, bundle load-basis_ridge-feeder_load"
    assert told[1].endswith(
        " Ada L.: load/1 champion, on evidence " + told[1].split()[-2] + " best"
    )
    assert told[-1] == (
        "signer   none: gateways refuse it; frugal-ai sign load.tar --key PRIVATE.pem"
    )
    assert ran("sign", "load.tar", "--key", key.private) == [f"signed   load.tar by key {key.id}"]
    install = [sys.executable, "-c", EDGE, "install", "load.tar", "--state", "state"]
    done = subprocess.run(
        [*install, "--trust", key.public], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"load-basis_ridge-feeder_load installed, signed by key {key.id}" in done.stdout
    card = next((here / "state").glob("**/MODEL_CARD.md")).read_text()
    assert "| Ada L. | load/1 champion | best |" in card


def test_pull_signs_where_it_is_given_a_key(here: Path) -> None:
    key = make_keys(here / "KEYS", "release")
    ran("promote", "first", "--stage", "champion", "--by", "ada", "--why", "best")
    signed = ran("pull", "champion/load", "--out", "a.tar", "--key", key.private)
    assert signed[-1] == f"signer   {key.id}"


def test_what_was_decided_is_shown(here: Path, store: Fixture) -> None:
    assert ran("decisions") == [f"no decision in {here}/runs/decisions.jsonl"]
    store.log("second")
    ran("promote", "first", "--stage", "champion", "--by", "ada", "--why", "best")
    ran("promote", "candidate/load", "--stage", "champion", "--by", "bob", "--why", "a\nb")
    first, second = ran("decisions", "runs/first")
    assert first.startswith("1 ")
    assert second.startswith("2 ")
    assert " bob: load/2 champion in place of load/1, on evidence " in second
    assert second.endswith(": a / b")
    assert len(ran("decisions", "load/2")) == 1
    assert [json.loads(line)["by"] for line in ran("decisions", "--json")] == ["ada", "bob"]


def test_a_decision_can_be_bound_to_what_was_looked_at(here: Path) -> None:
    order = ("promote", "first", "--stage", "champion", "--by", "ada", "--why", "best")
    assert "expected a decision on the evidence that is there" in refused(
        *order, "--evidence", "0" * 64
    )
    digest = ran(*order)[2].split()[1]
    assert ran(*order, "--evidence", digest)[2] == f"evidence {digest}"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"why": " "}, "expected a reason, got none"),
        ({"by": ""}, "expected a name of 1 to 64 signs"),
        ({"by": "a\nb"}, "expected a name of 1 to 64 signs"),
        ({"model": "nothing"}, "has no finished run 'nothing'; frugal-ai log RUN_DIR logs one"),
        ({"model": "champion/load"}, "aliases of load: candidate/load"),
        ({"model": "champion/pv"}, "no model 'pv' is registered; there are: load"),
        ({"uri": "mlruns/x"}, "expected a tracking URI"),
        ({"uri": "sqlite:///no.db"}, "there is no such file: no run has been logged there"),
        ({"uri": "http://127.0.0.1:9"}, "--decisions: expected the file that keeps the decisions"),
    ],
)
def test_what_cannot_be_decided(here: Path, changes: dict[str, str], told: str) -> None:
    given = {"model": "first", "by": "ada", "why": "best"} | changes
    uri = ["--tracking-uri", given["uri"]] if "uri" in given else []
    order = ["promote", given["model"], "--stage", "champion", "--by", given["by"]]
    assert told in refused(*order, "--why", given["why"], *uri)
    assert (
        not (here / "runs" / "decisions.jsonl").exists()
        or not (here / "runs" / "decisions.jsonl").read_text()
    )


def test_an_unknown_stage_is_told_with_those_there_are(here: Path) -> None:
    done = CliRunner().invoke(
        commands, ["promote", "first", "--stage", "live", "--by", "a", "--why", "b"]
    )
    assert done.exit_code == 2
    assert "'live' is not one of 'champion', 'candidate', 'retired', 'rejected'" in done.output


def test_a_run_that_is_not_logged_is_told_how_to(here: Path, make_run: Any) -> None:
    folder = make_run(here / "other", run_id="unlogged")
    order = ("promote", folder, "--stage", "champion", "--by", "a", "--why", "b")
    assert refused(*order) == f"{folder}: is not in MLflow yet: frugal-ai log {folder}"


def test_an_account_is_added_with_a_password_from_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    told = ran("account", "add", "ada", "--role", "reviewer", "--accounts", file, given=PASSWORD)
    assert told == [f"account  ada, reviewer, signs in with a password, in {file}"]
    assert Accounts(file).check("ada", PASSWORD) is not None
    assert Accounts(file).check("ada", "") is None
    told = ran("account", "add", "bob", "--role", "reader", "--accounts", file, "--proxy")
    assert told == [f"account  bob, reader, known from the proxy's header, in {file}"]
    done = CliRunner().invoke(
        commands, ["account", "add", "eve", "--role", "reader", "--accounts", str(file)], "short\n"
    )
    assert isinstance(done.exception, ReviewError)
    assert str(done.exception) == "expected a password of 12 to 256 signs, got 5"


def told_until(terminal: int, end: bytes) -> bytes:
    shown = b""
    while end not in shown and select.select([terminal], [], [], 60)[0]:
        try:
            shown += os.read(terminal, 1000)
        except OSError:  # the other end is closed
            break
    return shown


def test_a_password_that_is_typed_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    ours, theirs = pty.openpty()
    code = "from frugal_ai.cli import main; main()"
    order = ["account", "add", "ada", "--role", "reader", "--accounts", str(file)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *order], stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    for asked in (b"Password: ", b"confirmation: "):
        assert asked in told_until(ours, asked)
        os.write(ours, f"{PASSWORD}\n".encode())
    assert PASSWORD.encode() not in told_until(ours, b"\0")
    os.close(ours)
    assert process.wait(60) == 0
    assert Accounts(file).check("ada", PASSWORD) is not None


def test_commands_need_nothing_heavy_to_show_their_help() -> None:
    code = (
        "import sys\n"
        "from frugal_ai.cli import commands\n"
        "commands.main(['promote', '--help'], standalone_mode=False)\n"
        "assert not {'mlflow', 'starlette', 'jinja2'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
