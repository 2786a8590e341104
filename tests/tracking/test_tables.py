import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow.models import Model

from frugal_ai.report import RunReport
from frugal_ai.tracking import log_run
from frugal_ai.tracking.client import ClientWriter
from frugal_ai.tracking.store import open_store
from frugal_ai.tracking.tables import _COLUMNS, Tables, fit, open_tables
from frugal_ai.tracking.writer import is_known

RunMaker = Callable[..., Path]
TIMES = {"creation_time", "last_update_time", "last_updated_time", "deleted_time"}


def uri_of(path: Path) -> str:
    return f"sqlite:///{path}"


def changed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def content(path: Path, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Read every row of a store, ids by the order in which runs were begun."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        runs = [row[0] for row in connection.execute("SELECT run_uuid FROM runs ORDER BY rowid")]
        there = {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]  # noqa: S608 - its own tables
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }

    def plain(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        value = value.replace(str(folder), "HERE")
        for number, run in enumerate(runs):
            value = value.replace(run, f"RUN{number}")
        return value

    return {
        name: sorted(
            ({k: plain(v) for k, v in row.items() if k not in TIMES} for row in rows), key=str
        )
        for name, rows in there.items()
    }


@pytest.fixture
def by_client(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Say whether MLflow's own client writes."""

    def say(whether: bool) -> None:
        known = (lambda _uri: False) if whether else is_known
        monkeypatch.setattr("frugal_ai.tracking.writer.is_known", known)

    return say


def files_of(folder: Path) -> list[tuple[str, bytes]]:
    """Read every artifact of a folder of runs, with its path below the run's id."""
    home = folder / "mlartifacts" / "load"
    return sorted(
        ("/".join(path.relative_to(home).parts[1:]), path.read_bytes())
        for path in home.rglob("*")
        if path.is_file() and path.name != "MLmodel"  # which names the run
    )


def test_every_row_is_as_mlflow_writes_it(
    tmp_path: Path, empty_store: Path, make_run: RunMaker, by_client: Callable[[bool], None]
) -> None:
    folders = {}
    for whether in (False, True):
        by_client(whether)
        folder = folders[whether] = tmp_path / ("client" if whether else "tables")
        folder.mkdir()
        shutil.copy(empty_store, folder / "mlflow.db")
        for run_id in ("first", "second"):  # the second takes the alias over
            log_run(make_run(folder, run_id=run_id))
    ours, theirs = (content(one / "mlflow.db", one) for one in folders.values())
    assert len(ours["runs"]) > 4
    assert ours["registered_model_aliases"] == [
        {"alias": "candidate", "version": 2, "name": "load", "workspace": "default"}
    ]
    for table, rows in theirs.items():
        assert ours[table] == rows, table
    assert files_of(folders[False]) == files_of(folders[True])


def test_a_store_is_written_to_without_mlflow(run_dir: Path) -> None:
    said = (
        "import sys\nfrom pathlib import Path\nfrom frugal_ai.tracking import log_run\n"
        f"assert log_run(Path({str(run_dir)!r})).logged\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'mlflow'))"
    )
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
    assert RunReport.read(run_dir).mlflow is not None


def test_mlflow_reads_the_description_of_the_model(run_dir: Path) -> None:
    log_run(run_dir)
    (path,) = (run_dir.parent / "mlartifacts").rglob("MLmodel")
    model = Model.load(str(path.parent))
    written = yaml.safe_load(path.read_text())
    understood = yaml.safe_load(model.to_yaml())
    assert {name: understood[name] for name in written} == written
    assert not any(understood[name] for name in understood.keys() - written.keys())
    assert model.signature.to_dict() == written["signature"]


@pytest.mark.parametrize("table", _COLUMNS)
def test_a_store_of_another_shape_is_left_to_mlflow(
    tmp_path: Path, empty_store: Path, table: str
) -> None:
    path = Path(shutil.copy(empty_store, tmp_path / "mlflow.db"))
    assert fit(uri_of(path))
    changed(path, f"ALTER TABLE {table} ADD COLUMN optional TEXT")
    assert fit(uri_of(path))
    changed(path, f"ALTER TABLE {table} ADD COLUMN given INTEGER NOT NULL DEFAULT 1")
    assert fit(uri_of(path))
    changed(path, f"ALTER TABLE {table} RENAME TO gone")
    assert not fit(uri_of(path))
    changed(path, f"CREATE TABLE {table} AS SELECT * FROM gone")  # noqa: S608 - one of ours
    assert fit(uri_of(path))
    changed(path, f"DROP TABLE {table}", f"CREATE TABLE {table} (demanded TEXT NOT NULL)")
    assert not fit(uri_of(path))


def test_artifacts_elsewhere_are_left_to_mlflow(tmp_path: Path, empty_store: Path) -> None:
    path = Path(shutil.copy(empty_store, tmp_path / "mlflow.db"))
    changed(path, "UPDATE experiments SET artifact_location = 's3://bucket/runs'")
    assert not fit(uri_of(path))


def test_what_is_no_store_is_left_to_mlflow(tmp_path: Path) -> None:
    assert not fit(uri_of(tmp_path / "none.db"))
    (tmp_path / "text.db").write_text("no database" * 100)
    assert not fit(uri_of(tmp_path / "text.db"))


def test_workspaces_are_left_to_mlflow(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = uri_of(Path(shutil.copy(empty_store, tmp_path / "mlflow.db")))
    assert is_known(uri)
    monkeypatch.setenv("MLFLOW_ENABLE_WORKSPACES", "true")
    assert not is_known(uri)
    assert not is_known("http://127.0.0.1:9")


def interrupted(path: Path, folder: Path) -> None:
    """Begin to write to a store."""
    with open_tables(uri_of(path)) as tables:
        experiment = tables.create_experiment("load", (folder / "files").as_uri())
        run = tables.create_run(experiment, 0, {"a": "b"}, "one")
        tables.log_artifact(run.run_id, folder / "note.txt")
        assert len(list((folder / "files").rglob("note.txt"))) == 1
        raise KeyboardInterrupt


def test_what_fails_leaves_no_row_and_no_file(tmp_path: Path, empty_store: Path) -> None:
    path = Path(shutil.copy(empty_store, tmp_path / "mlflow.db"))
    before = content(path, tmp_path)
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(KeyboardInterrupt):
        interrupted(path, tmp_path)
    assert content(path, tmp_path) == before
    assert list((tmp_path / "files").rglob("*.txt")) == []


def test_figures_that_sql_cannot_hold(tmp_path: Path, empty_store: Path) -> None:
    odd = {"nan": float("nan"), "high": float("inf"), "low": float("-inf"), "one": 1.0}
    found = []
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        path = Path(shutil.copy(empty_store, tmp_path / name / "mlflow.db"))
        if name == "ours":
            with open_tables(uri_of(path)) as tables:
                written(tables, path.parent, odd)
        else:
            with open_store(f"sqlite:///{path}", writing=True) as client:
                written(ClientWriter(client), path.parent, odd)
        found.append(content(path, path.parent))
    assert found[0]["latest_metrics"] == found[1]["latest_metrics"]
    assert found[0]["runs"] == found[1]["runs"]
    assert found[0]["model_versions"] == found[1]["model_versions"]


def written(writer: Tables | ClientWriter, folder: Path, figures: dict[str, float]) -> None:
    """Log a run with odd figures and a model, and take a second one back."""
    experiment = writer.create_experiment("odd", (folder / "files").as_uri())
    assert writer.get_experiment("odd") == (experiment, "active")
    run, other = (writer.create_run(experiment, 5, {"role": name}, name) for name in ("a", "b"))
    writer.log_batch(run.run_id, {"p": "q"}, figures, 7)
    for one in (run, other):
        version = writer.create_model_version("odd", one.artifact_uri, one.run_id, {"t": "u"})
        writer.set_registered_model_alias(version, "candidate")
    assert writer.search_runs(experiment, {"role": "b"}) == [(other.run_id, "RUNNING")]
    writer.discard(other.run_id)
    assert writer.search_runs(experiment, {"role": "b"}) == []
    writer.set_terminated(run.run_id, "FINISHED", 9)
