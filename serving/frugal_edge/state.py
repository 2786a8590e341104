"""What is kept between two forecasts of a model: its drift, and the forecasts that are not over."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frugal_edge.drift import Drift
from frugal_edge.errors import InputError, OutputError
from frugal_edge.files import write_whole
from frugal_edge.manifest import Manifest
from frugal_edge.strict_json import Node, parse

FloatArray = NDArray[np.float64]
Observed = Callable[[int], FloatArray]
"""What came in the horizon after an origin [unix s], [H], NaN where nothing was observed."""


@dataclass(frozen=True, slots=True)
class Open:
    """A forecast whose intervals are not all over."""

    origin: int  # [unix s]
    quantiles: FloatArray  # [H, Q]


@dataclass(frozen=True, slots=True)
class State:
    """The drift of a model's quantiles, and what it will learn from next."""

    model: str
    drift: Drift
    open: tuple[Open, ...]

    @classmethod
    def new(cls, manifest: Manifest) -> "State":
        """Return the state of a model that has not forecast yet."""
        return cls(manifest.id, Drift.none(manifest.quantiles, manifest.step_s), ())

    def at(self, origin: int, observed: Observed) -> "State":
        """Learn from every forecast that is over by an origin [unix s]."""
        drift, left = self.drift, []
        for one in self.open:
            if one.origin + len(one.quantiles) * drift.step_s <= origin:
                drift = drift.learn(one.origin, one.quantiles, observed(one.origin))
            else:
                left.append(one)
        return replace(self, drift=drift, open=tuple(left))

    def with_forecast(self, origin: int, quantiles: NDArray[np.float32]) -> "State":
        """Keep a forecast to learn from, in the place of one from the same origin."""
        kept = [one for one in self.open if one.origin != origin]
        new = Open(origin, quantiles.astype(np.float64))
        return replace(self, open=tuple(sorted([*kept, new], key=lambda one: one.origin)))

    def as_text(self) -> str:
        """Write it as `state_from` reads it."""
        content = {
            "model": self.model,
            "common": self.drift.common.tolist(),
            "by_slot": self.drift.by_slot.tolist(),
            "open": [
                {"origin": one.origin, "quantiles": one.quantiles.tolist()} for one in self.open
            ],
        }
        return json.dumps(content, allow_nan=False, separators=(",", ":"))

    def write(self, path: Path) -> None:
        """Write the file whole, or leave what is there.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        try:
            write_whole(path, self.as_text().encode())
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def read_state(path: Path, manifest: Manifest) -> State:
    """Read a state; where there is none, or that of another model, start anew.

    Raises
    ------
    InputError
        If the file cannot be read or is not a state of the model.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return State.new(manifest)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return state_from(data, str(path), manifest)
    except InputError as error:
        raise InputError(f"{error}; remove the file to start anew") from error


def state_from(data: bytes, where: str, manifest: Manifest) -> State:
    """Read a state from its text; where it is that of another model, start anew.

    Raises
    ------
    InputError
        If it is not a state of the model.
    """
    return _read(Node(parse(data, where, InputError), where, error=InputError), manifest)


def _read(node: Node, manifest: Manifest) -> State:
    new = State.new(manifest)
    if node.text("model") != manifest.id:
        return new
    levels = len(manifest.quantiles)
    common = _array(node, "common", (levels,))
    by_slot = _array(node, "by_slot", new.drift.by_slot.shape)
    shape = (manifest.horizon, levels)
    found = [
        Open(one.integer("origin"), _array(one, "quantiles", shape)) for one in node.nodes("open")
    ]
    node.close()
    return State(manifest.id, replace(new.drift, common=common, by_slot=by_slot), tuple(found))


def _array(node: Node, key: str, shape: tuple[int, ...]) -> FloatArray:
    try:
        array = np.array(node.array(key), dtype=np.float64)
    except (TypeError, ValueError):
        node.refuse(key, f"numbers of shape {list(shape)}")
    if array.shape != shape or not np.isfinite(array).all():
        node.refuse(key, f"finite numbers of shape {list(shape)}")
    return array
