import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy

from frugal_ai.errors import TrackingError
from frugal_ai.report import Circumstances, RunReport
from frugal_ai.tracking import default_uri, log_run
from frugal_ai.tracking.artifacts import list_files, open_file
from frugal_ai.tracking.records import RunRecord, read_heads, read_records, read_stamp
from frugal_ai.tracking.search import fetch_file, search_files, search_pages

RunMaker = Callable[..., Path]


@pytest.fixture
def uri(run_dir: Path) -> str:
    log_run(run_dir)
    return default_uri(run_dir.parent)


def by_client(uri: str) -> dict[str, RunRecord]:
    wanted = "tags.`frugal.role` LIKE 'ru%'"
    pages = search_pages(uri, wanted, ["attributes.end_time DESC"], 2)
    return {one.run_id: one for page in pages for one in page}


def test_a_database_tells_the_same_as_mlflow_itself(uri: str) -> None:
    asked = by_client(uri)
    assert len(asked) == 4
    assert read_records(uri, list(asked)) == asked
    assert read_records(uri, ["of nobody"]) == {}


def test_the_heads_are_the_finished_rungs_of_the_runs(uri: str, run_dir: Path) -> None:
    heads = read_heads(uri)
    rows = {row.rung: row for row in RunReport.read(run_dir).rows()}
    assert {one.rung for one in heads} == rows.keys()
    assert len({one.parent for one in heads}) == 1
    for one in heads:
        row = rows[one.rung]
        assert (one.chosen, datetime.fromisoformat(one.ended)) == (row.chosen, row.ended)
        shared = dict(one.shared)
        assert shared.pop("run_id") == row.run_id
        assert Circumstances.model_validate(shared) == row.circumstances


def test_the_stamp_changes_with_a_run(uri: str, run_dir: Path, make_run: RunMaker) -> None:
    before = read_stamp(uri)
    assert read_stamp(uri) == before
    later = RunReport.read(run_dir).ended.replace(year=2031)
    log_run(make_run(run_dir.parent, run_id="another", ended=later), uri)
    assert read_stamp(uri) != before


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("status = 'RUNNING' WHERE name = 'ridge'", 2),
        ("lifecycle_stage = 'deleted' WHERE name = 'basis_ridge'", 2),
        ("lifecycle_stage = 'deleted' WHERE name = 'load'", 0),
        ("status = 'FAILED' WHERE name = 'load'", 0),
        ("status = 'KILLED' WHERE name = 'load'", 3),
    ],
)
def test_what_was_deleted_or_is_not_done_is_left_out(uri: str, change: str, left: int) -> None:
    engine = sqlalchemy.create_engine(uri)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"UPDATE runs SET {change}"))  # noqa: S608 - as above
    engine.dispose()
    assert len(read_heads(uri)) == left


def test_a_store_that_is_not_there_is_refused(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/none.db"
    for ask in (read_stamp, read_heads, lambda uri: read_records(uri, ["any"])):
        with pytest.raises(TrackingError, match="no such file"):
            ask(uri)


def test_reading_a_database_needs_no_mlflow(uri: str) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from frugal_ai.board.store import Store; "
        f"assert Store({uri!r}).snapshot().groups; "
        "assert not {'mlflow', 'matplotlib', 'polars', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def parent_of(uri: str) -> RunRecord:
    return next(one for one in by_client(uri).values() if one.role == "run")


def test_files_of_a_run_are_found_on_the_disk_as_by_a_server(uri: str, tmp_path: Path) -> None:
    run = parent_of(uri)
    files = list_files(uri, run.run_id, run.artifact_uri)
    assert files == search_files(uri, run.run_id)
    assert "bundle/model.onnx" in files
    with open_file(uri, run.run_id, run.artifact_uri, "run.json") as path:
        content = path.read_bytes()
    assert content == fetch_file(uri, run.run_id, "run.json", tmp_path).read_bytes()


@pytest.mark.parametrize(
    "name",
    ["../run.json", "bundle/../../secret", "/etc/passwd", "", ".", "bundle\\..\\x", "a\0b", "none"],
)
def test_no_name_leads_out_of_a_run(uri: str, name: str) -> None:
    run = parent_of(uri)
    with pytest.raises(TrackingError), open_file(uri, run.run_id, run.artifact_uri, name):
        pass


def test_no_link_leads_out_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "secret").write_text("s")
    (tmp_path / "run" / "inside").write_text("i")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "run" / "folder").symlink_to(tmp_path)
    where = (tmp_path / "run").as_uri()
    assert list_files("sqlite:///x.db", "r", where) == {"inside": 1}
    for name in ("link", "folder/secret"):
        with pytest.raises(TrackingError), open_file("sqlite:///x.db", "r", where, name):
            pass


def test_of_a_run_whose_files_are_gone_there_are_none(uri: str, run_dir: Path) -> None:
    run = parent_of(uri)
    shutil.rmtree(run_dir.parent / "mlartifacts")
    assert list_files(uri, run.run_id, run.artifact_uri) == {}
