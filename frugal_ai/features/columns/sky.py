"""Columns of where the sun stands and of what a clear sky lets through, for all intervals at once.

The cosine of the zenith angle is the product of two unit vectors: to the sun, which moves little in
a day, and to the zenith, which turns. The graph computes six numbers of the sun for each day in
double precision and holds a table of the zenith at the instants of a day; one product of the two is
the height of the sun at every instant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import spox.opset.ai.onnx.v17 as op
from numpy.typing import NDArray
from spox import Var

from frugal_ai.data.calendar import DAY_S
from frugal_ai.features.column import Column, Part, Picker, Reach
from frugal_ai.features.columns.origin import trailing
from frugal_ai.features.columns.sun import sun, zenith
from frugal_ai.features.frame import TARGET, Frame, const
from frugal_ai.features.grid import Grid

Site = tuple[float, float]  # latitude and longitude [degrees]

_HAURWITZ, _DIMMING = 1098.0, -0.057
_DARK = 5.5e-4  # of the cosine; from there on down exp(-0.057 / cosine) is 0 in float32


@dataclass(frozen=True)
class Sky:
    """The sun over some places, as means over them and over some instants of an interval.

    Attributes
    ----------
    facts
        Static covariates that the places come from.
    """

    sites: tuple[Site, ...]
    samples: int
    facts: frozenset[str]


@dataclass(frozen=True)
class OfSky(Column):
    """The height of the sun, clear-sky irradiance [W/m2], or whether the sun is up at all."""

    sky: Sky
    what: Literal["height", "clear", "daylight"]

    @classmethod
    def kind(cls) -> type[Column]:
        """All of them come from the same sun."""
        return OfSky

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - the sun needs no history
        """Read where the places are."""
        return Reach(static=self.sky.facts)

    @classmethod
    def rows(cls, columns: Sequence[Self], frame: Frame, pick: Picker) -> list[Part]:  # noqa: ARG003
        """Compute the sun over the same places once, as far back as any of them asks."""
        parts: list[Part] = []
        for sky in dict.fromkeys(column.sky for column in columns):
            some = [column for column in columns if column.sky == sky]
            levels = [column for column in some if isinstance(column, SkyLevel)]
            days = _Days(frame, sky, max((column.steps for column in levels), default=0))
            plain = [column for column in some if not isinstance(column, SkyLevel)]
            parts += [([column], _SAID[column.what](days)) for column in plain]
            if levels:
                parts.append((levels, _level(days, [column.steps for column in levels])))
        return parts


@dataclass(frozen=True)
class SkyLevel(OfSky):
    """What the target would be if as much of the clear sky came through as in the last steps."""

    steps: int

    def reach(self, grid: Grid) -> Reach:
        """Read the window."""
        return super().reach(grid) | Reach(self.steps)


class _Days:
    """The sky around an origin, cut into days that are counted from it.

    Values stand in the order of the steps of a day, and for each of these of the days, [B, n * D].
    """

    def __init__(self, frame: Frame, sky: Sky, behind: int) -> None:
        self.frame = frame
        self._sky = sky
        day = max(DAY_S // frame.grid.step_s, 1)
        self._n = day if behind else min(day, frame.grid.horizon)
        self._before, ahead = (-(-steps // self._n) for steps in (behind, frame.grid.horizon))
        self._days = self._before + ahead
        self._per_step = sky.samples * len(sky.sites)
        self.count = self._n * self._days

    def places(self, start: int, end: int) -> NDArray[np.int64]:
        """Say where the steps from ``start`` to ``end`` stand, counted from the origin."""
        step = np.arange(start, end) + self._before * self._n
        return np.asarray(step % self._n * self._days + step // self._n)

    def _once(self, what: str, build: Callable[[], Var]) -> Var:
        return self.frame.once((what, self._sky, self._before), build)

    def ahead(self, what: str, values: Callable[[], Var]) -> Var:
        """Pick the targets out of all steps, [B, 1, H]."""
        index = const(self.places(0, self.frame.grid.horizon), np.int32)
        return self._once(f"{what} ahead", lambda: op.gather(values(), index, axis=2))

    def height(self) -> Var:
        """Mean cosine of the zenith angle, 0 at night, float32 [B, 1, n * D]."""
        return self._once("height", lambda: self._mean(op.relu(self._cosine), 1.0))

    def clear(self) -> Var:
        """Mean irradiance of a clear sky on the horizontal [W/m2], float32 [B, 1, n * D].

        That of Haurwitz (1945, Journal of Meteorology 2): 1098 cos z exp(-0.057 / cos z).
        """
        return self._once("clear", self._clear)

    def _clear(self) -> Var:
        up = op.max([self._cosine, const(_DARK, np.float32)])
        dimmed = op.exp(op.div(const(_DIMMING, np.float32), up))
        return self._mean(op.mul(up, dimmed), _HAURWITZ)

    def _mean(self, values: Var, times: float) -> Var:
        """Average over instants and places; one product an origin, with equal digits in batches."""
        share = np.full((1, self._per_step), times / self._per_step)
        return op.matmul(const(share, np.float32), values)

    @property
    def _cosine(self) -> Var:
        """Cosine of the zenith angle, float32 [B, samples * places, n * D]."""
        shape = const([-1, self._per_step, self.count], np.int64)
        return self._once(
            "cosine", lambda: op.reshape(op.matmul(self._zenith(), self._suns()), shape)
        )

    def _suns(self) -> Var:
        """Six numbers of the sun in the middle of each day, float32 [B, 6, D]."""
        middle = (np.arange(self._days) - self._before + 0.5) * self._n * self.frame.grid.step_s
        (rate, start), weights = sun()
        # what float32 keeps of an angle within one turn is far more than the formula is good for
        phase = (start[:, None] + rate[:, None] * middle) % (2 * np.pi)
        origin = op.unsqueeze(self.frame.inputs["origin"], const([1, 2], np.int64))
        turned = op.mul(op.cast(origin, to=np.float64), const(rate[:, None], np.float64))
        angle = op.add(turned, const(phase.astype(np.float32), np.float64))
        numbers = op.matmul(const(weights.astype(np.float32), np.float64), op.sin(angle))
        return op.cast(numbers, to=np.float32)

    def _zenith(self) -> Var:
        """Return what they are multiplied by at the instants of a day, [samples * places * n, 6].

        It is made of some constants when the graph is opened.
        """
        step_s, samples = self.frame.grid.step_s, self._sky.samples
        (rate, phase), turning = zenith()
        north, east = np.radians(np.array(self._sky.sites)).T[:, :, None, None]  # [places, 1, 1]
        first = (0.5 / samples - self._n / 2) * step_s  # from the middle of the day [s]
        late = first + np.arange(samples)[:, None, None, None] * step_s / samples
        starts = late * rate + phase + np.where(turning, east, 0.0)  # [samples, places, 1, 6]
        step = op.range(*(const(i, np.float64) for i in (0, self._n, 1)))
        turned = op.mul(op.unsqueeze(step, const([1], np.int64)), const(rate * step_s, np.float64))
        angle = op.add(turned, const(starts.astype(np.float32), np.float64))
        size = np.where(turning, np.cos(north), np.sin(north)).astype(np.float32)
        table = op.mul(op.sin(angle), const(size, np.float64))
        flat = op.reshape(table, const([-1, len(rate)], np.int64))
        return op.cast(flat, to=np.float32)


_SAID: dict[str, Callable[[_Days], Var]] = {
    "height": lambda days: days.ahead("height", days.height),
    "clear": lambda days: days.ahead("clear", days.clear),
    "daylight": lambda days: op.cast(
        op.greater(days.ahead("height", days.height), const(0.0, np.float32)), to=np.float32
    ),
}


def _level(days: _Days, windows: Sequence[int]) -> Var:
    """Return the target over windows, over the clear sky then, times that of the targets.

    Its sum is a product with ones and zeros, [B, w, H].
    """
    widest, frame = max(windows), days.frame
    last = np.arange(-widest, 0) >= -np.array(windows)[:, None]  # [w, widest]
    behind = np.zeros((len(windows), days.count))
    behind[:, days.places(-widest, 0)] = last
    power = op.unsqueeze(trailing(frame, frame.signal(TARGET), widest), const([2], np.int64))
    produced = op.cast(op.matmul(const(last, np.float64), power), to=np.float32)  # [B, w, 1]
    clear = op.reshape(days.clear(), const([-1, days.count, 1], np.int64))
    # a polar night lets nothing through; then nothing is expected either
    shone = op.max([op.matmul(const(behind, np.float32), clear), const(1.0, np.float32)])
    return op.mul(op.div(produced, shone), days.ahead("clear", days.clear))
