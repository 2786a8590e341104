"""The leaderboard of a run as files."""

from pathlib import Path

from frugal_ai.files import write_text
from frugal_ai.leaderboard.compression import compression_svg
from frugal_ai.leaderboard.picture import pareto_svg
from frugal_ai.leaderboard.rows import to_csv, to_json
from frugal_ai.report import RunReport


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
