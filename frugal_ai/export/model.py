"""A fitted rung and the features that it reads, as one ONNX model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import spox
from frugal_edge.manifest import DRIFT
from frugal_edge.session import BoundGraph, quiet_session
from numpy.typing import NDArray

from frugal_ai.backtest.evaluate import SeriesModel
from frugal_ai.backtest.forecaster import FORECAST, QUANTILES, Forecasts
from frugal_ai.errors import ParityError
from frugal_ai.export.compact import compact
from frugal_ai.export.packed import serialized
from frugal_ai.export.versions import TREES, minimum_onnxruntime
from frugal_ai.features.graph import Windows, run_outputs

PARITY = 1e-5  # of the mean absolute value of the series


@dataclass(frozen=True)
class OnnxModel:
    """A model from observations to forecast.

    Attributes
    ----------
    content
        The serialized graph, features included.
    inputs
        Names of the tensors that it reads.
    opset, ml_opset, ir_version
        Versions that a runtime must support; no ``ml_opset`` without trees.
    outputs
        Names of the tensors that it gives: ``forecast``, and ``quantiles`` if there are any.
    drift_shape
        Horizon and number of the quantiles that drift, H and Q; None where none do.
    """

    content: bytes
    inputs: tuple[str, ...]
    opset: int
    ml_opset: int | None
    ir_version: int
    outputs: tuple[str, ...] = (FORECAST,)
    drift_shape: tuple[int, int] | None = None

    @property
    def minimum_onnxruntime(self) -> str:
        """The oldest onnxruntime that runs it."""
        return minimum_onnxruntime(self.opset, self.ml_opset, self.ir_version)

    @classmethod
    def read(cls, content: bytes) -> "OnnxModel":
        """Read what a serialized graph says of itself."""
        graph = onnx.load_model_from_string(content)
        opsets = {entry.domain: entry.version for entry in graph.opset_import}
        return cls(
            content=content,
            inputs=tuple(value.name for value in graph.graph.input),
            opset=opsets[""],
            ml_opset=opsets.get(TREES),
            ir_version=graph.ir_version,
            outputs=tuple(value.name for value in graph.graph.output),
            drift_shape=_drift_shape(graph.graph),
        )

    def run(
        self, windows: Windows, drift: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Run the graph over windows; its outputs by name, [B, H] and [B, H, Q].

        Parameters
        ----------
        drift
            Of the quantiles [B, H, Q], for a graph that reads it; None for none.
        """
        return self.opened()(windows, drift)

    def forecaster(self, windows: Windows) -> Callable[[], object]:
        """Open the graph once and return one forecast from it as on a gateway, to be measured."""
        session, feed = quiet_session(self.content), self.feed(windows)
        inputs = {name: (value.dtype.name, value.shape) for name, value in feed.items()}
        given = session.run(list(self.outputs), feed)
        outputs = {
            name: (value.dtype.name, value.shape)
            for name, value in zip(self.outputs, given, strict=True)
        }
        bound = BoundGraph(session, inputs, outputs)
        return lambda: bound.run(feed)

    def opened(self) -> Callable[[Windows, NDArray[np.float32] | None], dict[str, Any]]:
        """Open the graph once and return what `run` does."""
        session = quiet_session(self.content)

        def again(windows: Windows, drift: NDArray[np.float32] | None) -> dict[str, Any]:
            found = run_outputs(session, windows, self.outputs, self._drift(len(windows), drift))
            return dict(zip(self.outputs, found, strict=True))

        return again

    def feed(self, windows: Windows, rows: slice = slice(0, 1)) -> dict[str, NDArray[Any]]:
        """Return the inputs of forecasts from some windows, the first one alone, without drift."""
        seen = windows.rows(rows)
        tensors: dict[str, NDArray[Any]] = {
            **seen.tensors(slice(None)),
            **self._drift(len(seen), None),
        }
        return {name: tensors[name] for name in self.inputs}

    def _drift(
        self, batch: int, given: NDArray[np.float32] | None
    ) -> dict[str, NDArray[np.float32]]:
        if self.drift_shape is None:
            return {}
        none = np.zeros((batch, *self.drift_shape), np.float32)
        return {DRIFT: none if given is None else given}


def to_onnx(model: SeriesModel, *, fold_scalers: bool = True) -> OnnxModel:
    """Compose features and fitted rung to one graph.

    Parameters
    ----------
    fold_scalers
        Whether what standardizes features may become a part of the weights, which then are no
        longer of one size.
    """
    frame, features = model.graph.build()
    inputs, outputs = model.forecaster.to_onnx(features)
    whole = spox.build(frame.inputs | inputs, outputs, drop_unused_inputs=True)
    built = compact(whole, fold_scalers=fold_scalers)
    built.producer_name = "frugal-ai"
    onnx.checker.check_model(built)
    return OnnxModel.read(serialized(built))


def _drift_shape(graph: onnx.GraphProto) -> tuple[int, int] | None:
    for value in graph.input:
        if value.name == DRIFT:
            _, horizon, levels = (size.dim_value for size in value.type.tensor_type.shape.dim)
            return horizon, levels
    return None


def check_parity(
    model: OnnxModel,
    windows: Windows,
    native: Forecasts,
    mean_abs: float,
    drift: NDArray[np.float32] | None = None,
) -> float:
    """Compare the graph with the model that it came from on every window.

    Parameters
    ----------
    model, windows
        The graph and what it sees.
    native
        What the model forecast from the windows' features [unit of the series].
    mean_abs
        Mean absolute value of the series [unit of the series].
    drift
        That the forecasts were made with [B, H, Q].

    Returns
    -------
    float
        Largest absolute difference over ``mean_abs`` [1].

    Raises
    ------
    ParityError
        If it is more than ``PARITY``.
    """
    expected = {FORECAST: native.point, QUANTILES: native.quantiles}
    worst = 0.0
    for name, got in model.run(windows, drift).items():
        difference = np.nan_to_num(np.abs(got - expected[name]), nan=np.inf)
        worst = max(worst, float(difference.max() / mean_abs))
        if not worst <= PARITY:
            row, step, *_ = np.unravel_index(int(difference.argmax()), difference.shape)
            raise ParityError(
                f"expected {name} of ONNX and native within {PARITY:g} of the series' mean, got "
                f"{worst:.3g} at origin {windows.origin[row]}, step {step}"
            )
    return worst
