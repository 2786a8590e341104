"""Blocks compiled to one ONNX graph, and that graph run over batches of windows."""

from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import onnxruntime
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.runtime import quiet_session
from numpy.typing import NDArray
from spox import Var

from frugal_ai.features.blocks.base import Block, Reach
from frugal_ai.features.frame import Frame
from frugal_ai.features.grid import Grid

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

    def part(self, rows: slice) -> dict[str, NDArray[np.float32] | NDArray[np.int64]]:
        """Return the tensors of some windows by the names of the graph's inputs."""
        return {
            "history": self.history[rows],
            "origin": self.origin[rows],
            "known": self.known[rows],
            "past": self.past[rows],
        }


@dataclass(frozen=True)
class FeatureGraph:
    """The feature matrix of some blocks on a grid, as an ONNX graph."""

    blocks: tuple[Block, ...]
    grid: Grid

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the features, F of them."""
        return tuple(name for block in self.blocks for name in block.columns(self.grid))

    @cached_property
    def reach(self) -> Reach:
        """How far before the origin the blocks read."""
        return reduce(Reach.__or__, (block.reach(self.grid) for block in self.blocks), Reach())

    def build(self) -> tuple[Frame, Var]:
        """Build the graph: its inputs and the features, float32 [B, H, F]."""
        frame = Frame(self.grid, max(self.reach.history, 1), self.reach.lookback)
        parts = [block.build(frame) for block in self.blocks]
        return frame, parts[0] if len(parts) == 1 else op.concat(parts, axis=2)

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        frame, features = self.build()
        model = spox.build(frame.inputs, {"features": features}, drop_unused_inputs=True)
        return quiet_session(model.SerializeToString())

    def transform(self, windows: Windows) -> NDArray[np.float32]:
        """Compute the features of a batch of windows, float32 [B, H, F].

        The windows may reach further back than these blocks read.
        """
        return run_batches(self._session, windows, self.reach, "features")


def run_batches(
    session: onnxruntime.InferenceSession, windows: Windows, reach: Reach, output: str
) -> NDArray[np.float32]:
    """Run a graph over windows in batches and return one of its outputs, [B, ...]."""
    names = {node.name for node in session.get_inputs()}
    steps = max(reach.history, 1)
    spare = windows.known.shape[1] - session_span(session) if "known" in names else 0
    parts = []
    for start in range(0, len(windows), _BATCH):
        tensors = windows.part(slice(start, start + _BATCH))
        tensors["history"] = tensors["history"][:, -steps:]
        tensors["past"] = tensors["past"][:, -steps:]
        tensors["known"] = tensors["known"][:, spare:]
        feed = {name: np.ascontiguousarray(tensors[name]) for name in names}
        parts.append(session.run([output], feed)[0])
    return np.concatenate(parts)


def session_span(session: onnxruntime.InferenceSession) -> int:
    """Return how many steps of known covariates a graph reads, look-back and horizon."""
    return int(next(n for n in session.get_inputs() if n.name == "known").shape[1])
