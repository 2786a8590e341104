"""A pipeline: everything that defines a run, read from one YAML file and never changed after."""

from collections.abc import Collection
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from annotated_types import Ge, Gt, MinLen
from pydantic import (
    AwareDatetime,
    Field,
    InstanceOf,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from frugal_ai import ladder
from frugal_ai.backtest.limits import Limits
from frugal_ai.backtest.metrics import Denominator
from frugal_ai.backtest.origins import OriginRule, start_of
from frugal_ai.bill.fleet import Fleet, read_fleet
from frugal_ai.cost.context import CostSettings
from frugal_ai.cost.hardware import Hardware, read_hardware
from frugal_ai.cost.intensity.counts import Counts
from frugal_ai.data import sources
from frugal_ai.data.quality import QualityPolicy
from frugal_ai.errors import CostError, PipelineError
from frugal_ai.features.grid import SERIES
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder.rung import Rung
from frugal_ai.recipes import Kind, default_recipe
from frugal_ai.recipes.ladder import default_ladder
from frugal_ai.recipes.setting import Quantity, Setting, quantity_of
from frugal_ai.report.row import Weather
from frugal_ai.selection.choice import Carbon, SelectionSettings
from frugal_ai.selection.climbing import Climbing
from frugal_ai.selection.compression import Compression
from frugal_ai.settings import Duration, Settings, describe, format_duration
from frugal_ai.site import Site
from frugal_ai.yaml_file import parse_yaml, read_text

# a series with others beside it names a folder of the run
SeriesId = Annotated[str, StringConstraints(pattern=r"^[^/\\.\x00][^/\\\x00]*$")]


class Covariates(Settings):
    """Names of covariates by role: known ahead, observed up to the origin, or static.

    Attributes
    ----------
    known, past, static
        The names.
    certain
        Known covariates that were known for sure, such as a tariff; they need no vintages.
    quantities
        What a known covariate is, where its name does not tell; the default recipes go by it.
    assume
        ``perfect`` takes the other known covariates without vintages as if they had been known;
        without it they are refused.
    """

    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    certain: tuple[str, ...] = ()
    quantities: dict[str, Quantity] = Field(default_factory=dict)
    assume: Literal["perfect"] | None = None

    @field_validator("certain")
    @classmethod
    def _among_known(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for name in value:
            if name not in info.data.get("known", value):
                raise ValueError(f"expected names that are under known, too, got {name!r}")
        return value

    def unproven(self, vintages: Collection[str]) -> tuple[str, ...]:
        """List the known covariates of which nothing says when they became known.

        Parameters
        ----------
        vintages
            Names of those with vintages.
        """
        return tuple(n for n in self.known if n not in vintages and n not in self.certain)

    def weather(self, vintages: Collection[str]) -> Weather:
        """Say how known covariates were known, when those named have vintages."""
        if self.unproven(vintages):
            return "perfect"
        return "as_known" if set(self.known) & set(vintages) else "none"


class Periods(Settings):
    """When a model learns, is chosen, and is reported.

    Nothing before ``train`` is read. For the choice, a rung learns from targets before the first
    validation origin; for the report, from targets before the first test origin. With several
    ``folds`` the validation origins are dealt out by weeks, and a rung learns for each fold from
    all targets before the first test origin but those of the fold: no history is lost, but the
    choice rests on models that have seen weeks after those that they are judged on.
    """

    train: AwareDatetime | date
    validation: OriginRule
    test: OriginRule
    folds: Annotated[int, Ge(1)] = 1

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
    kind: Kind
    unit: str
    source: Annotated[Any, InstanceOf[Settings]]
    series: Annotated[tuple[SeriesId, ...], MinLen(1)]
    step: Duration
    horizon: Duration
    timezone: str
    holidays: str | None = None
    covariates: Covariates = Covariates()
    site: Site = Site()
    recipe: Recipe | None = None
    rungs: Annotated[tuple[InstanceOf[Rung], ...], MinLen(1)] = ()
    periods: Periods
    quality: QualityPolicy = QualityPolicy()
    limits: Limits = Limits()
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
    recalibrate: bool = True
    metrics: Metrics = Metrics()
    selection: SelectionSettings = SelectionSettings()
    climb: Literal["frugal", "full"] = "frugal"
    climbing: Climbing = Climbing()
    compress: Compression | None = Compression()
    cost: CostSettings
    counts: Counts | None = None
    fleet: Fleet | None = None
    seed: Annotated[int, Ge(0)] = 0
    valid_years: Annotated[int, Ge(1)] = 8

    @field_validator("step", "horizon")
    @classmethod
    def _positive(cls, value: timedelta) -> timedelta:
        if value <= timedelta(0):
            raise ValueError(f"expected more than 0s, got {format_duration(value)}")
        return value

    @field_validator("quantiles")
    @classmethod
    def _levels(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < level < 1 for level in value):
            raise ValueError(f"expected levels between 0 and 1, got {list(value)}")
        if any(after <= before for before, after in pairwise(value)):
            raise ValueError(f"expected ascending levels, each once, got {list(value)}")
        return value

    @field_validator("compress", mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        return None if value is False else value

    @model_validator(mode="after")
    def _whole_steps(self) -> "Pipeline":
        if self.horizon % self.step:
            raise ValueError(
                f"horizon: expected a multiple of the step ({format_duration(self.step)}), "
                f"got {format_duration(self.horizon)}"
            )
        return self

    @model_validator(mode="after")
    def _fleet_to_weigh(self) -> "Pipeline":
        if self.selection.carbon == "life_cycle" and self.fleet is None:
            raise ValueError("selection.carbon: expected a fleet beside life_cycle, got none")
        return self

    @model_validator(mode="after")
    def _counted(self) -> "Pipeline":
        if self.counts is not None and self.kind != "intensity":
            raise ValueError(f"counts: expected a target of kind intensity, got {self.kind}")
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

    @model_validator(mode="before")
    @classmethod
    def _default_ladder(cls, declared: Any) -> Any:
        if isinstance(declared, dict) and "rungs" not in declared:
            several = len(declared.get("series") or ()) > 1
            kind: Any = declared.get("kind")
            rungs = default_ladder(kind if kind in get_args(Kind) else "load", several)
            return declared | {"rungs": tuple(ladder.make(one) for one in rungs)}
        return declared

    @model_validator(mode="after")
    def _by_kind(self) -> "Pipeline":
        """Fill in what follows from the kind of target."""
        capacity = self.site.capacity
        if isinstance(capacity, str) and capacity not in self.covariates.known:
            names = ", ".join(self.covariates.known) or "none"
            raise ValueError(
                f"site.capacity: expected a number or a known covariate ({names}), got {capacity!r}"
            )
        if self.kind != "load" and "limits" not in self.model_fields_set:
            most = None if isinstance(capacity, str) else capacity
            limits = Limits(minimum=0.0, maximum=most)
            object.__setattr__(self, "limits", limits)  # frozen for everybody else
        if self.recipe is None:
            object.__setattr__(self, "recipe", default_recipe(self.kind, self._setting()))
        return self

    def _setting(self) -> Setting:
        """Describe the task to the default recipes."""
        if self.kind == "pv" and self.site.places is None:
            raise ValueError(
                "site.places: expected latitude and longitude for a target of kind pv (or static, "
                "or unknown), but it is missing"
            )
        covariates = self.covariates
        weather = tuple(n for n in covariates.known if n != self.site.capacity)
        start = start_of(self.periods.train, self.timezone)
        until = int(self.periods.test.instants(self.timezone)[0])
        rules = (self.periods.validation, self.periods.test)
        origins = np.concatenate([rule.instants(self.timezone) for rule in rules])
        guesses = {name: quantity_of(name) for name in weather} | covariates.quantities
        return Setting(
            known=weather,
            quantities={name: what for name, what in guesses.items() if what},
            places=self.site.sunlit,
            static=(SERIES,) if len(self.series) > 1 else (),
            holidays=self.holidays is not None,
            step=self.step,
            horizon=self.horizon,
            history=timedelta(seconds=until - start),
            daylight=self.site.daylight_at(origins),
            past=covariates.past,
        )

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
    def features(self) -> Recipe:
        """The recipe, declared or by kind."""
        return self.recipe or default_recipe(self.kind, self._setting())

    @property
    def carbon(self) -> Carbon:
        """What choice and verdicts count."""
        return self.selection.carbon or ("training" if self.fleet is None else "life_cycle")

    @property
    def recalibrates(self) -> bool:
        """Whether quantiles drift with what arrives; one alone has no width to move by."""
        return self.recalibrate and len(self.quantiles) > 1

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
    return parse_pipeline(read_text(path, PipelineError), path)


def parse_pipeline(text: str, path: Path) -> Pipeline:
    """Check the text of a pipeline file; see `read_pipeline`."""
    declared = parse_yaml(text, path, PipelineError)
    try:
        return Pipeline.model_validate(_with_components(dict(declared), path))
    except _AtKeyError as error:
        raise PipelineError(f"{path}: {error}") from error
    except ValidationError as error:
        raise PipelineError(f"{path}: {describe(error)}") from error


class _AtKeyError(Exception):
    """Something is wrong at a key of the file; caught by `read_pipeline`, which knows the path."""


def _with_components(declared: dict[str, Any], path: Path) -> dict[str, Any]:
    """Replace what names a source, a rung or a file of settings by it, checked by its own."""
    if isinstance(declared.get("fleet"), str):
        declared["fleet"] = _fleet(path.parent / declared["fleet"])
    cost = declared.get("cost")
    if isinstance(cost, dict) and isinstance(cost.get("hardware"), str):
        declared["cost"] = cost | {"hardware": _hardware(path.parent / cost["hardware"])}
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


def _fleet(file: Path) -> Fleet:
    try:
        return read_fleet(file)
    except CostError as error:
        raise _AtKeyError(f"fleet: {error}") from error


def _hardware(file: Path) -> Hardware:
    try:
        return read_hardware(file)
    except CostError as error:
        raise _AtKeyError(f"cost.hardware: {error}") from error


def _at(key: str, make: Any, settings: Any) -> Any:
    try:
        return make(settings)
    except ValidationError as error:
        raise _AtKeyError(describe(error, (key,))) from error
    except PipelineError as error:
        raise _AtKeyError(f"{key}: {error}") from error
