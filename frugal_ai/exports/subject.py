"""What is exported: a run folder, found by itself or by a bundle in it."""

from dataclasses import dataclass
from pathlib import Path

from frugal_ai.cost.ledger_file import read_lines
from frugal_ai.cost.record import Record
from frugal_ai.errors import DataError
from frugal_ai.report import RungReport, RunReport

_LEDGER = "ledger.jsonl"


@dataclass(frozen=True)
class Subject:
    """A finished run.

    Attributes
    ----------
    folder
        Of the run.
    report
        What it found.
    ledger
        What it cost, line by line; projections of a bill are no part of it.
    """

    folder: Path
    report: RunReport
    ledger: tuple[Record, ...]

    @property
    def chosen(self) -> RungReport:
        """The chosen rung."""
        return next(rung for rung in self.report.rungs if rung.chosen)

    @property
    def kwh(self) -> float:
        """Electricity of the whole run, every trial of it [kWh]."""
        return sum(one.energy_consumed for one in self.ledger)

    @property
    def co2e_g(self) -> float:
        """Emissions of the whole run, every trial of it [gCO2e]."""
        return 1000 * sum(one.emissions for one in self.ledger)


def read_subject(path: Path) -> Subject:
    """Read a run folder, or the one that a bundle lies in.

    Raises
    ------
    DataError
        If there is none, it has chosen nothing, or a line of its ledger cannot be read.
    """
    folders = (path, *path.absolute().parents[:2])
    folder = next((one for one in folders if (one / "run.json").is_file()), None)
    if folder is None:
        raise DataError(f"{path}: expected a run folder (run.json) or a bundle inside of one")
    report = RunReport.read(folder)
    if report.chosen is None:
        raise DataError(f"{folder}: expected a run that has chosen a rung, it has not")
    found = read_lines(folder / _LEDGER)
    if found.problems:
        raise DataError(f"{found.problems[0]}: an export needs the whole ledger")
    measured = tuple(one for one in found.records if one.energy_method != "factor")
    return Subject(folder, report, measured)
