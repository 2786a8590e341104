import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry

from frugal_ai.errors import TrackingError
from frugal_ai.report import RunReport
from frugal_ai.tracking import default_uri, log_run, read_runs
from frugal_ai.tracking.alone import alone
from frugal_ai.tracking.uri import artifact_location, reason, resolve, shown

RunMaker = Callable[..., Path]


def refused(run_dir: Path, uri: str | None = None) -> str:
    """Log in vain, soon told why, and find it noted."""
    started = time.monotonic()
    with pytest.raises(TrackingError) as caught:
        log_run(run_dir, uri)
    assert time.monotonic() - started < 60  # mlflow alone tries again for minutes
    assert f"To log it later: frugal-ai log {run_dir}" in str(caught.value)
    noted = RunReport.read(run_dir).mlflow
    assert noted is not None
    assert not noted.logged
    assert noted.why is not None
    assert noted.why in str(caught.value)
    return noted.why


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("http://127.0.0.1:9", "Connection refused"),
        ("http://host.invalid:5000", "not known|failure in name resolution"),
        ("http://[bad", "expected a tracking URI"),
        ("foo://bar", "unsupported URI 'foo://bar'"),
        ("runs/mlruns", "expected a tracking URI such as"),
        ("file:///tmp/mlruns", "expected a tracking URI such as"),
        ("", "expected a tracking URI such as"),
        ("sqlite://", "forgotten at once"),
        ("sqlite:///:memory:", "forgotten at once"),
        ("sqlite:///file:/tmp/mlflow.db?uri=true", "write the path alone"),
        ("mysql+nodriver://host/db", "nodriver"),
        ("postgresql://user:secret@127.0.0.1:9/db", "a package is not installed|refused"),
    ],
)
def test_a_store_out_of_reach_is_refused_soon(run_dir: Path, uri: str, why: str) -> None:
    assert re.search(why, refused(run_dir, uri))


def test_a_database_in_a_file_that_is_none_is_refused(run_dir: Path) -> None:
    (run_dir.parent / "mlflow.db").write_text("no database" * 100, encoding="utf-8")
    assert refused(run_dir) == "file is not a database"


def test_a_folder_in_the_place_of_the_database_is_refused(run_dir: Path) -> None:
    (run_dir.parent / "mlflow.db").unlink()
    (run_dir.parent / "mlflow.db").mkdir()
    assert refused(run_dir) == "unable to open database file"


def test_a_file_in_the_place_of_the_folder_is_refused(run_dir: Path) -> None:
    place = run_dir.parent / "mlflow.db"
    assert refused(run_dir, f"sqlite:///{place}/mlflow.db") == f"File exists: {place}"


@contextmanager
def pragma(make: Callable[[sqlite3.Connection], str]) -> Iterator[None]:
    """Set something on every connection to SQLite."""

    def listener(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.execute(f"PRAGMA {make(connection)}")

    event.listen(sqlalchemy.Engine, "connect", listener)
    try:
        yield
    finally:
        event.remove(sqlalchemy.Engine, "connect", listener)


def test_a_read_only_database_is_refused_and_read(run_dir: Path) -> None:
    uri = default_uri(run_dir.parent)
    with pragma(lambda _: "query_only = ON"):
        assert refused(run_dir) == "attempt to write a readonly database"
    log_run(run_dir)
    with pragma(lambda _: "query_only = ON"):
        assert len(read_runs(uri)) == 3


def test_a_file_without_permission_is_refused_and_read(run_dir: Path, make_run: RunMaker) -> None:
    log_run(run_dir)
    path = run_dir.parent / "mlflow.db"
    path.chmod(0o444)
    if os.access(path, os.W_OK):
        pytest.skip("this user may write everywhere")
    second = make_run(run_dir.parent, run_id="second")
    assert refused(second) == "attempt to write a readonly database"
    assert len(read_runs(default_uri(run_dir.parent))) == 3


def test_a_locked_database_is_refused(run_dir: Path) -> None:
    holder = sqlite3.connect(run_dir.parent / "mlflow.db")
    try:
        holder.execute("BEGIN EXCLUSIVE")
        uri = f"{default_uri(run_dir.parent)}?timeout=0.1"
        assert refused(run_dir, uri) == "database is locked"
    finally:
        holder.close()


def room_for(pages: int) -> AbstractContextManager[None]:
    """Let SQLite databases grow by no more than some pages, as on a disk that fills up."""
    limits: list[int] = []

    def limit(connection: sqlite3.Connection) -> str:
        (size,) = connection.execute("PRAGMA page_count").fetchone()
        limits.append(size + pages)
        return f"max_page_count = {limits[0]}"

    return pragma(limit)


@pytest.mark.parametrize("pages", [0, 2, 4])
def test_a_full_disk_leaves_no_half_of_a_run(run_dir: Path, pages: int) -> None:
    uri = default_uri(run_dir.parent)
    with room_for(pages):
        assert refused(run_dir) == "database or disk is full"
    log_run(run_dir)
    assert len(read_runs(uri)) == 3


def test_a_store_is_kept_from_others_while_it_is_written(tmp_path: Path) -> None:
    inside = threading.Event()

    def enter() -> None:
        with alone(tmp_path):
            inside.set()

    other = threading.Thread(target=enter)
    with alone(tmp_path):
        other.start()
        assert not inside.wait(0.2)
    assert inside.wait(10)
    other.join()


def test_the_password_is_nowhere_shown(run_dir: Path) -> None:
    with pytest.raises(TrackingError) as caught:
        log_run(run_dir, "http://user:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value)
    assert "secret" not in (run_dir / "run.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://user:pw@host:5000/x", "http://user@host:5000/x"),
        ("postgresql+psycopg2://me:p:w@host/db", "postgresql+psycopg2://me@host/db"),
        ("https://host", "https://host"),
        ("https://user@host", "https://user@host"),
        ("sqlite:////runs/a:b@c/mlflow.db", "sqlite:////runs/a:b@c/mlflow.db"),
        ("databricks", "databricks"),
    ],
)
def test_shown_hides_the_password_alone(uri: str, expected: str) -> None:
    assert shown(uri) == expected


def test_resolve_makes_a_path_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve("sqlite:///runs/mlflow.db") == f"sqlite:///{tmp_path}/runs/mlflow.db"
    for uri in (default_uri(tmp_path), "http://host:5000", "databricks", "databricks://profile"):
        assert resolve(uri) == uri


@pytest.mark.parametrize("name", ["100%", "why?"])
def test_a_path_that_no_uri_carries_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrackingError, match="expected a path without"):
        default_uri(tmp_path / name)


def test_artifacts_lie_beside_a_database(tmp_path: Path) -> None:
    expected = (tmp_path / "mlartifacts" / "load").as_uri()
    elsewhere = Path("/elsewhere")
    assert artifact_location(default_uri(tmp_path), elsewhere, "load") == expected
    assert artifact_location("postgresql://host/db", tmp_path, "load") == expected
    assert artifact_location("http://host:5000", tmp_path, "load") is None


def test_a_reason_is_one_short_line() -> None:
    assert reason(ValueError("first\nsecond")) == "first"
    assert reason(ValueError()) == "ValueError"
    assert len(reason(ValueError("x" * 1000))) == 300


def test_there_is_nothing_to_read_where_nothing_was_logged(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="no run has been logged there"):
        read_runs(default_uri(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_away_cannot_be_read() -> None:
    with pytest.raises(TrackingError, match=r"127\.0\.0\.1:9: cannot be read: Connection refused"):
        read_runs("http://127.0.0.1:9")
