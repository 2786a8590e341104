"""The contract that every rung of the ladder keeps."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator
from spox import Var

from frugal_ai.errors import RungError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.recipe import Recipe
from frugal_ai.ladder._search import Range, Tuning
from frugal_ai.settings import Settings

Family = Literal["naive", "linear", "boosting"]
Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


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
        [B] [unix s], ascending within a series.
    step_s
        Length of an interval [s].
    plain
        Number of columns of the recipe's ``features``, which come first where a rung reads features
        and basis.
    seed
        Seed of everything random.
    levels
        Quantile levels that are asked for, ascending in (0, 1); none where there are none.
    idle
        Where nothing is forecast whatever a model says, as of PV at night, [B, H]; None where
        that is nowhere.
    families
        Of each feature, the name of those that a graph computes together [F]; none where nobody
        asks.
    """

    features: Float32Array
    target: FloatArray
    origin: NDArray[np.int64]
    step_s: int
    plain: int
    seed: int
    levels: tuple[float, ...] = ()
    idle: BoolArray | None = None
    families: tuple[str, ...] = ()

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

    def some(self, origins: BoolArray) -> "Rows":
        """Return the rows of some origins [B]."""
        return replace(
            self,
            features=self.features[origins],
            target=self.target[origins],
            origin=self.origin[origins],
            idle=None if self.idle is None else self.idle[origins],
        )

    @property
    def awake(self) -> FloatArray:
        """The target where a forecast is of use, NaN elsewhere [B, H].

        All of it, if it was observed nowhere else.
        """
        if self.idle is None or not np.isfinite(self.target[~self.idle]).any():
            return self.target
        return np.where(self.idle, np.nan, self.target)


class Fitted(Protocol):
    """A rung that has learnt."""

    def predict(self, features: Float32Array) -> FloatArray:
        """Forecast [B, H] [unit of the series] from features [B, H, F]."""
        ...

    def to_onnx(self, features: Var) -> Var:
        """Append the model to a graph: features float32 [B, H, F] to forecast float32 [B, H]."""
        ...


@runtime_checkable
class FittedQuantiles(Protocol):
    """A rung that has learnt the quantiles at ``Rows.levels`` (Q of them) beside its forecast."""

    def predict_quantiles(self, features: Float32Array) -> FloatArray:
        """Forecast quantiles [B, H, Q] [unit of the series] from features [B, H, F]."""
        ...

    def quantiles_to_onnx(self, features: Var) -> Var:
        """Append them to a graph: features float32 [B, H, F] to quantiles float32 [B, H, Q]."""
        ...


@runtime_checkable
class FittedSparing(Protocol):
    """A rung that has learnt, and can say which features it can do without."""

    @property
    def reads(self) -> BoolArray:
        """Which features matter [F]."""
        ...

    def kept(self, columns: IntArray) -> Fitted:
        """Return the same model on some features [K], ascending, which hold all that matter."""
        ...


class Rung(Settings, ABC):
    """A kind of model with its settings.

    ``label`` names it on the leaderboard where one kind stands there with several settings. With
    the ``scope`` panel one model learns from all series at once, each in units of its own.
    ``tune`` searches the settings that a rung offers in ``search``.
    """

    rung: str
    label: str | None = None
    scope: Literal["series", "panel"] = "series"
    tune: Tuning | None = None

    family: ClassVar[Family]
    summary: ClassVar[str]
    search: ClassVar[Mapping[str, Range]] = {}

    @field_validator("tune")
    @classmethod
    def _something_to_search(cls, value: Tuning | None) -> Tuning | None:
        if value is not None and not cls.search:
            raise ValueError(f"{cls.__name__} has no settings to search; expected no tune")
        return value

    @property
    def name(self) -> str:
        """Name on the leaderboard."""
        return self.label or (f"{self.rung}_panel" if self.scope == "panel" else self.rung)

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
