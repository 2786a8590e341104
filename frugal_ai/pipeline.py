"""A pipeline: everything that defines a run, read from one YAML file and never changed after."""

from collections.abc import Hashable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from annotated_types import Ge, Gt, MinLen
from pydantic import (
    AwareDatetime,
    InstanceOf,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from frugal_ai import ladder
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.metrics import Denominator
from frugal_ai.backtest.origins import OriginRule
from frugal_ai.cost.context import CostSettings
from frugal_ai.data import sources
from frugal_ai.data.quality import QualityPolicy
from frugal_ai.errors import PipelineError
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Rung
from frugal_ai.selection.choice import SelectionSettings
from frugal_ai.settings import Duration, Settings, format_duration

# a series with others beside it names a folder of the run
SeriesId = Annotated[str, StringConstraints(pattern=r"^[^/\\.\x00][^/\\\x00]*$")]


class Covariates(Settings):
    """Names of covariates by role: known ahead, observed up to the origin, or static."""

    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()


class Periods(Settings):
    """When a model learns, is chosen, and is reported.

    Nothing before ``train`` is read. For the choice, a rung learns from targets before the first
    validation origin; for the report, from targets before the first test origin.
    """

    train: AwareDatetime | date
    validation: OriginRule
    test: OriginRule

    @model_validator(mode="after")
    def _in_order(self) -> "Periods":
        if self.validation.last >= self.test.first:
            raise ValueError(
                f"expected validation origins before the first test origin ({self.test.first}), "
                f"got some until {self.validation.last}"
            )
        if set(self.validation.at) != set(self.test.at):
            raise ValueError("expected the same local times (at) for validation and test")
        return self


class Metrics(Settings):
    """What the error is divided by in nMAE; ``capacity`` [unit of the series] where that is it."""

    nmae: Denominator = "mean_abs"
    capacity: Annotated[float, Gt(0)] | None = None

    @model_validator(mode="after")
    def _capacity_there(self) -> "Metrics":
        if (self.nmae == "capacity") != (self.capacity is not None):
            raise ValueError("expected a capacity if and only if nmae is capacity")
        return self


class Pipeline(Settings):
    """One forecasting task and the ladder that is climbed for it."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    title: str = ""
    kind: Literal["load", "pv", "wind"]
    unit: str
    source: Annotated[Any, InstanceOf[Settings]]
    series: Annotated[tuple[SeriesId, ...], MinLen(1)]
    step: Duration
    horizon: Duration
    timezone: str
    holidays: str | None = None
    covariates: Covariates = Covariates()
    recipe: Recipe
    rungs: Annotated[tuple[InstanceOf[Rung], ...], MinLen(1)]
    periods: Periods
    quality: QualityPolicy = QualityPolicy()
    limits: Limits = Limits()
    metrics: Metrics = Metrics()
    selection: SelectionSettings = SelectionSettings()
    cost: CostSettings
    seed: Annotated[int, Ge(0)] = 0
    valid_years: Annotated[int, Ge(1)] = 8

    @field_validator("step", "horizon")
    @classmethod
    def _positive(cls, value: timedelta) -> timedelta:
        if value <= timedelta(0):
            raise ValueError(f"expected more than 0s, got {format_duration(value)}")
        return value

    @model_validator(mode="after")
    def _whole_steps(self) -> "Pipeline":
        if self.horizon % self.step:
            raise ValueError(
                f"horizon: expected a multiple of the step ({format_duration(self.step)}), "
                f"got {format_duration(self.horizon)}"
            )
        return self

    @model_validator(mode="after")
    def _test_unseen(self) -> "Pipeline":
        chosen = self.periods.validation.instants(self.timezone)[-1]
        if chosen + self.horizon.total_seconds() > self.periods.test.instants(self.timezone)[0]:
            raise ValueError(
                "periods: expected the targets of the last validation origin before the first "
                f"test origin, got a horizon of {format_duration(self.horizon)} from "
                f"{self.periods.validation.last} on"
            )
        return self

    @field_validator("rungs")
    @classmethod
    def _distinct(cls, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        names = [rung.name for rung in rungs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"expected distinct names (give a label), got {', '.join(twice)} twice"
            )
        return rungs

    @property
    def step_s(self) -> int:
        """Length of an interval [s]."""
        return int(self.step.total_seconds())

    @property
    def steps(self) -> int:
        """Number of target steps, H."""
        return self.horizon // self.step


def read_pipeline(path: Path) -> Pipeline:
    """Read and check a pipeline file.

    Raises
    ------
    PipelineError
        If the file cannot be read, is not YAML, or a key or value in it is not valid; the message
        names the file, the key, what was expected and what was given.
    """
    try:
        text = path.read_text(encoding="utf-8")
        declared = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader underneath
    except OSError as error:
        raise PipelineError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PipelineError(f"{path}: expected UTF-8 text: {error}") from error
    except yaml.YAMLError as error:
        raise PipelineError(f"{path}: expected YAML: {' '.join(str(error).split())}") from error
    if not isinstance(declared, dict):
        raise PipelineError(f"{path}: expected keys and values, got {type(declared).__name__}")
    try:
        return Pipeline.model_validate(_with_components(dict(declared)))
    except _AtKeyError as error:
        raise PipelineError(f"{path}: {error}") from error
    except ValidationError as error:
        raise PipelineError(f"{path}: {describe(error)}") from error


class _AtKeyError(Exception):
    """Something is wrong at a key of the file; caught by `read_pipeline`, which knows the path."""


def _with_components(declared: dict[str, Any]) -> dict[str, Any]:
    """Replace what names a source or a rung by the component, checked by its own settings."""
    if "source" in declared:
        declared["source"] = _source(declared["source"])
    if isinstance(declared.get("rungs"), list):
        declared["rungs"] = [
            _at(f"rungs[{i}]", ladder.make, rung) for i, rung in enumerate(declared["rungs"])
        ]
    return declared


def _source(declared: Any) -> Any:
    config = {"name": declared} if isinstance(declared, str) else declared
    if not isinstance(config, dict):
        raise _AtKeyError(f"source: expected a name or a mapping with the key name, got {config!r}")
    try:
        return sources.make(config)
    except PipelineError as error:
        raise _AtKeyError(str(error)) from error


def _at(key: str, make: Any, settings: Any) -> Any:
    try:
        return make(settings)
    except ValidationError as error:
        raise _AtKeyError(describe(error, (key,))) from error
    except PipelineError as error:
        raise _AtKeyError(f"{key}: {error}") from error


def describe(error: ValidationError, root: tuple[str, ...] = ()) -> str:
    """Say in one line for each problem: key, what was expected, what was given."""
    lines = []
    for problem in error.errors(include_url=False):
        key = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}"
            for part in (*root, *problem["loc"])
        ).lstrip(".")
        message = problem["msg"].removeprefix("Value error, ")
        given = problem["input"]
        if problem["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key")
        elif problem["type"] == "missing":
            lines.append(f"{key}: expected, but it is missing")
        elif problem["type"] == "value_error" or isinstance(given, dict | Settings):
            lines.append(f"{key}: {message}" if key else message)
        else:
            lines.append(f"{key}: {message}, got {given!r}")
    return "; ".join(lines)


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice; YAML's own rule would drop the first in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)
