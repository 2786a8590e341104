"""Against a real tracking server."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from frugal_ai.board.store import Store
from frugal_ai.errors import TrackingError, UnknownModelError
from frugal_ai.report import RunReport
from frugal_ai.review.decisions import Decisions
from frugal_ai.review.promotion import decide
from frugal_ai.review.pull import pull
from frugal_ai.review.situation import Proposal, look
from frugal_ai.tracking import default_uri, log_run, read_runs, rest

RunMaker = Callable[..., Path]

pytestmark = [
    pytest.mark.skipif(find_spec("flask") is None, reason="the full mlflow is not installed"),
    pytest.mark.xdist_group("mlflow_server"),
]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[str]:
    home = tmp_path_factory.mktemp("server")
    (home / "mlflow.db").write_bytes(empty_store.read_bytes())
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
    command += ["--artifacts-destination", str(home / "artifacts")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 60
        while not _is_up(url):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail((home / "server.log").read_text(encoding="utf-8")[-2000:])
            time.sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the session that it leads, workers included
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_server_keeps_what_a_run_found(
    server: str, run_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logged = log_run(run_dir, server)
    assert logged.uri == server
    assert log_run(run_dir) == logged
    client = MlflowClient(server)
    parent = client.get_run(logged.run_id)
    assert parent.info.artifact_uri.startswith("mlflow-artifacts:")
    assert {one.path for one in client.list_artifacts(logged.run_id)} >= {"run.json", "bundle"}
    version = client.get_model_version_by_alias("load", "candidate")
    folder = Path(client.download_artifacts(version.run_id, "model", str(tmp_path)))
    expected = (run_dir / "bundle" / "model.onnx").read_bytes()
    assert (folder / "model.onnx").read_bytes() == expected
    found = {row.rung: row.mae for row in read_runs(server, "load")}
    assert found == {row.rung: row.mae for row in RunReport.read(run_dir).rows()}
    assert capfd.readouterr() == ("", "")


def test_a_server_that_goes_away_in_between_is_logged_to_later(
    server: str, run_dir: Path, make_run: RunMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(run_dir.parent, run_id="later")

    def gone(*_: object, **__: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    with monkeypatch.context() as patch:
        for name in ("log_artifacts", "search_runs", "delete_run"):
            patch.setattr(MlflowClient, name, gone if name != "search_runs" else lambda *_: [])
        with pytest.raises(TrackingError, match="the run is not logged: Connection refused"):
            log_run(folder, server)
    logged = log_run(folder)
    assert logged.uri == server
    client = MlflowClient(server)
    wanted = "tags.`frugal.run_id` = 'later' and tags.`frugal.role` = 'run'"
    assert [run.info.run_id for run in client.search_runs(["1"], wanted)] == [logged.run_id]


def test_what_a_server_refuses_is_told(server: str, run_dir: Path) -> None:
    with pytest.raises(TrackingError, match=r"the run is not logged: .*404"):
        log_run(run_dir, f"{server}/no/such/place")


def test_a_model_is_decided_on_and_pulled_through_a_server(
    server: str, run_dir: Path, make_run: RunMaker, tmp_path: Path
) -> None:
    log_run(make_run(run_dir.parent, run_id="decided", pipeline="elsewhere"), server)
    seen = look(server, "decided").evidence.digest
    record = Decisions(tmp_path / "decisions.jsonl")
    proposal = Proposal("decided", "champion", "ada", "best", evidence=seen)
    decision = decide(server, record, proposal)
    assert MlflowClient(server).get_registered_model("elsewhere").aliases == {"champion": "1"}
    bundle, version, decisions = pull(server, "champion/elsewhere", tmp_path)
    assert (version.shown, decisions) == ("elsewhere/1", [decision])
    assert "| ada | elsewhere/1 champion | best |" in bundle.content["MODEL_CARD.md"].decode()
    with pytest.raises(UnknownModelError, match="has no finished run"):
        look(server, "nothing")
    with pytest.raises(UnknownModelError, match="no model 'nope' is registered"):
        pull(server, "champion/nope", tmp_path)


def test_a_board_reads_a_server_as_it_reads_a_database(server: str, run_dir: Path) -> None:
    from frugal_ai.board.store import Store

    changed = RunReport.read(run_dir).model_copy(update={"run_id": "on-the-board"})
    changed.write(run_dir)
    log_run(run_dir, server)
    store = Store(server)
    entry = store.snapshot().model("on-the-board")
    assert entry.row.chosen
    files = store.files(entry)
    assert "bundle/MODEL_CARD.md" in files
    assert b"on-the-board" in store.read(entry, "run.json")


def test_the_board_reads_a_server_as_it_reads_a_database(
    server: str, run_dir: Path, make_run: RunMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "PAGE", 2)  # so that runs are cut by pages
    folder = make_run(run_dir.parent, run_id="shown")
    log_run(folder, server)
    log_run(folder, default_uri(folder.parent))
    of_server, of_file = Store(server), Store(default_uri(folder.parent))
    assert of_server.whole().read is None
    for rung in ("ridge", "basis_ridge"):
        one, other = (store.snapshot().model("shown", rung) for store in (of_server, of_file))
        ids = {"mlflow_run_id": None}
        assert one.row.model_copy(update=ids) == other.row.model_copy(update=ids)
        assert (one.run.reason, one.run.title) == (other.run.reason, other.run.title)
        assert set(of_server.files(one)) == set(of_file.files(other))
    later = make_run(folder.parent, run_id="since", ended=RunReport.read(folder).ended)
    log_run(later, server)
    monkeypatch.setattr("frugal_ai.board.store._ASK_EVERY_S", 0.0)
    assert of_server.snapshot().model("since").chosen


def test_what_keeps_a_server_from_being_read_is_told(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrackingError, match="cannot be read: 404"):
        Store(f"{server}/no/such/place").snapshot()
    with pytest.raises(TrackingError, match=r"cannot be read: .*refused"):
        Store(f"http://127.0.0.1:{_free_port()}").snapshot()
    monkeypatch.setattr(rest, "plain", lambda _: False)  # the client signs in as it can
    assert Store(server).whole().read is None
