"""What logging a run needs, brought about beforehand, so that the cost of it can be told apart."""

from importlib import import_module
from pathlib import Path

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.uri import database, default_uri, reason, resolve, shown, sqlite_file
from frugal_ai.tracking.writer import failures, is_known


def load_store(run_dir: Path, uri: str | None) -> None:
    """Import what writes to the store of a run; what makes one is imported when one is made.

    Raises
    ------
    TrackingError
        If the URI names no store.
    """
    where = _resolved(run_dir, uri)
    import_module("frugal_ai.tracking.log")
    new = database(where) == "sqlite" and not sqlite_file(where).exists()
    if new or is_known(where):
        import_module("frugal_ai.tracking.tables")
    elif database(where) is not None:
        import_module("mlflow.store.tracking.sqlalchemy_store")
    else:
        import_module("frugal_ai.tracking.client")


def make_store(run_dir: Path, uri: str | None) -> bool:
    """Make the SQLite store of a run where there is none, and say whether it was made.

    Raises
    ------
    TrackingError
        If the URI names no store, or it cannot be made.
    """
    where = _resolved(run_dir, uri)
    if database(where) != "sqlite" or sqlite_file(where).exists():
        return False
    from frugal_ai.tracking.store import open_store

    try:
        with open_store(where, writing=True):
            return True
    except failures() as error:
        raise TrackingError(f"{shown(where)}: cannot be made: {reason(error)}") from error


def _resolved(run_dir: Path, uri: str | None) -> str:
    return resolve(default_uri(run_dir.absolute().parent) if uri is None else uri)
