"""The features of a recipe in plain numpy, from one origin, as a data scientist would write them.

This runs where frugal-ai is not installed. What does not depend on the origin is prepared once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.edge.workers.sky import sky

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int64]

DAY_S = 86400
_PERIODS = {"day": DAY_S, "week": 7 * DAY_S, "year": 1461 * DAY_S // 4}
_THURSDAY = 3  # 1970-01-01, where Monday is 0
_FLAGS = ("holiday", "bridge", "yearend")

Plan = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What is known at an origin.

    Attributes
    ----------
    history
        Values before the origin, oldest first [N].
    signals
        Known covariates and what is derived from them, over look-back and horizon [L+H, K].
    origin
        [unix s].
    local
        Start of the target intervals on the local clock [H] [s].
    """

    history: Float32Array
    signals: Float32Array
    origin: int
    local: IntArray


Columns = Callable[[Seen], NDArray[Any]]  # [H, k], or [k] where all steps have the same


class Features:
    """Computes the feature matrix of a plan, which `benchmarks.edge.plan` makes of a recipe."""

    def __init__(self, plan: Plan) -> None:
        names = [*plan["known"], *(one["name"] for one in plan["derived"])]
        self._index = {name: index for index, name in enumerate(names)}
        self._plan = {**plan, "index": self._index}
        self._lead_s = np.arange(plan["horizon"]) * plan["step_s"]
        self._changes, self._offsets = np.array(plan["transitions"]), np.array(plan["offsets"])
        self._columns: list[tuple[slice, Columns]] = []
        self._width = 0
        for block, width in zip(plan["blocks"], plan["widths"], strict=True):
            columns = slice(self._width, self._width + width)
            self._columns.append((columns, _MADE[block["feature"]](block, self._plan)))
            self._width += width

    def __call__(self, history: Float32Array, origin: int, known: Float32Array) -> Float32Array:
        """Compute the features [H, F] of an origin from history [N] and covariates [L+H, K]."""
        starts = origin + self._lead_s
        local = starts + self._offsets[np.searchsorted(self._changes, starts, side="right")]
        seen = Seen(history, self._derived(known), origin, local)
        features = np.empty((len(starts), self._width), np.float32)
        for columns, compute in self._columns:
            features[:, columns] = compute(seen)
        return features

    def _derived(self, known: Float32Array) -> Float32Array:
        if not self._plan["derived"]:
            return known
        signals = [known[:, index] for index in range(known.shape[1])]
        for one in self._plan["derived"]:
            inputs = [signals[self._index[name]] for name in one["inputs"]]
            signals.append(_DERIVED[one["signal"]](one, *inputs))
        return np.stack(signals, axis=1)


def _lag(block: Plan, plan: Plan) -> Columns:
    lags, window = np.array(block["at"]), block["minus_mean"]
    if min(lags) < plan["horizon"]:
        raise ValueError(f"expected lags of a horizon or more, got {min(lags)} steps")
    at = np.arange(plan["horizon"])[:, None] - lags  # [H, k], from the end of the history
    if window is None:
        return lambda seen: seen.history[at]
    return lambda seen: seen.history[at] - seen.history[-window:].mean(dtype=np.float64)


def _last(block: Plan, _plan: Plan) -> Columns:
    steps = block["steps"]
    return lambda seen: seen.history[: -steps - 1 : -1]


def _rolling(block: Plan, _plan: Plan) -> Columns:
    if block["stats"] != ["mean"]:
        raise ValueError(f"expected the mean alone, got {block['stats']}")
    windows = block["window"]
    return lambda seen: np.array([seen.history[-w:].mean(dtype=np.float64) for w in windows])


def _daily(block: Plan, plan: Plan) -> Columns:
    day, most = DAY_S // plan["step_s"], max(block["days"])
    wanted = [(days, stat) for days in block["days"] for stat in block["stats"]]

    def columns(seen: Seen) -> NDArray[Any]:
        days = seen.history[-most * day :].reshape(most, day)[::-1]  # newest first
        return np.stack([getattr(days[:n], stat)(axis=0) for n, stat in wanted], axis=1)

    return columns


