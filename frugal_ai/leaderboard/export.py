"""The leaderboard as files and text for other programs."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

from frugal_ai.files import write_text
from frugal_ai.leaderboard.compression import compression_svg
from frugal_ai.leaderboard.picture import pareto_svg
from frugal_ai.report import Figures, RungRow, RunReport

_FIRST = ("pipeline", "rung", "family", "chosen", "verdict", "over")


def write_leaderboard(run_dir: Path, report: RunReport) -> None:
    """Write ``leaderboard.json``, ``leaderboard.csv`` and ``pareto.svg`` of a run.

    Candidates of compression go to ``compression.csv`` and ``compression.svg``.

    Raises
    ------
    OutputError
        If a file cannot be written; none is left half-written.
    """
    rows = report.rows()
    write_text(run_dir / "leaderboard.json", to_json(rows) + "\n")
    write_text(run_dir / "leaderboard.csv", to_csv(rows))
    write_text(run_dir / "pareto.svg", pareto_svg(report))
    if report.compression:
        write_text(run_dir / "compression.csv", report.compression.csv())
        drawn = compression_svg(report.compression, report.title or report.pipeline)
        write_text(run_dir / "compression.svg", drawn)


def to_json(rows: Iterable[RungRow]) -> str:
    """Write rows as a JSON array of objects; what is not known is null."""
    return json.dumps([row.model_dump(mode="json") for row in rows], indent=1)


def to_csv(rows: Iterable[RungRow]) -> str:
    """Write rows as comma-separated values, in full precision; what is not known is empty.

    An interval has a column for each end: ``skill_ci`` becomes ``skill_lo`` and ``skill_hi``.
    """
    nested = set(Figures.model_fields)
    last = [name for name in RungRow.model_fields if name not in nested | set(_FIRST)]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_FIRST, *Figures().flat(), *last], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        plain = row.model_dump(mode="json", exclude=nested)
        writer.writerow({name: _text(value) for name, value in (plain | row.flat()).items()})
    return text.getvalue()


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
