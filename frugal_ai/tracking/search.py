"""Runs of an MLflow server as plain records, through its client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlflow.tracking import MlflowClient

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.content import ROLE
from frugal_ai.tracking.records import RunRecord, Stamp
from frugal_ai.tracking.rows import experiments_of, pages
from frugal_ai.tracking.store import FAILURES, open_store
from frugal_ai.tracking.uri import reading, reason, shown

_PAGE = 1000
_OURS = f"tags.`{ROLE}` LIKE 'ru%'"  # run and rung


def search_stamp(uri: str) -> Stamp:
    """Ask when the last run ended; how many there are a server does not tell.

    Raises
    ------
    TrackingError
        If the server cannot be asked.
    """
    with reading(uri, *FAILURES), open_store(uri, writing=False) as client:
        known = list(experiments_of(client, None))
        if not known:
            return 0, 0
        last = client.search_runs(known, "", 1, max_results=1, order_by=["end_time DESC"])
        return len(known), max((int(run.info.end_time or 0) for run in last), default=0)


def search_records(uri: str) -> list[RunRecord]:
    """Read all finished or interrupted runs of frugal-ai.

    Raises
    ------
    TrackingError
        If the server cannot be asked.
    """
    with reading(uri, *FAILURES), open_store(uri, writing=False) as client:
        known = list(experiments_of(client, None))

        def page(token: str | None) -> Any:
            return client.search_runs(known, _OURS, max_results=_PAGE, page_token=token)

        found = [_record(run) for run in pages(page)] if known else []
    return [one for one in found if one.status in {"FINISHED", "KILLED"}]


def _record(run: Any) -> RunRecord:
    info = run.info
    return RunRecord(
        run_id=info.run_id,
        status=info.status,
        artifact_uri=info.artifact_uri,
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
