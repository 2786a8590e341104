"""Series and covariates on one regular grid in UTC."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from frugal_ai.data.vintages import Vintages
from frugal_ai.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Panel:
    """S series with their covariates on T intervals; NaN stands for what is missing.

    The arrays are read-only.

    Attributes
    ----------
    series_ids
        Names of the series, S.
    start
        Start of the first interval [unix s, UTC].
    step_s
        Length of an interval [s].
    values
        Target values [S, T].
    known_names, known
        Covariates that are known ahead, and their values [S, T, K]. The grid goes on after the
        last target value where they do.
    past_names, past
        Covariates that are known up to the origin, and their values [S, T, P].
    static_names, static
        Properties of a series that do not change, and their values [S, J].
    simulated
        Whether the values come from a simulation.
    vintages
        By the name of a known covariate that has vintages: one for all series, or one for each. A
        model sees only these; `known` holds the first vintage of each interval, for its range.

    Raises
    ------
    DataError
        If the shapes disagree, the arrays are not float64, a name stands twice, the step is not
        positive or vintages belong to no known covariate.
    """

    series_ids: tuple[str, ...]
    start: int
    step_s: int
    values: FloatArray
    known_names: tuple[str, ...]
    known: FloatArray
    past_names: tuple[str, ...]
    past: FloatArray
    static_names: tuple[str, ...]
    static: FloatArray
    simulated: bool
    vintages: Mapping[str, tuple[Vintages, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.step_s <= 0:
            raise DataError(f"panel: expected a positive step, got {self.step_s} s")
        for what, names in (
            ("series", self.series_ids),
            ("known covariates", self.known_names),
            ("past covariates", self.past_names),
            ("static covariates", self.static_names),
        ):
            if len(set(names)) < len(names):
                raise DataError(f"panel: expected distinct {what}, got {', '.join(names)}")
        series, steps = len(self.series_ids), self.values.shape[-1] if self.values.ndim else 0
        self._adopt("values", (series, steps))
        self._adopt("known", (series, steps, len(self.known_names)))
        self._adopt("past", (series, steps, len(self.past_names)))
        self._adopt("static", (series, len(self.static_names)))
        for name, each in self.vintages.items():
            if name not in self.known_names or len(each) not in {1, series}:
                raise DataError(
                    f"panel: expected vintages of a known covariate for all {series} series or"
                    f" each, got {len(each)} of {name!r}"
                )

    def _adopt(self, name: str, shape: tuple[int, ...]) -> None:
        array: FloatArray = getattr(self, name)
        if array.shape != shape or array.dtype != np.float64:
            raise DataError(
                f"panel: expected {name} as float64 {list(shape)},"
                f" got {array.dtype} {list(array.shape)}"
            )
        view = array.view()
        view.flags.writeable = False
        object.__setattr__(self, name, view)

    @property
    def length(self) -> int:
        """Number of intervals, T."""
        return int(self.values.shape[1])

    @property
    def end(self) -> int:
        """End of the last interval [unix s], which is the start of the one after it."""
        return self.start + self.length * self.step_s

    @property
    def times(self) -> IntArray:
        """Start of each interval [unix s], [T]."""
        return self.start + self.step_s * np.arange(self.length, dtype=np.int64)

    def index(self, t: int) -> int:
        """Return the column of the interval that starts at `t` [unix s].

        Raises
        ------
        DataError
            If `t` is not the start of an interval of the grid.
        """
        column, rest = divmod(t - self.start, self.step_s)
        if rest or not 0 <= column < self.length:
            first, last = format_time(self.start), format_time(self.end - self.step_s)
            raise DataError(
                f"expected a time on the grid {first} to {last} every {self.step_s} s,"
                f" got {format_time(t)}"
            )
        return column

    def digest(self) -> str:
        """Return the SHA-256 of the content, the same on every machine and in every process."""
        head = [
            self.series_ids, self.start, self.step_s, self.length,
            self.known_names, self.past_names, self.static_names, self.simulated,
        ]  # fmt: skip
        sha = hashlib.sha256(json.dumps(head).encode())
        for array in (self.values, self.known, self.past, self.static):
            # one bit pattern for each number: NaN has many, zero has two
            plain = np.where(np.isnan(array), np.nan, array) + 0.0
            sha.update(np.ascontiguousarray(plain, dtype="<f8").tobytes())
        for name in sorted(self.vintages):
            for one in self.vintages[name]:
                sha.update(json.dumps([name, one.how, one.reach_s, len(one.index)]).encode())
                for rows in (one.index.times, one.index.available_at):
                    sha.update(np.ascontiguousarray(rows, dtype="<i8").tobytes())
                sha.update(np.ascontiguousarray(one.values + 0.0, dtype="<f8").tobytes())
        return sha.hexdigest()

    def vintages_of(self, name: str, series: int) -> Vintages | None:
        """Return the vintages of a known covariate of one series, if it has any."""
        each = self.vintages.get(name)
        return None if each is None else each[series if len(each) > 1 else 0]


def format_time(t: int) -> str:
    """Write an instant [unix s] as messages do, 2024-03-31T01:30:00Z."""
    return f"{np.datetime64(int(t), 's')}Z"
