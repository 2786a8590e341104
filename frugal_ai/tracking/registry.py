"""Registered models of a store: the runs that they come from, their stages, their bundles."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from frugal_edge.bundle import Bundle, open_bundle
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from frugal_ai.errors import TrackingError, UnknownModelError
from frugal_ai.tracking.client import ClientWriter
from frugal_ai.tracking.content import ROLE
from frugal_ai.tracking.logged import LoggedRun, logged_run, no_run
from frugal_ai.tracking.model import BUNDLE, log_model, registered_name
from frugal_ai.tracking.stages import ALIASES, Stage, moves
from frugal_ai.tracking.store import FAILURES, open_store
from frugal_ai.tracking.uri import reason, resolve, shown
from frugal_ai.tracking.writer import Started

_STAGE = "frugal.stage"
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_NAME = re.compile(r"\w[\w .-]{0,199}")
_UNKNOWN = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "INVALID_PARAMETER_VALUE"}
_NO_REGISTRY = {"FEATURE_DISABLED", "ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"}


@dataclass(frozen=True)
class Registered:
    """A version of a registered model.

    Attributes
    ----------
    bundle
        Identity of its bundle; empty for a model that is not of frugal-ai.
    mlflow_run_id
        Of the rung's run.
    aliases
        Those on it.
    tags
        All it has.
    """

    name: str
    version: str
    bundle: str
    mlflow_run_id: str
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """How a user names it."""
        return f"{self.name}/{self.version}"


@contextmanager
def open_registry(uri: str, *, writing: bool) -> Iterator["Registry"]:
    """Open the registry of a tracking store.

    Raises
    ------
    TrackingError
        If it cannot be read or written, or the store has no registry.
    UnknownModelError
        Inside, if it does not have what is asked for.
    """
    where = resolve(uri)
    try:
        with open_store(where, writing=False) as client:  # where there is none, none is made
            if not writing:
                yield Registry(client)
                return
        with open_store(where, writing=True) as client:
            yield Registry(client)
    except UnknownModelError as error:
        raise UnknownModelError(f"{shown(where)}: {error}") from error
    except FAILURES as error:
        if isinstance(error, MlflowException) and error.error_code in _NO_REGISTRY:
            raise TrackingError(f"{shown(where)}: has no registry of models") from error
        raise TrackingError(f"{shown(where)}: {reason(error)}") from error


class Registry:
    """What is registered, and the runs it comes from; made by `open_registry`."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def run(self, run_id: str) -> LoggedRun:
        """Return a run that was logged, with all that a decision on it rests on.

        Raises
        ------
        UnknownModelError
            If there is no complete run of this id.
        """
        parent = self._parent(run_id)
        rungs = self._rungs(parent.info.run_id)
        metrics = {rung.info.run_name: dict(rung.data.metrics) for rung in rungs}
        with TemporaryDirectory(prefix="frugal-ai-") as place:

            def file(path: str) -> Path:
                mine = parent.info.run_id
                return Path(self._client.download_artifacts(mine, path, place))

            return logged_run(
                str(parent.info.run_id), {"": dict(parent.data.metrics)} | metrics, file
            )

    def fetch(self, run: LoggedRun, bundle: str, folder: Path) -> Bundle:
        """Download a bundle of a run into a folder, and verify it."""
        return open_bundle(self._client.download_artifacts(run.mlflow_run_id, bundle, str(folder)))

    def version(self, run: LoggedRun, bundle: Bundle) -> Registered:
        """Return the version of a bundle; it is registered where that was not done yet."""
        child = next(
            (one for one in self._rungs(run.mlflow_run_id) if _is_chosen(one)),
            None,
        )
        if child is None:
            raise UnknownModelError(f"run {run.report.run_id} has no chosen rung")
        alone = len(run.report.bundles) == 1
        pipeline, series = run.report.pipeline, bundle.manifest.series_id
        name = registered_name(pipeline, series, alone=alone)
        for found in self._client.search_model_versions(f"run_id = '{child.info.run_id}'"):
            if found.name == name and found.tags.get(BUNDLE) == bundle.manifest.id:
                return self._registered(found)
        begun = Started(str(child.info.run_id), str(child.info.artifact_uri))
        made = log_model(ClientWriter(self._client), begun, pipeline, bundle, alone=alone)
        return self._registered(self._client.get_model_version(made.name, made.version))

    def named(self, text: str) -> Registered:
        """Return the version that ``ALIAS/NAME`` or ``NAME/VERSION`` says.

        Raises
        ------
        UnknownModelError
            If there is none.
        """
        first, _, second = text.partition("/")
        name, key = (second, first) if first in ALIASES else (first, second)
        if not _NAME.fullmatch(name) or not (key in ALIASES or key.isdecimal()):
            raise UnknownModelError(
                f"{text!r}: expected {', '.join(ALIASES)} and a name, such as champion/load, or a "
                "name and a version, such as load/3"
            )
        try:
            if key in ALIASES:
                found = self._client.get_model_version_by_alias(name, key)
            else:
                found = self._client.get_model_version(name, key)
        except MlflowException as error:
            if error.error_code not in _UNKNOWN:
                raise
            raise UnknownModelError(f"{text}: {self._instead(name)}") from error
        return self._registered(found)

    def run_id_of(self, version: Registered) -> str:
        """Return the id of the run that a version comes from."""
        child = self._client.get_run(version.mlflow_run_id)
        run_id = child.data.tags.get("frugal.run_id")
        if run_id is None:
            raise UnknownModelError(f"{version.shown} was not registered by frugal-ai")
        return str(run_id)

    def aliases(self, name: str) -> dict[str, str]:
        """Return the versions of a model by alias."""
        found = self._client.get_registered_model(name).aliases
        return {str(alias): str(version) for alias, version in found.items()}

    def set_stage(self, version: Registered, stage: Stage) -> None:
        """Move the aliases of a model, and say in a tag what each version has become."""
        for alias, target in moves(stage, version.version, self.aliases(version.name)).items():
            if target is None:
                self._client.delete_registered_model_alias(version.name, alias)
            else:
                self._client.set_registered_model_alias(version.name, alias, target)
                self._client.set_model_version_tag(version.name, target, _STAGE, alias)
        self._client.set_model_version_tag(version.name, version.version, _STAGE, stage)

    def note(self, name: str, version: str, key: str, text: str) -> None:
        """Write a tag of a version."""
        self._client.set_model_version_tag(name, version, key, text)

    def _registered(self, found: ModelVersion) -> Registered:
        version = str(found.version)
        aliases = self.aliases(found.name)
        return Registered(
            name=str(found.name),
            version=version,
            bundle=found.tags.get(BUNDLE, ""),
            mlflow_run_id=str(found.run_id or ""),
            aliases=tuple(alias for alias, target in aliases.items() if target == version),
            tags=dict(found.tags),
        )

    def _instead(self, name: str) -> str:
        try:
            found = self.aliases(name)
        except MlflowException:
            names = sorted(model.name for model in self._client.search_registered_models())
            return f"no model {name!r} is registered; there are: {', '.join(names) or 'none'}"
        there = ", ".join(f"{alias}/{name}" for alias in sorted(found))
        return f"there is no such version; aliases of {name}: {there or 'none'}"

    def _parent(self, run_id: str) -> Run:
        if not _IDENTIFIER.fullmatch(run_id):
            raise UnknownModelError(no_run(run_id))
        experiments = [one.experiment_id for one in self._client.search_experiments()]
        wanted = f"tags.`{ROLE}` = 'run' and tags.`frugal.run_id` = '{run_id}'"
        for run in self._client.search_runs(experiments, wanted):
            if run.info.status == "FINISHED":
                return run
        raise UnknownModelError(no_run(run_id))

    def _rungs(self, parent: str) -> list[Run]:
        experiment = self._client.get_run(parent).info.experiment_id
        return list(
            self._client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
        )


def _is_chosen(rung: Run) -> bool:
    return bool(rung.data.tags.get("frugal.chosen") == "true")
