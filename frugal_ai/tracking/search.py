"""Runs and files of an MLflow server through its client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlflow.tracking import MlflowClient

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.records import RunRecord
from frugal_ai.tracking.rows import experiments_of
from frugal_ai.tracking.store import FAILURES, open_store
from frugal_ai.tracking.uri import reading, reason, shown


def search_pages(uri: str, wanted: str, order: list[str], size: int) -> Iterator[list[RunRecord]]:
    """Yield runs by pages, as `rest.search` does, however one signs in.

    Raises
    ------
    TrackingError
        If the server cannot be asked.
    """
    with reading(uri, *FAILURES), open_store(uri, writing=False) as client:
        known = list(experiments_of(client, None))
        token: str | None = None
        while known:
            found = client.search_runs(
                known, wanted, max_results=size, order_by=order, page_token=token
            )
            yield [_record(run) for run in found]
            token = found.token
            if not token:
                return


def _record(run: Any) -> RunRecord:
    info = run.info
    return RunRecord(
        run_id=info.run_id,
        status=info.status,
        artifact_uri=info.artifact_uri,
        started=int(info.start_time or 0),
        ended=int(info.end_time or 0),
        tags=dict(run.data.tags),
        metrics=dict(run.data.metrics),
    )


def search_files(uri: str, run_id: str) -> dict[str, int]:
    """Ask for the files of a run, by their path in it, with their sizes [bytes].

    Raises
    ------
    TrackingError
        If the server cannot be asked.
    """
    with reading(uri, *FAILURES), open_store(uri, writing=False) as client:
        return dict(sorted(_files(client, run_id, None)))


def fetch_file(uri: str, run_id: str, name: str, place: Path) -> Path:
    """Bring a file of a run into a folder.

    Raises
    ------
    TrackingError
        If there is no such file, or the server cannot be asked.
    """
    try:
        with open_store(uri, writing=False) as client:
            return Path(client.download_artifacts(run_id, name, str(place)))
    except FAILURES as error:
        raise TrackingError(f"{shown(uri)}: run {run_id}: {name}: {reason(error)}") from error


def _files(client: MlflowClient, run_id: str, folder: str | None) -> Iterator[tuple[str, int]]:
    for one in client.list_artifacts(run_id, folder):
        if one.is_dir:
            yield from _files(client, run_id, one.path)
        else:
            yield one.path, int(one.file_size or 0)
