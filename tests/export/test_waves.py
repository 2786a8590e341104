"""Sines of the time in single precision against those in double precision."""

import numpy as np
import onnx
import pytest
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session

from frugal_ai.export.compact import compact
from frugal_ai.features.frame import const

YEAR = 1461 * 86400 / 4
F64 = np.float64


def shrunk(*turns: float) -> tuple[onnx.ModelProto, float]:
    """Return the small graph of waves [rad/s], and how far it is from what numpy says."""
    x = spox.argument(spox.Tensor(np.int64, ("B", 1, 3)))
    turn, phase = np.array(turns)[:, None], np.arange(len(turns))[:, None] - 20.0
    angle = op.add(op.mul(op.cast(x, to=F64), const(turn, F64)), const(phase, F64))
    model = spox.build({"x": x}, {"y": op.cast(op.sin(angle), to=np.float32)})
    small = compact(model)
    onnx.checker.check_model(small, full_check=True)
    seconds = np.random.default_rng(0).integers(0, 2**29, (500, 1, 3))
    got = quiet_session(small.SerializeToString()).run(None, {"x": seconds})[0]
    return small, float(np.abs(got - np.sin(seconds * turn + phase)).max())


def types(model: onnx.ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


@pytest.mark.parametrize("times", [(1,), (1, 2, 3, 4), (-1, 2)])
def test_harmonics_of_one_period_are_in_single_precision(times: tuple[int, ...]) -> None:
    small, difference = shrunk(*(2 * np.pi * k / YEAR for k in times))
    assert "Mod" in types(small)
    assert difference < 5e-6


@pytest.mark.parametrize(
    "turns",
    [(2 * np.pi / YEAR, 3 * np.pi / YEAR), (2 * np.pi / 86400.5,), (2 * np.pi / 2**27,)],
    ids=["not harmonics", "no whole seconds", "too long a period"],
)
def test_other_waves_stay_in_double_precision(turns: tuple[float, ...]) -> None:
    small, difference = shrunk(*turns)
    assert "Mod" not in types(small)
    assert difference < 1e-6
