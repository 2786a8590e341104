"""Golden cases: inputs with the outputs that the model gave where it was built."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frugal_edge.errors import BundleError, GoldenError, InputError
from frugal_edge.manifest import Manifest
from frugal_edge.strict_json import Node, parse
from frugal_edge.tensors import FloatArray, check_inputs, finite_array

NAME = "golden.json"


@dataclass(frozen=True, slots=True)
class Case:
    """Inputs with a batch axis of one, outputs without."""

    inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Golden:
    """All golden cases and the difference that another machine may show [unit of the series]."""

    tolerance_abs: float
    cases: tuple[Case, ...]


def read_golden(data: bytes, manifest: Manifest) -> Golden:
    """Read the golden cases; their inputs must be such as a forecast would accept.

    Raises
    ------
    BundleError
        If the text is not what the manifest lets expect.
    """
    root = Node(parse(data, NAME), NAME)
    tolerance = root.number("tolerance_abs")
    if tolerance < 0:
        root.refuse("tolerance_abs", "a number from 0")
    nodes = root.nodes("cases")
    if not nodes:
        root.refuse("cases", "at least one case")
    cases = tuple(_case(node, manifest) for node in nodes)
    root.close()
    return Golden(tolerance, cases)


def _case(node: Node, manifest: Manifest) -> Case:
    inputs, outputs = node.node("inputs"), node.node("outputs")
    node.close()
    try:
        checked = check_inputs(manifest, {name: _value(inputs, name) for name in manifest.inputs})
        expected = {
            name: finite_array(name, _value(outputs, name), tensor)
            for name, tensor in manifest.outputs.items()
        }
    except InputError as error:
        raise BundleError(f"{NAME}: {node.place('')}{error}") from error
    inputs.close()
    outputs.close()
    return Case(checked, expected)


def _value(node: Node, name: str) -> Any:
    return node.take(name) if name == "origin" else node.array(name)


def compare(number: int, case: Case, got: Mapping[str, NDArray[Any]], tolerance: float) -> float:
    """Compare what a case gives here with what it gave where the model was built.

    Returns
    -------
    float
        Largest absolute difference.

    Raises
    ------
    GoldenError
        If one difference is above the tolerance, or not a number.
    """
    largest = 0.0
    for name, expected in case.outputs.items():
        difference = np.abs(got[name].astype(np.float64) - expected)  # [H, ...]
        bad = ~(difference <= tolerance)  # so that NaN is bad
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            raise GoldenError(
                f"{NAME}: case {number}, {name}, step {at[0]}: expected {expected[at]} within"
                f" {tolerance}, got {got[name][at]}"
            )
        largest = max(largest, float(difference.max()))
    return largest
