"""What the pictures of a run are about: its report, its test forecasts, and how both are named."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from frugal_ai.backtest.compare import Resamples, draw_resamples
from frugal_ai.backtest.metrics import mae
from frugal_ai.data.calendar import zone
from frugal_ai.errors import DataError
from frugal_ai.leaderboard.figures import figure
from frugal_ai.report import RunReport
from frugal_ai.report.forecasts import ForecastTable
from frugal_ai.selection.choice import SelectionSettings

LEVEL = 0.95
"""Level of every interval, as in the tables of a run [1]."""
_RESAMPLES = SelectionSettings().resamples
_KINDS = {
    "load": "Load",
    "pv": "PV production",
    "wind": "Wind production",
    "intensity": "Carbon intensity",
}
_CLOCKS = 3  # as many local times of the origins are named


@dataclass(frozen=True)
class Subject:
    """A finished run, or one of its series.

    Attributes
    ----------
    place
        Of N series, as ``series 2 of 10``; empty for a run as a whole.
    """

    report: RunReport
    chosen: str
    table: ForecastTable
    place: str = ""

    @property
    def title(self) -> str:
        """Name of the pipeline, and of the series where it is one of several."""
        named = self.report.title or self.report.pipeline
        return f"{named}: {self.table.series_ids[0]}" if self.place else named

    @property
    def timezone(self) -> ZoneInfo:
        """The clock that days and hours are told by."""
        return zone(self.report.timezone)

    @property
    def quantity(self) -> str:
        """What is forecast, with its unit."""
        kind = self.report.kind
        return f"{_KINDS.get(kind, kind)} [{self.report.unit}]"

    @property
    def averaged(self) -> str:
        """Say that a figure is a mean over series, where it is."""
        count = len(self.table.series_ids)
        return f"mean of {count} series" if count > 1 else ""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader has to know before believing a picture."""
        simulated = ["simulated data"] if self.report.simulated else []
        perfect = ["perfect weather"] if self.report.weather == "perfect" else []
        return (*simulated, *perfect)

    @property
    def resamples(self) -> Resamples:
        """Origins drawn anew, as the intervals of the run are made."""
        return draw_resamples(self.table.origins, _RESAMPLES, self.report.seed)

    def described(self, *more: str) -> str:
        """Say in a line what was forecast by which rung, from where, and how well."""
        error = mae(self.table.forecast, self.table.actual)
        parts = [
            f"rung {self.chosen}",
            self.place or self.averaged,
            f"{len(self.table.origins)} test origins{self._clocks()}",
            f"MAE {figure(error, 4)} {self.report.unit}",
            *more,
        ]
        return ", ".join(part for part in parts if part)

    def _clocks(self) -> str:
        """Name the local times of the origins, where they are few."""
        instants = [datetime.fromtimestamp(int(o), UTC) for o in self.table.origins]
        clocks = sorted({f"{one.astimezone(self.timezone):%H:%M}" for one in instants})
        return f" at {' and '.join(clocks)}" if len(clocks) <= _CLOCKS else ""

    def parts(self, limit: int) -> list["Subject"]:
        """Return a subject for each of the first series; the run itself where there is one only."""
        count = len(self.table.series_ids)
        if count == 1:
            return [self]
        return [
            replace(self, table=self.table.of_series(i), place=f"series {i + 1} of {count}")
            for i in range(min(count, limit))
        ]


def read_subject(run_dir: Path) -> Subject:
    """Read what a run left.

    Raises
    ------
    DataError
        If the folder is none of a run, nothing was chosen, or its forecasts cannot be used.
    PipelineError
        If the time zone is unknown.
    """
    report = RunReport.read(run_dir)
    if report.chosen is None:
        raise DataError(f"{run_dir}: expected a run that chose a rung, but this one chose none")
    table = ForecastTable.read(run_dir)
    zone(report.timezone)
    return Subject(report, report.chosen, table)
