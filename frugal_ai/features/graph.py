"""Blocks compiled to one ONNX graph, and that graph run over batches of windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import onnxruntime
import spox
from frugal_edge.session import quiet_session
from numpy.typing import NDArray
from spox import Var

from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.column import Column, assemble, reach_of
from frugal_ai.features.frame import Frame
from frugal_ai.features.grid import Grid, position

T = TypeVar("T")
_OPENED: dict[tuple[Any, ...], onnxruntime.InferenceSession] = {}
_MOST_OPENED = 8
_BATCH = 512  # windows at once: bounds the memory of the copies, large enough to hide the calls


@dataclass(frozen=True)
class Windows:
    """What a model may see, for a batch of origins of one series.

    Attributes
    ----------
    history
        Observations before each origin, oldest first, float32 [B, N].
    origin
        Origins [unix s], int64 [B].
    known
        Known covariates over look-back and horizon, float32 [B, L+H, K].
    past
        Past covariates before each origin, float32 [B, N, P].
    """

    history: NDArray[np.float32]
    origin: NDArray[np.int64]
    known: NDArray[np.float32]
    past: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.origin)

    def rows(self, rows: slice) -> "Windows":
        """Return the windows of some origins."""
        return Windows(self.history[rows], self.origin[rows], self.known[rows], self.past[rows])

    def tensors(self, rows: slice) -> dict[str, NDArray[np.float32] | NDArray[np.int64]]:
        """Return the tensors of some windows by the names of the graph's inputs."""
        return {
            "history": self.history[rows],
            "origin": self.origin[rows],
            "known": self.known[rows],
            "past": self.past[rows],
        }


@dataclass(frozen=True)
class FeatureGraph:
    """The feature matrix of some blocks on a grid, as an ONNX graph.

    Attributes
    ----------
    kept
        Which of the blocks' columns it has, ascending; None for all. What only the others need is
        neither computed nor read.
    """

    blocks: tuple[Block, ...]
    grid: Grid
    kept: tuple[int, ...] | None = None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the features, F of them."""
        return self._kept(tuple(name for block in self.blocks for name in block.columns(self.grid)))

    @cached_property
    def expressions(self) -> tuple[Column, ...]:
        """What the features are."""
        return self._kept(tuple(e for block in self.blocks for e in block.expressions(self.grid)))

    def _kept(self, columns: tuple[T, ...]) -> tuple[T, ...]:
        return columns if self.kept is None else tuple(columns[index] for index in self.kept)

    def only(self, columns: Sequence[int]) -> "FeatureGraph":
        """Return a graph of some of the columns, by their ascending indices among them."""
        there = range(len(self.columns)) if self.kept is None else self.kept
        return replace(self, kept=tuple(there[index] for index in columns))

    @cached_property
    def reach(self) -> Reach:
        """How far before the origin the blocks read, and which covariates of the pipeline.

        Raises
        ------
        PipelineError
            If a block reads a covariate that the pipeline does not declare.
        """
        read = reach_of(self.expressions, self.grid)
        names = set(read.known)
        lookback = read.lookback
        if self.grid.capacity:  # the history is counted in what was installed at the time
            names.add(self.grid.capacity)
            lookback = max(lookback, read.history)
        for name in sorted(read.past):
            position(name, self.grid.past_names, "past")
        known = frozenset().union(*(self.grid.base(name) for name in sorted(names)))
        return replace(read, known=known, lookback=lookback)

    @cached_property
    def inputs(self) -> Grid:
        """The grid with only those covariates that the blocks read; their order stays."""
        return replace(
            self.grid,
            static={n: v for n, v in self.grid.static.items() if n in self.reach.static},
            known_names=tuple(n for n in self.grid.known_names if n in self.reach.known),
            past_names=tuple(n for n in self.grid.past_names if n in self.reach.past),
        )

    def build(self) -> tuple[Frame, Var]:
        """Build the graph: its inputs and the features, float32 [B, H, F]."""
        frame = Frame(self.inputs, max(self.reach.history, 1), self.reach.lookback)
        return frame, assemble(self.expressions, frame)

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        return (self.blocks, self.kept, self.inputs.digest)

    @property
    def open(self) -> bool:
        """Whether it has been made, for this series or one that differs in nothing it reads."""
        return self._key in _OPENED

    def make(self) -> None:
        """Build the graph and open it, which `transform` does on its first call."""
        if not self.open:
            while len(_OPENED) >= _MOST_OPENED:
                _OPENED.pop(next(iter(_OPENED)))
            frame, features = self.build()
            model = spox.build(frame.inputs, {"features": features}, drop_unused_inputs=True)
            _OPENED[self._key] = quiet_session(model.SerializeToString())

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        self.make()
        return _OPENED[self._key]

    def transform(self, windows: Windows) -> NDArray[np.float32]:
        """Compute the features of a batch of windows, float32 [B, H, F]."""
        return run_batches(self._session, windows, "features")


def close_graphs() -> None:
    """Forget the graphs that are open, so that the next rung pays for its own."""
    _OPENED.clear()


def run_batches(
    session: onnxruntime.InferenceSession, windows: Windows, output: str
) -> NDArray[np.float32]:
    """Run a graph over windows in batches and return one of its outputs, [B, ...]."""
    return run_outputs(session, windows, (output,))[0]


def run_outputs(
    session: onnxruntime.InferenceSession,
    windows: Windows,
    outputs: tuple[str, ...],
    others: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> list[NDArray[np.float32]]:
    """Run a graph over windows in batches and return some of its outputs, [B, ...] each.

    Parameters
    ----------
    others
        Inputs beside the windows, by name, with the same first axis.
    """
    names = [node.name for node in session.get_inputs()]
    parts = []
    for start in range(0, len(windows), _BATCH):
        rows = slice(start, start + _BATCH)
        tensors = windows.tensors(rows) | {name: value[rows] for name, value in others.items()}
        parts.append(session.run(list(outputs), {name: tensors[name] for name in names}))
    return [np.concatenate(part) for part in zip(*parts, strict=True)]
