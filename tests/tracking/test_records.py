import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy

from frugal_ai.errors import TrackingError
from frugal_ai.report import Figures, RunReport
from frugal_ai.tracking import default_uri, log_run
from frugal_ai.tracking.artifacts import list_files, open_file
from frugal_ai.tracking.content import tag_names
from frugal_ai.tracking.records import RunRecord, children, read_records, read_stamp
from frugal_ai.tracking.search import fetch_file, search_files, search_records, search_stamp

RunMaker = Callable[..., Path]
METRICS = (*Figures().flat(), "ledger.%")
TAGS = (*tag_names(), "frugal.series", "frugal.run_id")


@pytest.fixture
def uri(run_dir: Path) -> str:
    log_run(run_dir)
    return default_uri(run_dir.parent)


def by_id(records: list[RunRecord]) -> dict[str, RunRecord]:
    return {one.run_id: one for one in records}


def test_a_database_tells_the_same_as_a_server(uri: str) -> None:
    read, asked = by_id(read_records(uri, METRICS, TAGS)), by_id(search_records(uri))
    assert read.keys() == asked.keys()
    assert len(read) == 4
    for run_id, one in read.items():
        other = asked[run_id]
        assert (one.role, one.parent, one.status) == (other.role, other.parent, other.status)
        assert one.artifact_uri == other.artifact_uri
        assert one.metrics == {name: other.metrics[name] for name in one.metrics}
        assert one.tags == {name: other.tags[name] for name in one.tags}
        assert {name for name in other.metrics if name in METRICS} <= one.metrics.keys()


def test_other_databases_are_read_value_by_value(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grouped = by_id(read_records(uri, METRICS, TAGS))
    monkeypatch.setattr("sqlalchemy.dialects.sqlite.pysqlite.SQLiteDialect_pysqlite.name", "other")
    assert by_id(read_records(uri, METRICS, TAGS)) == grouped


def test_rungs_are_paired_with_their_run(uri: str) -> None:
    pairs = list(children(by_id(read_records(uri, METRICS, TAGS))))
    assert len(pairs) == 3
    assert len({parent.run_id for _, parent in pairs}) == 1
    assert {child.role for child, _ in pairs} == {"rung"}


def test_the_stamp_changes_with_a_run(
    uri: str, run_dir: Path, make_run: RunMaker, empty_store: Path
) -> None:
    before, asked = read_stamp(uri), search_stamp(uri)
    assert read_stamp(uri) == before
    later = RunReport.read(run_dir).ended.replace(year=2031)
    log_run(make_run(run_dir.parent, run_id="another", ended=later), uri)
    assert read_stamp(uri) != before
    assert search_stamp(uri) != asked


def test_what_was_deleted_or_is_not_done_is_left_out(uri: str) -> None:
    engine = sqlalchemy.create_engine(uri)
    with engine.begin() as connection:
        running = "UPDATE runs SET status = 'RUNNING' WHERE name = 'ridge'"
        deleted = "UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'basis_ridge'"
        connection.execute(sqlalchemy.text(running))
        connection.execute(sqlalchemy.text(deleted))
    engine.dispose()
    assert len(read_records(uri, METRICS, TAGS)) == 2


def test_a_store_that_is_not_there_is_refused(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/none.db"
    for ask in (read_stamp, lambda uri: read_records(uri, METRICS, TAGS)):
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
    return next(one for one in read_records(uri, METRICS, TAGS) if one.role == "run")


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
