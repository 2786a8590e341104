"""The contract that every rung of the ladder keeps."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from spox import Var

from frugal_ai.errors import RungError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.recipe import Recipe
from frugal_ai.settings import Settings

Family = Literal["naive", "linear", "boosting"]
Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Training data of one series: one row for each origin and target step.

    Attributes
    ----------
    features
        float32 [B, H, F].
    target
        [B, H] [unit of the series], NaN where nothing was observed.
    origin
        [B] [unix s], ascending.
    step_s
        Length of an interval [s].
    plain
        Number of columns of the recipe's ``features``, which come first where a rung reads features
        and basis.
    seed
        Seed of everything random.
    """

    features: Float32Array
    target: FloatArray
    origin: NDArray[np.int64]
    step_s: int
    plain: int
    seed: int

    def __post_init__(self) -> None:
        if not len(self.origin):
            raise RungError("expected training origins, got none")
        if not np.isfinite(self.features).all():
            b, h, f = np.argwhere(~np.isfinite(self.features))[0]
            raise RungError(
                f"expected finite features, got {self.features[b, h, f]} in column {f} "
                f"at origin {b}, step {h}"
            )
        if not np.isfinite(self.target).any():
            raise RungError("expected observed targets to learn from, all of them are missing")


class Fitted(Protocol):
    """A rung that has learnt."""

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H] [unit of the series] from features [B, H, F]."""
        ...

    def to_onnx(self, features: Var) -> Var:
        """Append the model to a graph: features float32 [B, H, F] to forecast float32 [B, H]."""
        ...


class Rung(Settings, ABC):
    """A kind of model with its settings.

    ``label`` names it on the leaderboard where one kind stands there with several settings.
    """

    rung: str
    label: str | None = None

    family: ClassVar[Family]
    summary: ClassVar[str]

    @property
    def name(self) -> str:
        """Name on the leaderboard."""
        return self.label or self.rung

    @abstractmethod
    def blocks(self, recipe: Recipe) -> tuple[Block, ...]:
        """Choose the features that the rung reads; others are neither computed nor shipped."""

    @abstractmethod
    def fit(self, rows: Rows) -> Fitted:
        """Learn from training rows.

        Raises
        ------
        RungError
            If the rows cannot support the rung.
        """
