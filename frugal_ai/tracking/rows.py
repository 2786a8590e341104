"""The rungs in an MLflow store as rows of a leaderboard."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from pydantic import ValidationError

from frugal_ai.report import Figures, RungRow
from frugal_ai.tracking.content import ROLE, row_fields
from frugal_ai.tracking.store import FAILURES, open_store
from frugal_ai.tracking.uri import reading, resolve

_PAGE = 1000

_log = logging.getLogger(__name__)


def read_runs(uri: str, pipeline: str | None = None) -> list[RungRow]:
    """Read all rungs that were logged to a store.

    A run that lost one of its tags is left out, with a warning.

    Parameters
    ----------
    uri
        Tracking URI.
    pipeline
        Only those of this one.

    Raises
    ------
    TrackingError
        If the store cannot be read.
    """
    where = resolve(uri)
    with reading(where, *FAILURES), open_store(where, writing=False) as client:
        experiments = list(experiments_of(client, pipeline))
        if not experiments:
            return []
        found = [_row(run) for run in _rungs(client, experiments)]
    return [row for row in found if row is not None]


def experiments_of(client: MlflowClient, pipeline: str | None) -> Iterator[str]:
    """Yield the experiments of a pipeline, or all."""

    def page(token: str | None) -> Any:
        return client.search_experiments(max_results=_PAGE, page_token=token)

    for experiment in pages(page):
        if pipeline in {None, experiment.name}:
            yield experiment.experiment_id


def _rungs(client: MlflowClient, experiments: list[str]) -> Iterator[Run]:
    wanted = f"tags.`{ROLE}` = 'rung' and attributes.status = 'FINISHED'"

    def page(token: str | None) -> Any:
        return client.search_runs(experiments, wanted, max_results=_PAGE, page_token=token)

    return pages(page)


def pages(page: Callable[[str | None], Any]) -> Iterator[Any]:
    """Yield all that a paged answer holds."""
    token: str | None = None
    while True:
        found = page(token)
        yield from found
        token = found.token
        if not token:
            return


def _row(run: Run) -> RungRow | None:
    known = row_fields(run.data.tags) | Figures.unflat(run.data.metrics)
    try:
        return RungRow.model_validate({**known, "mlflow_run_id": run.info.run_id})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        _log.warning("MLflow run %s is left out: %s: %s", run.info.run_id, key, first["msg"])
        return None
