"""Input files for one forecast, to try a bundle with as a gateway would."""

import csv
from pathlib import Path

import numpy as np

from frugal_ai.backtest.windows import Series
from frugal_ai.data.panel import format_time
from frugal_ai.errors import OutputError
from frugal_ai.features.graph import FeatureGraph

HISTORY, KNOWN = "history.csv", "known.csv"


def write_example(folder: Path, series: Series, graph: FeatureGraph, origin: int) -> None:
    """Write what a model sees at an origin: ``history.csv`` and, if it reads any, ``known.csv``.

    Parameters
    ----------
    folder
        Is created.
    origin
        [unix s].

    Raises
    ------
    OutputError
        If the files cannot be written.
    """
    reach, grid, step = graph.reach, graph.inputs, series.panel.step_s
    cut = series.windows(np.array([origin]), reach)
    past = origin - step * np.arange(cut.history.shape[1], 0, -1)
    ahead = origin + step * np.arange(-reach.lookback, grid.horizon)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        values = np.column_stack([cut.history[0], cut.past[0]])
        _write(folder / HISTORY, series.name, past, ("value", *grid.past_names), values)
        if grid.known_names:
            _write(folder / KNOWN, series.name, ahead, grid.known_names, cut.known[0])
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error


def _write(
    path: Path,
    series_id: str,
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    names: tuple[str, ...],
    values: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["series_id", "timestamp", *names])
        for time, row in zip(times, values, strict=True):
            writer.writerow([series_id, format_time(int(time)), *(str(value) for value in row)])
