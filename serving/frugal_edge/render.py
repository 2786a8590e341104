"""A forecast as CSV or JSON."""

import csv
import io
import json
from dataclasses import dataclass

from frugal_edge.clock import format_time
from frugal_edge.forecast import Forecast
from frugal_edge.manifest import Manifest
from frugal_edge.quality import Quality

HEADER = ("series_id", "timestamp", "value", "unit", "quality", "model")


@dataclass(frozen=True, slots=True)
class Answer:
    """A forecast with all that its reader must know.

    Attributes
    ----------
    manifest
        Of the model.
    origin
        Start of the first interval, Unix time [s].
    forecast
        Point forecast [H] and quantiles [H, Q].
    quality
        How far it may be trusted.
    filled_steps
        Missing inputs that were filled.
    out_of_bounds
        A sentence for each input beyond the values of the training.
    """

    manifest: Manifest
    origin: int
    forecast: Forecast
    quality: Quality
    filled_steps: int
    out_of_bounds: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers of an interval: ``value``, and ``q0.1`` for each level."""
        return ("value", *(f"q{level!r}" for level in self.manifest.quantiles))

    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the start of each interval, ISO 8601 in UTC, and its numbers by `columns`."""
        step, found = self.manifest.step_s, self.forecast
        return [
            (format_time(self.origin + lead * step), [str(value) for value in (point, *quantiles)])
            for lead, (point, quantiles) in enumerate(
                zip(found.point, found.quantiles, strict=True)
            )
        ]


def as_csv(answer: Answer) -> str:
    """Write one line for each interval, after a header; quantiles stand last."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*HEADER, *answer.columns[1:]))
    about = answer.manifest
    tail = (about.unit, answer.quality.value, about.id)
    for time, (point, *quantiles) in answer.rows():
        writer.writerow((about.series_id, time, point, *tail, *quantiles))
    return text.getvalue()


def as_json(answer: Answer) -> str:
    """Write one object on one line."""
    about = answer.manifest
    content = {
        "series_id": about.series_id,
        "model": about.id,
        "simulated": about.simulated,
        "unit": about.unit,
        "step_s": about.step_s,
        "origin": format_time(answer.origin),
        "quality": answer.quality.value,
        "filled_steps": answer.filled_steps,
        "out_of_bounds": list(answer.out_of_bounds),
        "quantiles": list(about.quantiles),
        "forecast": [
            # the shortest digits of a float32
            {"timestamp": time, **dict(zip(answer.columns, map(float, numbers), strict=True))}
            for time, numbers in answer.rows()
        ],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"
