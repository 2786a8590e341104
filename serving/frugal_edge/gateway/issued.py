"""A forecast as it is given out: numbers with everything that their reader must know."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frugal_edge.clock import format_time, iso_duration, parse_time
from frugal_edge.quality import Quality

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Issued:
    """A forecast that was issued.

    Attributes
    ----------
    series_id, unit, step_s, simulated
        Of the series.
    origin, issued_at
        Start of the first interval, and when the forecast was made [unix s].
    horizon
        Number of intervals, H.
    quality
        How far it may be trusted.
    model
        Identity of the bundle, or the name of what stood in for it; None where nothing did.
    values
        Point forecast [H]; empty where the quality is unavailable.
    levels, quantiles
        Quantile levels Q and their forecasts [H, Q].
    warnings
        Sentences about what is wrong with the inputs, or why there is no model.
    """

    series_id: str
    unit: str
    step_s: int
    horizon: int
    origin: int
    issued_at: int
    quality: Quality
    model: str | None
    values: FloatArray
    levels: tuple[float, ...] = ()
    quantiles: FloatArray | None = None
    warnings: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def until(self) -> int:
        """End of the last interval [unix s]."""
        return self.origin + self.horizon * self.step_s

    @property
    def times(self) -> NDArray[np.int64]:
        """Start of each interval [H] [unix s]."""
        return np.asarray(self.origin + np.arange(self.horizon) * self.step_s, np.int64)

    def as_json(self) -> bytes:
        """Write one object: RFC 3339 times, an ISO 8601 step, values in the order of intervals."""
        content: dict[str, object] = {
            "series_id": self.series_id,
            "origin": format_time(self.origin),
            "issued_at": format_time(self.issued_at),
            "step": iso_duration(self.step_s),
            "horizon": self.horizon,
            "unit": self.unit,
            "quality": self.quality.value,
            "model": self.model,
            "simulated": self.simulated,
            "values": _plain(self.values),
        }
        if self.quantiles is not None and len(self.levels):
            content["quantile_levels"] = list(self.levels)
            content["quantiles"] = _plain(self.quantiles)
        content["warnings"] = list(self.warnings)
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()


def _plain(values: FloatArray) -> object:
    """Turn float32 into the shortest decimals that read back as the same float32."""
    if values.ndim > 1:
        return [_plain(row) for row in values]
    return [float(str(value)) for value in values]


def issued_from(body: bytes, step_s: int) -> Issued:
    """Read what `Issued.as_json` wrote; `step_s` is the series' own [s]."""
    content = json.loads(body)
    quantiles = content.get("quantiles")
    return Issued(
        series_id=content["series_id"],
        unit=content["unit"],
        step_s=step_s,
        horizon=content["horizon"],
        origin=parse_time(content["origin"]),
        issued_at=parse_time(content["issued_at"]),
        quality=Quality(content["quality"]),
        model=content["model"],
        values=np.array(content["values"], np.float32),
        levels=tuple(content.get("quantile_levels", ())),
        quantiles=None if quantiles is None else np.array(quantiles, np.float32),
        warnings=tuple(content["warnings"]),
        simulated=content["simulated"],
    )
