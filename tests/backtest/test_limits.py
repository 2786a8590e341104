import numpy as np
import pytest
import spox
from frugal_edge.runtime import quiet_session
from pydantic import ValidationError

from frugal_ai.backtest.limits import Limits
from frugal_ai.ladder.persistence import FirstColumn


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
    features = np.array([[[-3.0], [0.5], [7.0]]], np.float32)  # [1, H, 1]
    kept = limits.keep(FirstColumn())
    np.testing.assert_array_equal(kept.predict(features)[0], expected)
    argument = spox.argument(spox.Tensor(np.float32, ("B", 3, 1)))
    model = spox.build({"features": argument}, {"forecast": kept.to_onnx(argument)})
    session = quiet_session(model.SerializeToString())
    np.testing.assert_array_equal(session.run(None, {"features": features})[0][0], expected)


def test_limits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected minimum < maximum, got 1\.0 and 1\.0"):
        Limits(minimum=1.0, maximum=1.0)
