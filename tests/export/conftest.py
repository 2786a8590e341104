"""What tests of smaller graphs share."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import spox
from frugal_edge.session import quiet_session
from numpy.typing import NDArray
from spox import Var

from frugal_ai.export.compact import compact


@pytest.fixture
def compacted() -> Callable[..., list[str]]:
    """Hold the small graph against the given one; name the operators that read an input."""

    def left(y: Var, x: Var, given: NDArray[np.generic], *, rtol: float, atol: float) -> list[str]:
        model = spox.build({"x": x}, {"y": y})
        small = compact(model)
        onnx.checker.check_model(small, full_check=True)
        got, expected = (
            quiet_session(one.SerializeToString()).run(None, {"x": given})[0]
            for one in (small, model)
        )
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol)
        moving, kinds = {"x"}, []
        for node in small.graph.node:
            if moving.intersection(node.input):
                moving.update(node.output)
                kinds.append(node.op_type)
        return sorted(kinds)

    return left
