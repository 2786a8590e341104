"""One model in onnxruntime, its inputs and outputs checked."""

import os
import re
from collections.abc import Mapping
from typing import Any

import onnxruntime
from numpy.typing import ArrayLike, NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NoModel,
    NoSuchFile,
    NotImplemented,  # noqa: A004  # onnxruntime's name for an operator that it lacks
    RuntimeException,
)

from frugal_edge import golden, quality
from frugal_edge.bundle import Bundle, open_bundle
from frugal_edge.errors import BundleError, ForecastError, GoldenError
from frugal_edge.forecast import Forecast, usable
from frugal_edge.manifest import DRIFT, Manifest, Tensor
from frugal_edge.origin import check_origin
from frugal_edge.session import BoundGraph, Spec, quiet_session
from frugal_edge.tensors import check_inputs, finite_array

_ORT_ERRORS = (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NoModel,
    NoSuchFile,
    NotImplemented,
    RuntimeException,
)
_DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64"}


class Forecaster:
    """The model of a verified bundle, ready to forecast.

    Parameters
    ----------
    bundle
        From `frugal_edge.bundle.open_bundle`.

    Raises
    ------
    BundleError
        If onnxruntime is too old or cannot load the graph, or the graph is not what the manifest
        says.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.manifest: Manifest = bundle.manifest
        self._golden = bundle.content[golden.NAME]
        _check_version(self.manifest.minimum_onnxruntime)
        try:
            session = quiet_session(bundle.content["model.onnx"])
        except _ORT_ERRORS as error:
            raise BundleError(
                f"model.onnx: onnxruntime {onnxruntime.__version__} cannot load it: {_line(error)}"
            ) from error
        _check_tensors("input", session.get_inputs(), self.manifest.inputs)
        _check_tensors("output", session.get_outputs(), self.manifest.outputs)
        self._graph = BoundGraph(
            session, *map(specs, (self.manifest.inputs, self.manifest.outputs))
        )

    def self_test(self) -> tuple[int, float]:
        """Replay the golden cases.

        Returns
        -------
        tuple[int, float]
            Number of cases, and the largest absolute difference [unit of the series].

        Raises
        ------
        GoldenError
            If the model does not give here what it gave where it was built.
        BundleError
            If the golden cases do not fit the manifest.
        """
        expected = golden.read_golden(self._golden, self.manifest)
        largest = 0.0
        for number, case in enumerate(expected.cases):
            try:
                got = self._run(case.inputs)
            except ForecastError as error:
                raise GoldenError(f"{golden.NAME}: case {number}: {error}") from error
            largest = max(largest, golden.compare(number, case, got, expected.tolerance_abs))
        return len(expected.cases), largest

    def forecast(
        self,
        history: ArrayLike | None,
        origin: int,
        known: ArrayLike | None = None,
        past: ArrayLike | None = None,
        drift: ArrayLike | None = None,
    ) -> Forecast:
        """Forecast the horizon from one origin.

        Parameters
        ----------
        history
            The N values before the origin, oldest first [N]; None if the model reads none.
        origin
            Start of the first target interval, Unix time [s].
        known
            Known covariates from `lookback` steps before the origin to the end of the horizon
            [L+H, K], columns in the manifest's order.
        past
            Past covariates of the N steps before the origin [N, P].
        drift
            How far quantiles have moved [H, Q], from `frugal_edge.drift.Drift.ahead`; None for not
            at all.

        Returns
        -------
        Forecast
            Point forecast [H] and quantiles [H, Q].

        Raises
        ------
        InputError
            If the origin is not one that the model holds for, or an input does not fit.
        ForecastError
            If the model fails on the inputs, or gives values that are not finite or quantiles that
            cross.
        """
        return self._forecast(self._checked(history, origin, known, past, drift))

    def forecast_judged(
        self,
        history: ArrayLike | None,
        origin: int,
        known: ArrayLike | None = None,
        past: ArrayLike | None = None,
        drift: ArrayLike | None = None,
    ) -> tuple[Forecast, tuple[str, ...]]:
        """Forecast, and say what goes beyond the training, with one look at the inputs.

        See `forecast` and `out_of_bounds`.
        """
        inputs = self._checked(history, origin, known, past, drift)
        return self._forecast(inputs), quality.out_of_bounds(self.manifest, inputs)

    def _checked(
        self,
        history: ArrayLike | None,
        origin: int,
        known: ArrayLike | None,
        past: ArrayLike | None,
        drift: ArrayLike | None,
    ) -> dict[str, NDArray[Any]]:
        if "origin" not in self.manifest.inputs:  # else it is checked as all that is read
            check_origin(self.manifest, origin)
        given = {
            "history": history, "origin": origin, "known": known, "past": past, DRIFT: drift,
        }  # fmt: skip
        return check_inputs(self.manifest, given)

    def _forecast(self, inputs: Mapping[str, NDArray[Any]]) -> Forecast:
        return usable(self.manifest, self._run(inputs))

    def out_of_bounds(
        self,
        history: ArrayLike | None,
        known: ArrayLike | None = None,
        past: ArrayLike | None = None,
    ) -> tuple[str, ...]:
        """Say which inputs of `forecast` go beyond the values of the training."""
        given = {"history": history, "known": known, "past": past}
        tensors = self.manifest.inputs
        read = {
            name: finite_array(name, value, tensors[name])
            for name, value in given.items()
            if value is not None and name in tensors
        }
        return quality.out_of_bounds(self.manifest, read)

    def _run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        try:
            found = self._graph.run(inputs)
        except (*_ORT_ERRORS, RuntimeError) as error:  # the latter where places are bound
            raise ForecastError(f"the model failed: {_line(error)}") from error
        return {name: output[0] for name, output in found.items()}


def specs(tensors: Mapping[str, Tensor]) -> dict[str, Spec]:
    """Return type and shape of tensors of a manifest."""
    return {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}


def load(folder: str | os.PathLike[str]) -> Forecaster:
    """Verify a bundle, open its model and replay its golden cases.

    Raises
    ------
    BundleError
        If the bundle cannot be trusted or does not run here as it did where it was built.
    """
    forecaster = Forecaster(open_bundle(folder))
    forecaster.self_test()
    return forecaster


def _check_version(minimum: str) -> None:
    given = [int(part) for part in re.findall(r"\d+", onnxruntime.__version__)[:3]]
    if given < [int(part) for part in minimum.split(".")]:
        raise BundleError(
            f"manifest.json: minimum_onnxruntime: the model needs {minimum},"
            f" this machine has {onnxruntime.__version__}"
        )


def _check_tensors(what: str, nodes: list[Any], tensors: Mapping[str, Tensor]) -> None:
    names = sorted(node.name for node in nodes)
    if names != sorted(tensors):
        raise BundleError(
            f"model.onnx: {what}s: expected {sorted(tensors)} as the manifest says, got {names}"
        )
    for node in nodes:
        tensor = tensors[node.name]
        sizes = [size if isinstance(size, int) else None for size in node.shape]
        fits = len(sizes) == len(tensor.shape) and all(
            size in (None, said) for size, said in zip(sizes, tensor.shape, strict=True)
        )
        if not fits or _DTYPES.get(node.type) != tensor.dtype:
            raise BundleError(
                f"model.onnx: {what} {node.name}: expected {tensor.dtype} {list(tensor.shape)} as"
                f" the manifest says, got {node.type} {node.shape}"
            )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
