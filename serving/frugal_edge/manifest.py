"""What a manifest says about a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass

NAME = "manifest.json"
SIGNATURE = "model.sig"  # over all the other files; it cannot be listed
FORECAST, QUANTILES, DRIFT = "forecast", "quantiles", "drift"

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of the graph; the first axis is always the batch, None in `shape`."""

    name: str
    dtype: str
    axes: tuple[str, ...]
    shape: tuple[int | None, ...]
    columns: tuple[str, ...] = ()
    lookback: int = 0


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins for which the model holds.

    Attributes
    ----------
    valid_from, valid_until
        First and last origin that the calendar tables in the graph cover [unix s].
    local_time
        Times of the local clock, HH:MM, for which the model was trained; empty for any.
    every_s
        Time between two origins of the backtest [s].
    """

    valid_from: int
    valid_until: int
    local_time: tuple[str, ...]
    every_s: int


@dataclass(frozen=True, slots=True)
class GapPolicy:
    """The longest gap that may be filled [steps], and how: ``linear`` or ``previous``."""

    max_gap_steps: int
    fill: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest and highest value of each input in training, None where nothing is said."""

    history: Range | None
    known: Mapping[str, Range]
    past: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a carbon intensity counts.

    Attributes
    ----------
    kind
        ``average`` or ``marginal``.
    basis
        ``direct`` or ``lifecycle``.
    scope
        ``production`` or ``consumption``.
    """

    kind: str
    basis: str
    scope: str


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a file of the bundle must be."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is said about a bundle; times in Unix seconds, `step_s` in [s]."""

    id: str
    sequence: int
    pipeline: str
    kind: str
    simulated: bool
    rung: str
    series_id: str
    unit: str
    timezone: str
    step_s: int
    horizon: int
    quantiles: tuple[float, ...]
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    history_steps: int
    origins: Origins
    gap_policy: GapPolicy
    bounds: Bounds
    metrics: Mapping[str, object]
    costs: Mapping[str, object]
    mlflow: Mapping[str, object] | None
    git_revision: str | None
    data_digest: str
    created: int
    opset: int
    ml_opset: int | None
    ir_version: int
    minimum_onnxruntime: str
    files: Mapping[str, FileEntry]
    counts: Counts | None = None

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the covariates of the input ``known`` or ``past``, none if it is not read."""
        return self.inputs[name].columns if name in self.inputs else ()

    @property
    def drifts(self) -> bool:
        """Whether quantiles move with what arrives."""
        return DRIFT in self.inputs
