import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from frugal_ai.errors import TrackingError
from frugal_ai.report import MlflowReport, RungReport, RunReport
from frugal_ai.tracking import default_uri, log_run, read_runs
from frugal_ai.tracking.tables import Tables

RunMaker = Callable[..., Path]


def client_of(run_dir: Path) -> MlflowClient:
    return MlflowClient(default_uri(run_dir.parent))


def runs_of(client: MlflowClient, role: str) -> list[Any]:
    experiments = [one.experiment_id for one in client.search_experiments()]
    return list(client.search_runs(experiments, f"tags.`frugal.role` = '{role}'"))


def test_a_run_is_a_parent_with_a_child_per_rung(run_dir: Path) -> None:
    report = RunReport.read(run_dir)
    logged = log_run(run_dir)
    assert logged == RunReport.read(run_dir).mlflow
    client = client_of(run_dir)
    parent = client.get_run(logged.run_id)
    assert parent.info.status == "FINISHED"
    assert parent.info.end_time == report.ended.timestamp() * 1000
    assert parent.data.tags["mlflow.note.content"] == report.reason
    assert parent.data.params["version.numpy"] == "2.4.6"
    children = {run.info.run_name: run for run in runs_of(client, "rung")}
    assert children.keys() == {rung.rung for rung in report.rungs}
    for rung in report.rungs:
        child = children[rung.rung]
        assert child.data.tags["mlflow.parentRunId"] == logged.run_id
        assert child.data.tags.get("frugal.verdict") == rung.verdict
        figures = {name: value for name, value in rung.flat().items() if value is not None}
        assert child.data.metrics == figures
    assert "gain" not in children["seasonal_naive_week"].data.metrics
    assert children["ridge"].data.params["knots"] == "[15.0, 22.0]"
    best = children["basis_ridge"].data
    assert best.tags["frugal.chosen"] == "true"
    assert best.metrics == parent.data.metrics


def test_the_evidence_is_kept_as_artifacts(run_dir: Path, tmp_path: Path) -> None:
    logged = log_run(run_dir)
    client = client_of(run_dir)
    names = {one.path for one in client.list_artifacts(logged.run_id)}
    files = {"run.json", "ledger.jsonl", "pareto.svg", "leaderboard.json", "leaderboard.csv"}
    assert names == files | {"bundle"}
    copy = Path(client.download_artifacts(logged.run_id, "bundle", str(tmp_path)))
    for path in (run_dir / "bundle").iterdir():
        assert (copy / path.name).read_bytes() == path.read_bytes()
    assert (run_dir.parent / "mlartifacts" / "load" / str(logged.run_id) / "artifacts").is_dir()


def test_an_unfinished_folder_is_logged_without_what_it_lacks(run_dir: Path) -> None:
    (run_dir / "pareto.svg").unlink()
    logged = log_run(run_dir)
    names = {one.path for one in client_of(run_dir).list_artifacts(logged.run_id)}
    assert "pareto.svg" not in names
    assert "run.json" in names


@pytest.mark.filterwarnings("ignore::UserWarning:mlflow")  # of its own types, when it is loaded
def test_the_chosen_model_is_the_candidate_and_loads(run_dir: Path) -> None:
    import mlflow.onnx
    import mlflow.pyfunc

    log_run(run_dir)
    client = client_of(run_dir)
    version = client.get_model_version_by_alias("load", "candidate")
    assert client.get_run(version.run_id).info.run_name == "basis_ridge"
    assert version.tags == {"frugal.bundle": "load-basis_ridge-feeder_load"}
    folder = client.download_artifacts(version.run_id, "model")
    graph = mlflow.onnx.load_model(folder)
    assert graph.SerializeToString() == (run_dir / "bundle" / "model.onnx").read_bytes()
    history = np.arange(96, dtype=np.float32)[None]
    forecast = mlflow.pyfunc.load_model(folder).predict({"history": history})
    np.testing.assert_array_equal(forecast["forecast"], history[:, 48:])


