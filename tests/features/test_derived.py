"""Signals from known covariates against plain numpy."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from frugal_ai.errors import PipelineError
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe

STEP, HORIZON, COUNT = 3600, 24, 30
START = 1_704_067_200  # 2024-01-01
NAMES = ("u", "v", "temperature", "pressure")
WIND = {"u": "u", "v": "v"}
DENSE = {"signal": "dense_speed", "temperature": "temperature", "pressure": "pressure"}
SPEED = {"signal": "speed", **WIND}


def weather() -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    columns = [
        rng.normal(0, 6, (COUNT, HORIZON)),
        rng.normal(0, 6, (COUNT, HORIZON)),
        rng.normal(10, 8, (COUNT, HORIZON)),
        rng.normal(1000, 12, (COUNT, HORIZON)),
    ]
    return np.stack(columns, axis=2).astype(np.float32)


def graph_of(derived: dict[str, Any], features: list[dict[str, Any]] | None = None) -> FeatureGraph:
    blocks = features or [{"feature": "known", "names": list(derived)}]
    recipe = Recipe.model_validate({"features": blocks, "derived": derived})
    grid = local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="UTC",
        holidays=None,
        valid_from=START,
        valid_until=START + 366 * 86400,
        known_names=NAMES,
        derived=recipe.derived,
    )
    return FeatureGraph(recipe.features, grid)


def computed(
    derived: dict[str, Any],
    known: NDArray[np.float32],
    features: list[dict[str, Any]] | None = None,
) -> NDArray[np.float32]:
    graph = graph_of(derived, features)
    index = [NAMES.index(name) for name in graph.inputs.known_names]
    count = len(known)
    origins = START + 86400 * np.arange(count, dtype=np.int64)
    nothing = np.zeros((count, 1, 0), np.float32)
    history = np.zeros((count, 1), np.float32)
    return graph.transform(Windows(history, origins, known[:, :, index], nothing))


def direction(wave: str, turns: int) -> dict[str, Any]:
    return {"signal": "direction", "wave": wave, "turns": turns, **WIND}


def test_speed_is_the_length_of_the_wind() -> None:
    known = weather()
    got = computed({"wind": SPEED}, known)
    u, v = known[:, :, 0].astype(float), known[:, :, 1].astype(float)
    np.testing.assert_allclose(got[:, :, 0], np.hypot(u, v), rtol=3e-7)


@pytest.mark.parametrize("turns", [1, 2])
@pytest.mark.parametrize("wave", ["sin", "cos"])
def test_direction_is_an_angle_from_north_clockwise(wave: str, turns: int) -> None:
    known = weather()
    got = computed({"way": direction(wave, turns)}, known)[:, :, 0]
    angle = np.arctan2(known[:, :, 0].astype(float), known[:, :, 1].astype(float))
    oracle = np.sin if wave == "sin" else np.cos
    np.testing.assert_allclose(got, oracle(turns * angle), atol=2e-6)


def test_a_valley_has_one_axis_whatever_the_sense() -> None:
    known = weather()
    against = known.copy()
    against[:, :, :2] *= -1
    for wave in ("sin", "cos"):
        derived = {"axis": direction(wave, 2)}
        np.testing.assert_array_equal(computed(derived, known), computed(derived, against))


@pytest.mark.parametrize("turns", [1, 2])
def test_a_calm_has_no_direction_but_is_finite(turns: int) -> None:
    known = np.zeros_like(weather())
    for wave in ("sin", "cos"):
        assert not computed({"way": direction(wave, turns)}, known).any()


def test_a_dense_speed_carries_as_much_power() -> None:
    known = weather()
    got = computed({"wind": SPEED, "dense": {**DENSE, "speed": "wind"}}, known)
    u, v, celsius, hectopascal = np.moveaxis(known.astype(float), 2, 0)
    speed = np.hypot(u, v)
    density = 100 * hectopascal / (287.05 * (celsius + 273.15))
    np.testing.assert_allclose(got[:, :, 1], speed * np.cbrt(density / 1.225), rtol=1e-6)
    power = 0.5 * density * speed**3
    np.testing.assert_allclose(0.5 * 1.225 * got[:, :, 1].astype(float) ** 3, power, rtol=1e-5)


def test_the_standard_atmosphere_leaves_the_speed() -> None:
    known = np.full((1, HORIZON, 4), 6.0, np.float32)
    known[:, :, 2:] = 15.0, 1013.25
    got = computed({"wind": SPEED, "dense": {**DENSE, "speed": "wind"}}, known)
    np.testing.assert_allclose(got[:, :, 1], got[:, :, 0], rtol=2e-5)


def test_a_signal_is_read_like_a_known_covariate() -> None:
    features: list[dict[str, Any]] = [
        {"feature": "known", "names": ["wind", "temperature"], "after": ["1h"]},
        {"feature": "spline", "of": {"feature": "known", "names": ["wind"]}, "knots": [5]},
    ]
    graph = graph_of({"wind": SPEED}, features)
    assert graph.inputs.known_names == ("u", "v", "temperature")  # the pressure is not read
    assert graph.columns[:2] == ("wind", "temperature")
    known = weather()
    got = computed({"wind": SPEED}, known, features)
    speed = np.hypot(*np.moveaxis(known[:, :, :2].astype(float), 2, 0))
    np.testing.assert_allclose(got[:, :-1, 2], speed[:, 1:], rtol=3e-7)
    np.testing.assert_allclose(got[:, :, 5], np.maximum(speed - 5, 0), atol=3e-6)


@pytest.mark.parametrize(
    ("derived", "said"),
    [
        ({"wind": {**SPEED, "u": "gust"}}, r"known covariate .*u, v, .*'gust'"),
        ({"dense": {**DENSE, "speed": "wind"}}, r"known covariate .*'wind'"),
    ],
)
def test_a_signal_of_what_there_is_not_is_refused(derived: dict[str, Any], said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        _ = graph_of(derived).columns


@pytest.mark.parametrize(
    "signal", [{"signal": "gust"}, direction("tan", 1), direction("sin", 3), {"signal": "speed"}]
)
def test_a_wrong_signal_is_refused(signal: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({"features": [{"feature": "clock"}], "derived": {"x": signal}})
