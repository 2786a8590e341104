"""One SQLite file with all that a gateway keeps; write-ahead log, so that readers never wait."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from frugal_edge.errors import StoreError

NAME = "gateway.db"

# From an empty file to the tables of today, a step for each version; none is changed later.
_FIRST = """
CREATE TABLE reading (
    series TEXT NOT NULL, name TEXT NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (series, name, time)
) WITHOUT ROWID;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY, received INTEGER NOT NULL, series TEXT NOT NULL, source TEXT NOT NULL,
    reason TEXT NOT NULL, content TEXT NOT NULL
);
CREATE TABLE forecast (
    series TEXT NOT NULL, origin INTEGER NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL,
    scored INTEGER NOT NULL,
    PRIMARY KEY (series, origin)
) WITHOUT ROWID;
CREATE TABLE accuracy (
    series TEXT NOT NULL, model TEXT NOT NULL, lead INTEGER NOT NULL, count INTEGER NOT NULL,
    error REAL NOT NULL, bias REAL NOT NULL,
    PRIMARY KEY (series, model, lead)
) WITHOUT ROWID;
CREATE TABLE drift (series TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL, topic TEXT NOT NULL,
    payload BLOB NOT NULL, retain INTEGER NOT NULL
);
CREATE TABLE sent (topic TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (
    name TEXT NOT NULL, labels TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (name, labels)
) WITHOUT ROWID;
"""
_STEPS = (
    _FIRST,
    "CREATE TABLE unit (series TEXT PRIMARY KEY, unit TEXT NOT NULL) WITHOUT ROWID",
)
VERSION = len(_STEPS)


class Database:
    """The file of a gateway.

    Parameters
    ----------
    state
        Folder of the gateway's state; it is made if it is not there.

    Raises
    ------
    StoreError
        If the file cannot be opened, or was written by a newer frugal-edge.
    """

    def __init__(self, state: Path) -> None:
        self.path = state / NAME
        self.set_aside: Path | None = None
        try:
            state.mkdir(parents=True, exist_ok=True)
            self._connection = self._opened()
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be opened: {error.strerror}") from error
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for queries; what SQLite complains of becomes a `StoreError`.

        A file that turns out to be damaged is set aside, and a new one takes its place.
        """
        try:
            yield self._connection
        except sqlite3.Error as error:
            if not _damaged(error):
                raise StoreError(f"{self.path}: {error}") from error
            self._renew()
            raise StoreError(f"{self.path}: {error}; set aside as {self.set_aside}") from error

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend the connection for a transaction: all of it is written, or nothing.

        What is `durable` outlives a power cut at once; the rest may lose its last seconds.
        """
        with self.reading() as connection:
            if connection.in_transaction:  # part of a larger one
                yield connection
                return
            if durable:
                connection.execute("PRAGMA synchronous = FULL")
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise
            finally:
                if durable:
                    connection.execute("PRAGMA synchronous = NORMAL")

    def _renew(self) -> None:
        self._connection.close()
        try:
            self._connection = self._opened_anew()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{self.path}: damaged, and cannot be replaced: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.Error as error:
            if not _damaged(error):
                raise  # locked, read-only or full: what is in the file is not to blame
            return self._opened_anew()

    def _opened_anew(self) -> sqlite3.Connection:
        self.set_aside = self.path.with_name(f"{NAME}.damaged-{time.time_ns()}")
        self.path.replace(self.set_aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(NAME + suffix).unlink(missing_ok=True)
        return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=5.0)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA cache_size = -512")  # [KiB], of a gateway with little
            self._upgrade(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _upgrade(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(
                f"{self.path}: this frugal-edge reads up to version {VERSION}, got {version};"
                " update frugal-edge"
            )
        if version < VERSION:
            connection.execute("BEGIN IMMEDIATE")  # another process may be about to do the same
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version < VERSION:
                for statement in ";".join(_STEPS[version:]).split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")


def _damaged(error: sqlite3.Error) -> bool:
    """Say whether what is in the file is to blame."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # without its details
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
