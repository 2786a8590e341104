"""A forecast as CSV or JSON."""

import csv
import io
import json
from dataclasses import dataclass

from frugal_edge.clock import format_time
from frugal_edge.manifest import Manifest
from frugal_edge.quality import Quality
from frugal_edge.tensors import FloatArray

HEADER = ("series_id", "timestamp", "value", "unit", "quality", "model")


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast with all that its reader must know.

    Attributes
    ----------
    manifest
        Of the model.
    origin
        Start of the first interval, Unix time [s].
    values
        Forecast [H].
    quality
        How far it may be trusted.
    filled_steps
        Missing inputs that were filled.
    out_of_bounds
        A sentence for each input beyond the values of the training.
    """

    manifest: Manifest
    origin: int
    values: FloatArray
    quality: Quality
    filled_steps: int
    out_of_bounds: tuple[str, ...]

    def timestamps(self) -> list[str]:
        """Return the start of each interval, ISO 8601 in UTC."""
        step = self.manifest.step_s
        return [format_time(self.origin + lead * step) for lead in range(len(self.values))]


def as_csv(forecast: Forecast) -> str:
    """Write one line for each interval, after a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    about = forecast.manifest
    tail = (about.unit, forecast.quality.value, about.id)
    for time, value in zip(forecast.timestamps(), forecast.values, strict=True):
        writer.writerow((about.series_id, time, str(value), *tail))
    return text.getvalue()


def as_json(forecast: Forecast) -> str:
    """Write one object on one line."""
    about = forecast.manifest
    content = {
        "series_id": about.series_id,
        "model": about.id,
        "simulated": about.simulated,
        "unit": about.unit,
        "step_s": about.step_s,
        "origin": format_time(forecast.origin),
        "quality": forecast.quality.value,
        "filled_steps": forecast.filled_steps,
        "out_of_bounds": list(forecast.out_of_bounds),
        "forecast": [
            {"timestamp": time, "value": float(str(value))}  # the shortest digits of a float32
            for time, value in zip(forecast.timestamps(), forecast.values, strict=True)
        ],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"
