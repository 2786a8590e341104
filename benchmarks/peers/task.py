"""A task as every system is given it: a file of arrays that needs numpy alone.

Peers run where frugal-ai is not installed, so this module imports nothing of it.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY_S = 86400
HOLIDAY = "holiday"
"""Name of the covariate that is 1 on public holidays of the local calendar."""


@dataclass(frozen=True)
class Task:
    """What a system may know.

    Attributes
    ----------
    name, kind
        As in the task's file; kind is load, pv or wind.
    series
        Names of the series, S.
    start, step_s
        Start of the first interval [unix s] and length of an interval [s].
    horizon
        Number of target steps, H.
    timezone
        IANA name of the local clock.
    country
        ISO code whose holidays count, empty for none.
    coordinate
        Latitude and longitude [deg], the mean of several places; None where it is not known.
    values
        [S, T] [unit of the series], without gaps: interpolated before the first origin, the
        previous value after it.
    known_names, known
        Covariates, and their values [S, T, K], which are known over the horizon as well.
    origins
        Test origins [O] [unix s].
    levels
        Levels of quantiles for systems that give any [1].
    """

    name: str
    kind: str
    series: tuple[str, ...]
    start: int
    step_s: int
    horizon: int
    timezone: str
    country: str
    coordinate: tuple[float, float] | None
    values: FloatArray
    known_names: tuple[str, ...]
    known: FloatArray
    origins: IntArray
    levels: tuple[float, ...]

    @property
    def day(self) -> int:
        """Steps of a day."""
        return DAY_S // self.step_s

    @property
    def trained_until(self) -> int:
        """Position of the first test origin: a system learns from what is before it."""
        return self.at(int(self.origins[0]))

    @property
    def times(self) -> NDArray[np.datetime64]:
        """Start of each interval [T], UTC."""
        steps = np.arange(self.values.shape[1], dtype=np.int64)
        return (self.start + self.step_s * steps).astype("datetime64[s]")

    @property
    def clock(self) -> ZoneInfo:
        """The local clock."""
        return ZoneInfo(self.timezone)

    def at(self, origin: int) -> int:
        """Return the position of an origin [unix s]."""
        return (origin - self.start) // self.step_s

    def history(self, origin: int, steps: int | None = None) -> FloatArray:
        """Return the last observations before an origin, all or some; [S, N]."""
        at = self.at(origin)
        return self.values[:, 0 if steps is None else at - steps : at]

    def ahead(self, origin: int) -> slice:
        """Return the positions of the target intervals of an origin."""
        at = self.at(origin)
        return slice(at, at + self.horizon)

    def small(self, days: int) -> "Task":
        """Return the first series, the last days before the first origin, and that origin."""
        end = self.trained_until
        first = max(0, end - days * self.day)
        kept = slice(first, end + self.horizon)
        return replace(
            self,
            series=self.series[:1],
            start=self.start + first * self.step_s,
            values=self.values[:1, kept],
            known=self.known[:1, kept],
            origins=self.origins[:1],
        )

    def write(self, path: Path) -> None:
        """Write the task as one file."""
        plain = {
            name: getattr(self, name)
            for name in (
                "name", "kind", "series", "start", "step_s", "horizon", "timezone", "country",
                "coordinate", "known_names", "levels",
            )
        }  # fmt: skip
        np.savez(
            path,
            plain=np.array(json.dumps(plain)),
            values=self.values,
            known=self.known,
            origins=self.origins,
        )

    @classmethod
    def read(cls, path: Path) -> "Task":
        """Read what `write` wrote."""
        with np.load(path, allow_pickle=False) as file:
            plain: dict[str, Any] = json.loads(str(file["plain"]))
            lists = {name: tuple(v) for name, v in plain.items() if isinstance(v, list)}
            arrays = {name: file[name] for name in ("values", "known", "origins")}
            return cls(**{**plain, **lists, **arrays})


@dataclass(frozen=True)
class Measured:
    """What a system's work took, and what it forecast.

    Attributes
    ----------
    version
        Of the library.
    import_wall_s, train_cpu_s, origin_cpu_ms
        Wall time of the import [s], CPU time of the training, features included [s], CPU time of
        all series from one origin, mean over origins [ms].
    peak_rss_mb
        Largest resident memory of the process [MB].
    forecast
        [S, O, H] [unit of the series].
    levels, quantiles
        Levels, Q, and forecasts of them [S, O, H, Q]; none where the system gives none.
    """

    version: str
    import_wall_s: float
    train_cpu_s: float
    origin_cpu_ms: float
    peak_rss_mb: float
    forecast: FloatArray
    levels: tuple[float, ...]
    quantiles: FloatArray

    def write(self, path: Path) -> None:
        """Write what was measured as one file."""
        plain = {
            name: getattr(self, name)
            for name in (
                "version", "import_wall_s", "train_cpu_s", "origin_cpu_ms", "peak_rss_mb", "levels",
            )
        }  # fmt: skip
        np.savez_compressed(
            path,
            plain=np.array(json.dumps(plain)),
            forecast=self.forecast,
            quantiles=self.quantiles,
        )

    @classmethod
    def read(cls, path: Path) -> "Measured":
        """Read what `write` wrote."""
        with np.load(path, allow_pickle=False) as file:
            plain: dict[str, Any] = json.loads(str(file["plain"]))
            plain["levels"] = tuple(plain["levels"])
            return cls(**plain, forecast=file["forecast"], quantiles=file["quantiles"])
