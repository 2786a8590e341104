"""Rolling means of a covariate in single precision."""

import numpy as np
import pytest
import spox
from frugal_edge.session import quiet_session

from frugal_ai.export.compact import compact
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe

F32 = np.float32
H, STEPS = 48, (48, 144)


@pytest.mark.parametrize("level", [15.0, 500.0])
def test_means_agree_with_numpy_and_are_not_of_doubles(level: float) -> None:
    block = {
        "feature": "known", "names": ["temperature"], "mean": ["1d", "3d"],
    }  # fmt: skip
    blocks = Recipe.model_validate({"features": [block]}).features
    grid = local_grid(
        step_s=1800, horizon=H, timezone="UTC", holidays=None,
        valid_from=1_600_000_000 // 1800 * 1800, valid_until=1_700_000_000,
        known_names=("temperature",),
    )  # fmt: skip
    frame, features = FeatureGraph(blocks, grid).build()
    model = compact(spox.build(frame.inputs, {"y": features}, drop_unused_inputs=True))
    (known,) = (one for one in model.graph.input if one.name == "known")
    length = known.type.tensor_type.shape.dim[1].dim_value
    values = np.random.default_rng(0).normal(level, level / 5, (2, length, 1)).astype(F32)
    session = quiet_session(model.SerializeToString())
    got = session.run(None, {"known": values})[0]  # [B, H, 2]
    ends = length - H + 1 + np.arange(H)
    expected = [
        [[one[end - steps : end, 0].mean(dtype=np.float64) for steps in STEPS] for end in ends]
        for one in values
    ]
    np.testing.assert_allclose(got, expected, rtol=2e-6)
    doubles = [one for one in model.graph.node if one.op_type == "Cast" and _double(one)]
    moving = {"known"}
    for node in model.graph.node:
        if moving.intersection(node.input):
            moving.update(node.output)
            assert node not in doubles


def _double(node: object) -> bool:
    return any(one.name == "to" and one.i == 11 for one in node.attribute)  # type: ignore[attr-defined]  # of a node
