"""What a tracking URI names, and why a store behind it failed; needs no mlflow."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from frugal_ai.errors import TrackingError

_DATABASES = {"sqlite", "postgresql", "mysql", "mssql"}
_REASON_LENGTH = 300


def default_uri(folder: Path) -> str:
    """Return the SQLite store of a folder of runs.

    Raises
    ------
    TrackingError
        If the path has characters that a URI of MLflow cannot carry.
    """
    path = folder.absolute() / "mlflow.db"
    if set(str(path)) & set("%?"):
        raise TrackingError(f"{path}: expected a path without % and ?; give a tracking URI instead")
    return f"sqlite:///{path}"


def resolve(uri: str) -> str:
    """Check a tracking URI and make the path of a SQLite store absolute.

    Raises
    ------
    TrackingError
        If it names a folder, keeps nothing, or is no URI.
    """
    expected = "expected a tracking URI such as http://HOST:5000 or sqlite:///runs/mlflow.db"
    try:
        scheme = urlsplit(uri).scheme
        if database(uri) is None:
            if (scheme or uri) in {"", "file"} or (not scheme and os.sep in uri):
                raise TrackingError(f"{expected}, got {uri!r}")
            return uri
        url = make_url(uri)
    except (ValueError, SQLAlchemyError) as error:
        raise TrackingError(f"{expected}, got {shown(uri)!r}") from error
    if url.get_backend_name() != "sqlite":
        return uri
    if url.database in {None, "", ":memory:"}:
        raise TrackingError(f"{expected}, got {uri!r}, which is forgotten at once")
    if str(url.database).startswith("file:"):  # mlflow would make a folder of that name
        raise TrackingError(f"{expected}, got {uri!r}; write the path alone")
    return url.set(database=str(Path(str(url.database)).absolute())).render_as_string()


@contextmanager
def reading(uri: str, *failures: type[Exception]) -> Iterator[None]:
    """Read from a store: what fails there is one error that names it.

    Raises
    ------
    TrackingError
        If one of the failures is raised within.
    """
    try:
        yield
    except failures as error:
        raise TrackingError(f"{shown(uri)}: cannot be read: {reason(error)}") from error


def shown(uri: str) -> str:
    """Return a URI without its password."""
    if uri.startswith("sqlite"):
        return uri
    before, at, after = uri.rpartition("@")
    scheme, mark, credentials = before.partition("://")
    return f"{scheme}{mark}{credentials.partition(':')[0]}{at}{after}"


def artifact_location(uri: str, folder: Path, pipeline: str) -> str | None:
    """Return where a pipeline's artifacts go: beside a database, None where a server decides.

    Parameters
    ----------
    uri
        As `resolve` returns it.
    folder
        Folder of runs, for a database without one.
    pipeline
        Its name.
    """
    kind = database(uri)
    if kind is None:
        return None
    home = sqlite_file(uri).parent if kind == "sqlite" else folder.absolute()
    return (home / "mlartifacts" / pipeline).as_uri()


def database(uri: str) -> str | None:
    """Return which database a URI names; None where it names a server."""
    kind = urlsplit(uri).scheme.partition("+")[0]
    return kind if kind in _DATABASES else None


def sqlite_file(uri: str) -> Path:
    """Return the file of a SQLite store."""
    return Path(str(make_url(uri).database))


def folder_of(uri: str) -> Path | None:
    """Return the folder of a store that is a file; None for a server or another database.

    Raises
    ------
    TrackingError
        If it is no tracking URI.
    """
    where = resolve(uri)
    return sqlite_file(where).parent if database(where) == "sqlite" else None


def probe(uri: str, statement: str) -> None:
    """Fail at once where mlflow would try again for minutes."""
    engine = sqlalchemy.create_engine(uri, poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def reason(error: BaseException) -> str:
    """Say in one line why the store failed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DBAPIError):
            return _line(cause.orig)
        if isinstance(cause, OSError) and cause.strerror:
            return f"{cause.strerror}: {cause.filename}" if cause.filename else cause.strerror
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, ImportError):
        return f"a package is not installed: {_line(error)}"
    return _line(error)


def _line(error: object) -> str:
    text = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return text if len(text) <= _REASON_LENGTH else text[: _REASON_LENGTH - 3] + "..."
