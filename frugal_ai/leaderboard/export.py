"""The leaderboard as files and text for other programs."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from frugal_ai.leaderboard.picture import pareto_svg
from frugal_ai.report import Figures, RungRow, RunReport
from frugal_ai.report.files import write_text

_FIRST = ("pipeline", "rung")


def write_leaderboard(run_dir: Path, report: RunReport) -> None:
    """Write ``leaderboard.json``, ``leaderboard.csv`` and ``pareto.svg`` of a run.

    Raises
    ------
    OutputError
        If a file cannot be written; none is left half-written.
    """
    rows = report.rows()
    write_text(run_dir / "leaderboard.json", to_json(rows) + "\n")
    write_text(run_dir / "leaderboard.csv", to_csv(rows))
    write_text(run_dir / "pareto.svg", pareto_svg(report))


def to_json(rows: Sequence[RungRow]) -> str:
    """Write rows as a JSON array of objects."""
    return json.dumps([row.model_dump(mode="json") for row in rows], indent=1)


def to_csv(rows: Sequence[RungRow]) -> str:
    """Write rows as comma-separated values; an interval has a column for each end."""
    nested = set(Figures.model_fields) - set(_FIRST)
    others = [name for name in RungRow.model_fields if name not in nested | set(_FIRST)]
    columns = [*_FIRST, *Figures().flat(), *others]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        plain = row.model_dump(mode="json", exclude=nested)
        writer.writerow(plain | row.flat())
    return text.getvalue()
