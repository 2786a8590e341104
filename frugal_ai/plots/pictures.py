"""All pictures of a run, as files."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from frugal_ai.drawing import style, to_png, to_svg
from frugal_ai.errors import OutputError
from frugal_ai.files import write_bytes, write_text
from frugal_ai.plots import forecast, lead_time, reliability, residuals
from frugal_ai.plots.subject import Subject, read_subject

FOLDER = "plots"
"""Where pictures go in a run folder."""
MOST_SERIES = 12
"""As many series have a picture of their days; the other pictures average over all."""


@dataclass(frozen=True)
class _Picture:
    draw: Callable[[Subject], Figure]
    description: str


_DAYS = _Picture(
    forecast.draw,
    "Actual, forecast and quantile band over time: the week of median error and the worst days.",
)
_AVERAGED = {
    "error_by_lead_time": _Picture(
        lead_time.draw,
        "Mean absolute error by lead time of the chosen rung and of the seasonal naive.",
    ),
    "reliability": _Picture(
        reliability.draw,
        "Share of actuals below each quantile against its level, and coverage by lead time.",
    ),
    "residuals_by_hour": _Picture(
        residuals.draw,
        "Forecast minus actual by hour of the local day: median, mean, middle 50 and 90 %.",
    ),
}


def write_pictures(
    run_dir: Path, out: Path | None = None, *, png: bool = False, tell: Callable[[str], None]
) -> Iterator[Path]:
    """Draw a run's pictures of the chosen rung on the test origins, one after the other.

    Parameters
    ----------
    run_dir
        Folder of a finished run.
    out
        Folder for the pictures; by default ``plots`` in that of the run.
    png
        Write PNG instead of SVG.
    tell
        Hears what the pictures lack.

    Yields
    ------
    Path
        Each file, when it is written.

    Raises
    ------
    DataError
        If the run cannot be read, or has no forecasts.
    OutputError
        If a picture cannot be written; none is left half-written.
    """
    subject = read_subject(run_dir)
    folder = run_dir / FOLDER if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be created: {error.strerror}") from error
    parts = subject.parts(MOST_SERIES)
    count = len(subject.table.series_ids)
    if count > MOST_SERIES:
        tell(f"forecast: the first {MOST_SERIES} of {count} series; all are in the averages")
    if not subject.table.levels:
        tell(f"reliability: {reliability.NO_QUANTILES}")
    for name, part in zip(_names(parts), parts, strict=True):
        yield _write(folder / name, _DAYS, part, png=png)
    for name, picture in _AVERAGED.items():
        yield _write(folder / name, picture, subject, png=png)


def _names(parts: list[Subject]) -> list[str]:
    """Name a file for each series; a name that cannot be one, or is there twice, gets a number."""
    if len(parts) == 1 and not parts[0].place:
        return ["forecast"]
    plain = [re.sub(r"[^\w.-]", "_", part.table.series_ids[0]) for part in parts]
    return [
        f"forecast-{name}" if plain.count(name) == 1 else f"forecast-{name}-{index + 1}"
        for index, name in enumerate(plain)
    ]


def _write(stem: Path, picture: _Picture, subject: Subject, *, png: bool) -> Path:
    path = stem.with_name(f"{stem.name}.{'png' if png else 'svg'}")
    said = f"{picture.description} {subject.described()}."
    if subject.cautions:
        said = f"{said} {'; '.join(subject.cautions).capitalize()}."
    with style():
        drawn = picture.draw(subject)
        title = f"{subject.title} ({stem.name})"
        if png:
            write_bytes(path, to_png(drawn, title, said))
        else:
            write_text(path, to_svg(drawn, title, said))
    return path