def test_logging_twice_changes_nothing(run_dir: Path) -> None:
    first = log_run(run_dir)
    written = (run_dir / "run.json").stat().st_mtime_ns
    assert log_run(run_dir) == first
    assert (run_dir / "run.json").stat().st_mtime_ns == written
    client = client_of(run_dir)
    assert len(runs_of(client, "run")) == 1
    assert len(runs_of(client, "rung")) == 3
    assert len(client.search_model_versions("name = 'load'")) == 1


def test_the_next_run_becomes_the_candidate(run_dir: Path, make_run: RunMaker) -> None:
    log_run(run_dir)
    second = log_run(make_run(run_dir.parent, run_id="second"))
    client = client_of(run_dir)
    assert len(runs_of(client, "run")) == 2
    version = client.get_model_version_by_alias("load", "candidate")
    child = client.get_run(version.run_id)
    assert version.version == 2
    assert child.data.tags["mlflow.parentRunId"] == second.run_id


def test_an_interrupted_run_is_logged_as_such(run_dir: Path, make_run: RunMaker) -> None:
    example = RunReport.read(run_dir)
    unjudged = ("mae", "mae_ci", "skill", "skill_ci", "gain", "gain_ci", "verdict", "over")
    rungs = [
        RungReport(**rung.model_dump(exclude={*unjudged, "chosen"})) for rung in example.rungs[:3]
    ]
    changes = {"status": "interrupted", "chosen": None, "rungs": tuple(rungs), "bundles": ()}
    folder = make_run(run_dir.parent, run_id="cut", **changes)
    logged = log_run(folder)
    client = client_of(run_dir)
    assert client.get_run(logged.run_id).info.status == "KILLED"
    assert client.search_registered_models() == []
    assert [row.mae for row in read_runs(default_uri(run_dir.parent))] == [None] * 3
    assert log_run(folder) == logged


def test_each_series_has_a_candidate_of_its_own(run_dir: Path, make_run: RunMaker) -> None:
    folder = make_run(run_dir.parent, run_id="two", bundles=("bundle/north", "bundle/south"))
    logged = log_run(folder)
    client = client_of(run_dir)
    names = {model.name for model in client.search_registered_models()}
    assert names == {"load-north", "load-south"}
    version = client.get_model_version_by_alias("load-south", "candidate")
    assert (Path(client.download_artifacts(version.run_id, "model/south")) / "MLmodel").is_file()
    bundles = {one.path for one in client.list_artifacts(logged.run_id, "bundle")}
    assert bundles == {"bundle/north", "bundle/south"}


