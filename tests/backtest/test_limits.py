import numpy as np
import pytest
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session
from pydantic import ValidationError
from spox import Var

from frugal_ai.backtest.limits import Limits
from frugal_ai.features.frame import const


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(minimum=0.0, maximum=1.0), [0.0, 0.5, 1.0]),
        (Limits(minimum=0.0), [0.0, 0.5, 7.0]),
        (Limits(maximum=1.0), [-3.0, 0.5, 1.0]),
        (Limits(), [-3.0, 0.5, 7.0]),
    ],
)
def test_forecasts_stay_within_in_python_and_in_the_graph(
    limits: Limits, expected: list[float]
) -> None:
    values = np.array([[-3.0, 0.5, 7.0]])  # [1, H]
    np.testing.assert_array_equal(limits.clip(values)[0], expected)
    np.testing.assert_array_equal(limits.clip(values[:, :, None])[0, :, 0], expected)
    argument = spox.argument(spox.Tensor(np.float32, ("B", 3)))
    model = spox.build({"values": argument}, {"kept": op.add(limits.clip_onnx(argument), zero())})
    session = quiet_session(model.SerializeToString())
    got = session.run(None, {"values": values.astype(np.float32)})[0]
    np.testing.assert_array_equal(got[0], expected)


def zero() -> Var:
    return const(0.0, np.float32)


def test_limits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected minimum < maximum, got 1\.0 and 1\.0"):
        Limits(minimum=1.0, maximum=1.0)
