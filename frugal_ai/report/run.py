"""What a run found: the typed content of ``run.json``, the file that a run folder is read by."""

from pathlib import Path, PurePosixPath
from typing import Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, field_validator, model_validator

from frugal_ai.errors import DataError
from frugal_ai.files import write_text
from frugal_ai.report.compression import CompressionReport
from frugal_ai.report.figures import Count
from frugal_ai.report.parts import (
    ContextReport,
    MlflowReport,
    NotRun,
    OriginsReport,
    RungReport,
)
from frugal_ai.report.row import Identifier, PipelineName, RungRow, Weather
from frugal_ai.settings import Settings

NAME = "run.json"
SCHEMA_VERSION = 1
"""Raise it when an older frugal-ai would misread the file; a field with a default does not."""

_OF_RUN = {
    "pipeline", "kind", "unit", "simulated", "weather", "targets_digest", "data_digest", "run_id",
    "git_revision",
}  # fmt: skip
_OF_CONTEXT = {
    "energy_method", "energy_spread", "country", "intensity_g_per_kwh", "pue", "forecasts", "fleet",
}  # fmt: skip


class RunReport(Settings):
    """Everything about a run that is needed to show it, or to log it later."""

    schema_version: Literal[1] = 1
    run_id: Identifier
    pipeline: PipelineName
    title: str = ""
    kind: str
    unit: str
    series: tuple[str, ...] = ()
    step_s: Count | None = None
    horizon_s: Count | None = None  # from the origin to the end of the last interval
    simulated: bool
    weather: Weather | None = None
    recalibrated: bool = False  # whether quantiles drift with what arrives
    started: AwareDatetime
    ended: AwareDatetime
    status: Literal["finished", "interrupted"]
    rule: Literal["least_carbon", "budget", "price"] | None = None  # of the choice
    git_revision: str | None = None
    data_digest: str
    targets_digest: str
    timezone: str = "UTC"
    pipeline_yaml: str
    seed: int
    context: ContextReport
    versions: dict[str, str] = Field(default_factory=dict)
    origins: OriginsReport
    chosen: str | None = None
    reason: str = ""
    bundles: tuple[str, ...] = ()
    rungs: tuple[RungReport, ...]
    not_run: tuple[NotRun, ...] = ()
    compression: CompressionReport | None = None
    pipeline_file: str | None = None  # where it was read; relative paths in it start there
    replacements: dict[str, str] = Field(default_factory=dict)  # files read instead, by name
    mlflow: MlflowReport | None = None

    @field_validator("bundles")
    @classmethod
    def _inside(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            path = PurePosixPath(name)
            if not path.parts or path.is_absolute() or ".." in path.parts:
                raise ValueError(f"expected folders inside the run folder, got {name!r}")
        return value

    @model_validator(mode="after")
    def _one_chosen(self) -> Self:
        names = [rung.rung for rung in self.rungs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rungs: expected every rung once, got {twice[0]!r} twice")
        marked = [rung.rung for rung in self.rungs if rung.chosen]
        if marked != ([] if self.chosen is None else [self.chosen]):
            raise ValueError(f"chosen: expected the rung marked as chosen, got {self.chosen!r}")
        return self

    @classmethod
    def read(cls, run_dir: Path) -> Self:
        """Read the report of a run folder.

        Raises
        ------
        DataError
            If there is none, or it is not of this schema; says file and key.
        """
        path = run_dir / NAME
        try:
            report = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError(f"{path}: expected a run's report: {error.strerror}") from error
        except ValidationError as error:
            raise DataError(f"{path}: {_first(error)}") from error
        if "schema_version" not in report.model_fields_set:
            raise DataError(f"{path}: schema_version: expected {SCHEMA_VERSION}, got none")
        return report

    def write(self, run_dir: Path) -> None:
        """Write the report into a run folder, atomically.

        Raises
        ------
        OutputError
            If it cannot be written; what was there stays.
        """
        write_text(run_dir / NAME, self.model_dump_json(indent=1) + "\n")

    def rows(self) -> list[RungRow]:
        """Return the run's rungs as rows of a leaderboard, in the order of the pipeline."""
        shared = self.model_dump(include=_OF_RUN) | self.context.model_dump(include=_OF_CONTEXT)
        return [
            RungRow(
                **shared,
                **rung.model_dump(exclude={"params", "levels", "tuning"}),
                origins_test=self.origins.test,
                hardware=self.context.hardware.label,
            )
            for rung in self.rungs
        ]


def _first(error: ValidationError) -> str:
    """Write the first error in one line; that of the schema's version explains all others."""
    found = error.errors(include_url=False)
    version = [one for one in found if one["loc"] == ("schema_version",)]
    if version:
        return f"schema_version: expected {SCHEMA_VERSION}, got {version[0]['input']!r}"
    one = found[0]
    where = ".".join(str(part) for part in one["loc"])
    given = (
        "" if one["type"] in {"missing", "json_invalid", "value_error"} else _given(one["input"])
    )
    message = one["msg"].removeprefix("Value error, ")
    return f"{where}: {message}{given}" if where else f"{message}{given}"


def _given(value: object) -> str:
    text = repr(value)
    return f", got {text if len(text) <= 80 else text[:77] + '...'}"