def test_a_new_store_is_made_without_a_word_and_without_a_socket(
    tmp_path: Path,
    make_run: RunMaker,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    folder = make_run(tmp_path / "séries d'été #1")
    log_run(folder)
    assert len(read_runs(default_uri(folder.parent))) == 3
    assert capfd.readouterr() == ("", "")


def test_a_relative_store_is_found_from_elsewhere(
    run_dir: Path, make_run: RunMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run_dir.parent)
    folder = make_run(Path(), run_id="here")
    logged = log_run(folder, "sqlite:///mlflow.db")
    assert logged.uri == default_uri(run_dir.parent)
    monkeypatch.chdir("/")
    assert log_run(run_dir.parent / "here") == logged


@pytest.fixture(params=["tables", "client"])
def writer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[object]:
    """Write without mlflow, and with it; returns what does."""
    if request.param == "tables":
        return Tables
    monkeypatch.setattr("frugal_ai.tracking.writer.is_known", lambda _uri: False)
    patched: type[object] = MlflowClient
    return patched


def failing_upload(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/mlartifacts")


def test_a_failed_upload_leaves_nothing_and_can_be_repeated(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, writer: type
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(writer, "log_artifacts", failing_upload)
        with pytest.raises(TrackingError, match="No space left on device: /full") as caught:
            log_run(run_dir)
    assert f"frugal-ai log {run_dir}" in str(caught.value)
    noted = RunReport.read(run_dir).mlflow
    assert noted is not None
    assert (noted.logged, noted.uri) == (False, default_uri(run_dir.parent))
    assert noted.why == "No space left on device: /full/mlartifacts"
    client = client_of(run_dir)
    assert runs_of(client, "run") + runs_of(client, "rung") == []
    assert log_run(run_dir).logged
    assert len(runs_of(client, "rung")) == 3


def test_what_fails_after_registration_takes_the_version_back(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, writer: type
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(writer, "set_registered_model_alias", failing_upload)
        with pytest.raises(TrackingError, match="No space left"):
            log_run(run_dir)
    assert client_of(run_dir).search_model_versions("name = 'load'") == []


@pytest.mark.parametrize("at", ["log_batch", "log_artifact", "create_model_version"])
def test_an_attempt_that_was_cut_off_is_replaced(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, writer: type, at: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writer, at, interrupt)
        with pytest.raises(KeyboardInterrupt):
            log_run(run_dir)
    client = client_of(run_dir)
    left = [] if writer is Tables else ["RUNNING"]  # tables are written as a whole or not at all
    assert [run.info.status for run in runs_of(client, "run")] == left
    logged = log_run(run_dir)
    assert [run.info.run_id for run in runs_of(client, "run")] == [logged.run_id]
    assert len(runs_of(client, "rung")) == 3


def test_a_store_that_fails_on_the_way_out_too_is_told_once(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, writer: type
) -> None:
    with monkeypatch.context() as patch:
        for name in ("log_artifacts", "discard" if writer is Tables else "delete_run"):
            patch.setattr(writer, name, failing_upload)
        with pytest.raises(TrackingError, match="No space left"):
            log_run(run_dir)
    assert log_run(run_dir).logged
    assert len(runs_of(client_of(run_dir), "run")) == 1


def test_an_altered_bundle_is_not_logged(run_dir: Path) -> None:
    path = run_dir / "bundle" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(TrackingError, match=r"model\.onnx: altered"):
        log_run(run_dir)
    assert runs_of(client_of(run_dir), "run") == []


def test_a_deleted_experiment_is_named(run_dir: Path) -> None:
    client = client_of(run_dir)
    client.delete_experiment(client.create_experiment("load"))
    with pytest.raises(TrackingError, match="mlflow experiments restore --experiment-id 1"):
        log_run(run_dir)


def test_a_run_that_is_logged_elsewhere_stays_so_when_another_store_fails(run_dir: Path) -> None:
    logged = log_run(run_dir)
    with pytest.raises(TrackingError):
        log_run(run_dir, "foo://bar")
    assert RunReport.read(run_dir).mlflow == logged


def test_a_failed_run_tries_the_same_store_again(run_dir: Path, make_run: RunMaker) -> None:
    other = run_dir.parent / "elsewhere"
    wanted = MlflowReport(uri=f"sqlite:///{other}/mlflow.db", logged=False, why="it was full")
    other.mkdir()
    (run_dir.parent / "mlflow.db").rename(other / "mlflow.db")
    folder = make_run(run_dir.parent, run_id="again", mlflow=wanted)
    assert log_run(folder).uri == wanted.uri
    assert not (run_dir.parent / "mlflow.db").exists()


def test_a_folder_that_cannot_be_noted_in_is_still_told_why(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", failing_upload)
    with pytest.raises(TrackingError, match="unsupported URI"):
        log_run(run_dir, "foo://bar")


def test_long_values_are_cut_and_empty_ones_left_out(run_dir: Path, make_run: RunMaker) -> None:
    example = RunReport.read(run_dir)
    params = {"knots": list(range(9000)), "label": "", "none": None}
    rungs = tuple(
        rung.model_copy(update={"params": params if rung.chosen else rung.params})
        for rung in example.rungs
    )
    log_run(make_run(run_dir.parent, run_id="long", rungs=rungs, title=""))
    rungs_there = {run.info.run_name: run for run in runs_of(client_of(run_dir), "rung")}
    best = rungs_there["basis_ridge"]
    assert best.data.params["knots"] == json.dumps(params["knots"])[:6000]
    assert best.data.params.keys() == {"family", "knots"}
