"""Runs written by MLflow's own client: to servers, and to databases other than SQLite."""

from collections.abc import Mapping
from pathlib import Path

from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from frugal_ai.tracking.writer import Started, Version

_EXISTS = "RESOURCE_ALREADY_EXISTS"
_READY_S = 30  # some registries take a while to copy a model


class ClientWriter:
    """Writes through a client.

    Parameters
    ----------
    client
        Connected.
    """

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def get_experiment(self, name: str) -> tuple[str, str] | None:
        """Return the id and the stage of an experiment."""
        found = self._client.get_experiment_by_name(name)
        return None if found is None else (str(found.experiment_id), str(found.lifecycle_stage))

    def create_experiment(self, name: str, location: str | None) -> str:
        """Create an experiment, or return the one that somebody else created meanwhile."""
        try:
            return str(self._client.create_experiment(name, artifact_location=location))
        except MlflowException as error:
            found = self.get_experiment(name)
            if error.error_code != _EXISTS or found is None:
                raise
            return found[0]

    def search_runs(self, experiment: str, tags: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return ids and states of the runs that have these tags."""
        wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        found = self._client.search_runs([experiment], wanted)
        return [(str(run.info.run_id), str(run.info.status)) for run in found]

    def create_run(
        self, experiment: str, start_ms: int, tags: Mapping[str, str], name: str
    ) -> Started:
        """Begin a run."""
        info = self._client.create_run(experiment, start_ms, dict(tags), name).info
        return Started(str(info.run_id), str(info.artifact_uri))

    def log_batch(
        self, run_id: str, params: Mapping[str, str], figures: Mapping[str, float], at_ms: int
    ) -> None:
        """Log all of a run at once: each call to the store is some transactions."""
        self._client.log_batch(
            run_id,
            metrics=[Metric(name, value, at_ms, 0) for name, value in figures.items()],
            params=[Param(name, value) for name, value in params.items()],
        )

    def log_artifact(self, run_id: str, path: Path) -> None:
        """Log a file."""
        self._client.log_artifact(run_id, str(path))

    def log_artifacts(self, run_id: str, folder: Path, place: str) -> None:
        """Log what a folder holds."""
        self._client.log_artifacts(run_id, str(folder), place)

    def create_model_version(
        self, name: str, source: str, run_id: str, tags: Mapping[str, str]
    ) -> Version:
        """Register a version of a model, and the model where it is new."""
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != _EXISTS:
                raise
        made = self._client.create_model_version(
            name, source, run_id, tags=dict(tags), await_creation_for=_READY_S
        )
        return Version(str(made.name), str(made.version))

    def set_registered_model_alias(self, version: Version, alias: str) -> None:
        """Put an alias on a version."""
        self._client.set_registered_model_alias(version.name, alias, version.version)

    def set_terminated(self, run_id: str, status: str, end_ms: int) -> None:
        """End a run."""
        self._client.set_terminated(run_id, status, end_ms)

    def discard(self, run_id: str) -> None:
        """Delete a run, and the versions that were registered from it."""
        for version in self._client.search_model_versions(f"run_id = '{run_id}'"):
            self._client.delete_model_version(version.name, version.version)
        self._client.delete_run(run_id)
