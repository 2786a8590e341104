"""One model in onnxruntime, its inputs and outputs checked."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
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
Inputs = Mapping[str, NDArray[Any]]  # as the graph reads them, with a batch axis
Judged = tuple[Forecast, tuple[str, ...]]  # and what of the inputs goes beyond the training

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
                outputs = self._run(case.inputs)
            except ForecastError as error:
                raise GoldenError(f"{golden.NAME}: case {number}: {error}") from error
            got = {name: output[0] for name, output in outputs.items()}
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
        outputs = self._run(self.checked(history, origin, known, past, drift))
        return usable(self.manifest, {name: output[0] for name, output in outputs.items()})

    def checked(
        self,
        history: ArrayLike | None,
        origin: int,
        known: ArrayLike | None = None,
        past: ArrayLike | None = None,
        drift: ArrayLike | None = None,
    ) -> Inputs:
        """Check the inputs of `forecast` and give them a batch axis of one, for `together`.

        Raises
        ------
        InputError
            As `forecast`.
        """
        if "origin" not in self.manifest.inputs:  # else it is checked as all that is read
            check_origin(self.manifest, origin)
        given = {
            "history": history, "origin": origin, "known": known, "past": past, DRIFT: drift,
        }  # fmt: skip
        return check_inputs(self.manifest, given)

    def together(self, asked: Sequence[Inputs]) -> list[Judged | ForecastError]:
        """Forecast for several checked inputs with one run of the model, and judge each.

        Returns
        -------
        list
            For each, its forecast and what of its inputs goes beyond the training, or why there is
            none.
        """
        try:
            return [*self._judged(asked)]
        except ForecastError as error:
            if len(asked) == 1:
                return [error]
        return [one for inputs in asked for one in self.together([inputs])]  # which one it was

    def _judged(self, asked: Sequence[Inputs]) -> Iterator[Judged]:
        batch = asked[0]
        if len(asked) > 1:
            batch = {name: np.concatenate([one[name] for one in asked]) for name in batch}
        made = usable(self.manifest, self._run(batch))  # [B, H], [B, H, Q]
        any_beyond = quality.out_of_bounds(self.manifest, batch)
        for inputs, point, quantiles in zip(asked, made.point, made.quantiles, strict=True):
            beyond = quality.out_of_bounds(self.manifest, inputs) if any_beyond else ()
            yield Forecast(point, quantiles), beyond

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

    def _run(self, inputs: Inputs) -> dict[str, NDArray[Any]]:
        batch = len(next(iter(inputs.values())))
        try:
            found = self._graph.run(inputs) if batch == 1 else self._graph.run_batch(inputs)
        except (*_ORT_ERRORS, RuntimeError) as error:  # the latter where places are bound
            raise ForecastError(f"the model failed: {_line(error)}") from error
        for name, output in found.items():
            if output.shape != (batch, *self.manifest.outputs[name].shape[1:]):
                raise ForecastError(f"the model gave {name} of shape {list(output.shape)}")
        return found


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
