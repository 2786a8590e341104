"""The contract of a feature block."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from spox import Var

from frugal_ai.features.frame import Frame
from frugal_ai.features.grid import Grid
from frugal_ai.settings import Settings


@dataclass(frozen=True)
class Reach:
    """What a block reads: how far before the origin [steps], and which covariates."""

    history: int = 0
    lookback: int = 0
    known: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()
    static: frozenset[str] = frozenset()

    def __or__(self, other: "Reach") -> "Reach":
        return Reach(
            max(self.history, other.history),
            max(self.lookback, other.lookback),
            self.known | other.known,
            self.past | other.past,
            self.static | other.static,
        )


class Block(Settings, ABC):
    """A few columns of the feature matrix, declared in a recipe and built as graph nodes."""

    @abstractmethod
    def columns(self, grid: Grid) -> tuple[str, ...]:
        """Name the block's columns, in order.

        Raises
        ------
        PipelineError
            If a setting does not fit the grid.
        """

    def reach(self, grid: Grid) -> Reach:  # noqa: ARG002 - most calendar blocks read no values
        """Say what the block reads."""
        return Reach()

    def on(self, frame: Frame) -> Var:
        """Return the columns on a frame, float32 [B, H, k]; equal blocks are built once."""
        return frame.once(self, lambda: self.build(frame))

    @abstractmethod
    def build(self, frame: Frame) -> Var:
        """Build the columns, float32 [B, H, k]."""
