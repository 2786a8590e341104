import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from frugal_edge.errors import StoreError
from frugal_edge.store.counters import Counters
from frugal_edge.store.database import NAME, VERSION, Database
from frugal_edge.store.readings import VALUE, Reading, Readings


def filled(state: Path, count: int = 5000) -> Path:
    database = Database(state)
    Readings(database).put("a", [Reading(VALUE, 1800 * n, n) for n in range(count)], 0)
    database.close()
    return state / NAME


def test_a_file_that_is_no_database_is_set_aside_and_replaced(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"not a database" * 100)
    database = Database(tmp_path)
    assert database.set_aside is not None
    assert database.set_aside.read_bytes().startswith(b"not a database")
    assert Readings(database).newest("a") is None
    database.close()


def test_damage_that_is_met_later_is_set_aside_then(tmp_path: Path) -> None:
    path = filled(tmp_path)
    page = 4096
    with path.open("r+b") as file:
        file.seek(2 * page)
        file.write(b"\xff" * (path.stat().st_size - 2 * page))
    database = Database(tmp_path)
    readings = Readings(database)
    with pytest.raises(StoreError, match=r"set aside as .*gateway\.db\.damaged-"):
        readings.table("a", (VALUE,), 0, 10**9)
    assert database.set_aside is not None
    assert readings.put("a", [Reading(VALUE, 0, 1.0)], 0) == 1  # the new one works
    assert readings.newest("a") == 0
    database.close()


def test_damage_that_is_met_while_writing_is_set_aside_too(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with path.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\xff" * (path.stat().st_size - 2 * 4096))
    database = Database(tmp_path)
    readings = Readings(database)
    with pytest.raises(StoreError, match="set aside"):
        readings.put("a", [Reading(VALUE, 1800 * n, -1.0) for n in range(5000)], 0)
    assert readings.put("a", [Reading(VALUE, 0, 1.0)], 0) == 1
    database.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = filled(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match=f"reads up to version {VERSION}, got {VERSION + 1}"):
        Database(tmp_path)
    assert [one.name for one in tmp_path.iterdir() if "damaged" in one.name] == []
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM reading").fetchone() == (5000,)
    connection.close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        Database(tmp_path / "file" / "state")


def test_a_transaction_in_a_transaction_ends_with_it(tmp_path: Path) -> None:
    database = Database(tmp_path)
    readings = Readings(database)

    def interrupted() -> None:
        with database.writing():
            readings.put("a", [Reading(VALUE, 0, 1.0)], 0)
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert readings.newest("a") is None
    with database.writing():
        readings.put("a", [Reading(VALUE, 0, 1.0)], 0)
    assert readings.newest("a") == 0
    database.close()


def test_a_database_that_another_process_holds_is_an_error_that_passes(tmp_path: Path) -> None:
    database = Database(tmp_path)
    with database.reading() as connection:
        connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    readings = Readings(database)
    with pytest.raises(StoreError, match="locked"):
        readings.put("a", [Reading(VALUE, 0, 1.0)], 0)
    assert database.set_aside is None
    other.execute("COMMIT")
    other.close()
    assert readings.put("a", [Reading(VALUE, 0, 1.0)], 0) == 1
    database.close()


def test_many_processes_may_make_the_database_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from frugal_edge.store.database import Database;"
        " sys.stdin.readline(); Database(Path(sys.argv[1])).close()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "state")],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in started:
        _, complaint = one.communicate(timeout=60)
        assert (one.returncode, complaint) == (0, "")


def test_a_process_that_is_killed_while_it_writes_loses_no_more_than_that(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from frugal_edge.store.database import Database;"
        " from frugal_edge.store.readings import VALUE, Reading, Readings;"
        " database = Database(Path(sys.argv[1])); readings = Readings(database);"
        " readings.put('a', [Reading(VALUE, 0, 1.0)], 0);"
        " context = database.writing(); context.__enter__();"
        " readings.put('a', [Reading(VALUE, 1800, 2.0)], 0);"
        " os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -9
    database = Database(tmp_path)
    assert Readings(database).newest("a") == 0
    assert database.set_aside is None
    database.close()


def test_a_full_disk_is_an_error_that_passes(small_disk: Path) -> None:
    others = small_disk / "others"
    others.write_bytes(bytes(400_000))
    database = Database(small_disk)
    readings, counters = Readings(database), Counters(database)
    readings.put("a", [Reading(VALUE, 0, 1.0)], 0)
    stored, said = -1, ""
    try:
        while stored < 100_000:
            many = [Reading(VALUE, 1800 * (stored + 1 + n), n) for n in range(100)]
            stored += readings.put("b", many, 0)
    except StoreError as error:
        said = str(error)
    assert "full" in said
    assert 0 < stored < 100_000
    counters.add("n_total", 3, fill="x" * 50_000)
    with pytest.raises(StoreError, match="full"):
        counters.flush()
    assert database.set_aside is None
    assert readings.newest("a") == 0  # what was there is there
    assert readings.newest("b") == 1800 * stored
    others.unlink()
    assert readings.put("a", [Reading(VALUE, 1800, 2.0)], 0) == 1
    counters.flush()
    assert Counters(database).get("n_total", fill="x" * 50_000) == 3
    database.close()


def test_a_read_only_disk_is_an_error(small_disk: Path) -> None:
    filled(small_disk, 10)
    remount = [str(shutil.which("mount")), "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    with pytest.raises(StoreError, match="unable to open"):
        filled(small_disk, 20)
    assert [one.name for one in small_disk.iterdir() if "damaged" in one.name] == []