def _clock(_block: Plan, _plan: Plan) -> Columns:
    def columns(seen: Seen) -> NDArray[Any]:
        weekday = (seen.local // DAY_S + _THURSDAY) % 7
        day_of_year = seen.local % _PERIODS["year"] // DAY_S
        return np.stack([seen.local % DAY_S / 3600, weekday, day_of_year], axis=1)

    return columns


def _horizon(_block: Plan, plan: Plan) -> Columns:
    lead_h = np.arange(plan["horizon"])[:, None] * plan["step_s"] / 3600
    return lambda _: lead_h


def _decay(block: Plan, plan: Plan) -> Columns:
    left = np.exp(-np.arange(plan["horizon"])[:, None] / np.array(block["over"]))
    return lambda _: left


def _fourier(block: Plan, _plan: Plan) -> Columns:
    period, times = _PERIODS[block["period"]], np.arange(1, block["harmonics"] + 1)

    def columns(seen: Seen) -> NDArray[Any]:
        angle = 2 * np.pi / period * seen.local[:, None] * times
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)

    return columns


def _holiday(block: Plan, plan: Plan) -> Columns:
    codes, first = np.array(plan["day_codes"], np.uint8), plan["first_day"]
    back = np.repeat(block["days_before"], len(block["flags"]))
    bits = np.tile([_FLAGS.index(flag) for flag in block["flags"]], len(block["days_before"]))

    def columns(seen: Seen) -> NDArray[Any]:
        day = seen.local[:, None] // DAY_S - first
        return np.asarray(codes[day - back] >> bits & 1)

    return columns


def _known(block: Plan, plan: Plan) -> Columns:
    which = [plan["index"][name] for name in block["names"]]
    lookback, horizon = plan["lookback"], plan["horizon"]
    target, last = lookback + np.arange(horizon), lookback + horizon - 1
    windows = [
        target[:, None] - before - np.arange(max(mean, 1))[::-1]
        for mean in block["mean"]
        for before in block["before"]
    ]  # [H, steps] each
    windows += [np.minimum(target + after, last)[:, None] for after in block["after"]]
    around = [np.arange(-(steps // 2), steps // 2 + 1) for steps in block["around"]]
    windows += [np.minimum(target[:, None] + near, last) for near in around]
    if block["origin"]:
        raise ValueError("expected no means up to the origin, got some")

    def columns(seen: Seen) -> NDArray[Any]:
        signals = seen.signals[:, which]
        parts = [
            signals[at[:, 0]] if at.shape[1] == 1 else signals[at].mean(axis=1, dtype=np.float64)
            for at in windows
        ]
        return np.concatenate(parts, axis=1)

    return columns


def _sun(block: Plan, plan: Plan) -> Columns:
    ahead = np.arange(plan["horizon"]) * plan["step_s"]
    return lambda seen: sky(seen.origin + ahead, plan["step_s"], block["places"], block["samples"])


def _clear_sky_level(block: Plan, plan: Plan) -> Columns:
    windows = block["window"]
    steps = np.arange(-max(windows), plan["horizon"]) * plan["step_s"]

    def columns(seen: Seen) -> NDArray[Any]:
        clear = sky(seen.origin + steps, plan["step_s"], block["places"], block["samples"])[:, 1]
        behind, ahead = clear[: max(windows)], clear[max(windows) :]
        sums = [(seen.history[-w:].sum(dtype=np.float64), behind[-w:].sum()) for w in windows]
        index = np.array([power / max(shine, 1.0) for power, shine in sums])
        return np.asarray(ahead[:, None] * index)

    return columns


_MADE: dict[str, Callable[[Plan, Plan], Columns]] = {
    "lag": _lag,
    "last": _last,
    "rolling": _rolling,
    "daily": _daily,
    "clock": _clock,
    "horizon": _horizon,
    "decay": _decay,
    "fourier": _fourier,
    "holiday": _holiday,
    "known": _known,
    "sun": _sun,
    "clear_sky_level": _clear_sky_level,
}


def _speed(_one: Plan, u: Float32Array, v: Float32Array) -> Float32Array:
    return np.sqrt(u * u + v * v)


def _direction(one: Plan, u: Float32Array, v: Float32Array) -> Float32Array:
    speed = np.maximum(np.sqrt(u * u + v * v), np.float32(1e-3))
    sine, cosine = u / speed, v / speed
    if one["turns"] == 1:
        return np.asarray(sine if one["wave"] == "sin" else cosine)
    return np.asarray(2 * sine * cosine if one["wave"] == "sin" else cosine**2 - sine**2)


def _dense_speed(
    _one: Plan, speed: Float32Array, temperature: Float32Array, pressure: Float32Array
) -> Float32Array:
    density = 100 * pressure / (287.05 * (temperature + np.float32(273.15)))
    return np.asarray(speed * np.cbrt(density / np.float32(1.225)))


_DERIVED: dict[str, Callable[..., Float32Array]] = {
    "speed": _speed,
    "direction": _direction,
    "dense_speed": _dense_speed,
}
