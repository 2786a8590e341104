"""What a target is counted in, where the sun is up, and the clear sky's level, against oracles."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pvlib
import pytest
from numpy.typing import NDArray

from frugal_ai.errors import PipelineError
from frugal_ai.features.blocks.base import Block
from frugal_ai.features.blocks.sun import Place
from frugal_ai.features.blocks.unit import Daylight, Unit
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import Grid, local_grid
from frugal_ai.features.recipe import Recipe

STEP, HORIZON = 1800, 48
START = int(pd.Timestamp("2024-01-01", tz="UTC").timestamp())
ORIGINS = START + 86400 * np.arange(10, 360, 7, dtype=np.int64)
COUNT = len(ORIGINS)
LYON, TROMSO = (45.75, 4.85), (69.65, 18.96)
OF_TARGET: list[dict[str, Any]] = [
    {"feature": "lag", "at": ["1d", "2d"], "minus_mean": "1d"},
    {"feature": "last", "steps": 3},
    {"feature": "rolling", "window": ["1d"], "stats": ["mean", "min", "max", "std"]},
    {"feature": "daily", "days": [2], "stats": ["mean", "min", "max"]},
    {"feature": "clear_sky_level", "window": ["1d"], "places": "static"},
]


def place(at: tuple[float, float]) -> Place:
    return Place(latitude=at[0], longitude=at[1])


def grid(capacity: str | None = "size", scale: float = 1.0, at: Any = LYON) -> Grid:
    made = local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="Europe/Paris",
        holidays=None,
        valid_from=START,
        valid_until=START + 400 * 86400,
        known_names=("temperature", "size"),
        static={"latitude": at[0], "longitude": at[1]} if at else {},
        capacity=capacity,
    )
    return replace(made, scale=scale)


def blocks_of(declared: list[dict[str, Any]]) -> tuple[Block, ...]:
    return Recipe.model_validate({"features": declared}).features


def windows(graph: FeatureGraph, size: NDArray[np.float64] | float = 1.0) -> Windows:
    """Windows of a target that fills some share of a capacity, [B, L+H] or a number."""
    rng = np.random.default_rng(0)
    steps, lookback = max(graph.reach.history, 1), graph.reach.lookback
    share = rng.uniform(0.1, 0.9, (COUNT, 200))[:, -steps:]
    sizes = np.broadcast_to(size, (COUNT, 200 + HORIZON))[:, 200 - lookback :]
    names = graph.inputs.known_names
    assert names in {(), ("size",)}
    known = np.repeat(sizes[:, :, None], len(names), axis=2)
    before = sizes[:, lookback - steps : lookback] if lookback >= steps else 1.0
    return Windows(
        history=(share * before).astype(np.float32),
        origin=ORIGINS,
        known=known.astype(np.float32),
        past=np.zeros((COUNT, steps, 0), np.float32),
    )


def growing() -> NDArray[np.float64]:
    """A capacity that doubles step by step on the way to the origin and beyond."""
    steps = np.arange(200 + HORIZON)
    return np.tile(np.where(steps < 180, 3.0, np.where(steps < 215, 6.0, 12.0)), (COUNT, 1))


def test_the_unit_is_the_capacity_at_the_target() -> None:
    graph = FeatureGraph((Unit(),), grid(scale=2.0))
    assert graph.inputs.known_names == ("size",)
    got = graph.transform(windows(graph, growing()))
    np.testing.assert_array_equal(got[:, :, 0], 2 * growing()[:, 200:])


def test_without_capacity_the_unit_is_the_scale() -> None:
    graph = FeatureGraph((Unit(),), grid(capacity=None, scale=2.5))
    assert graph.inputs.known_names == ()
    assert (graph.transform(windows(graph)) == 2.5).all()


@pytest.mark.parametrize("block", OF_TARGET, ids=lambda block: block["feature"])
def test_capacity_that_changes_with_the_history_leaves_the_features(block: dict[str, Any]) -> None:
    graph = FeatureGraph(blocks_of([block]), grid())
    assert graph.reach.lookback >= graph.reach.history
    plain = graph.transform(windows(graph, 1.0))
    for size in (2.0, growing()):
        np.testing.assert_allclose(
            graph.transform(windows(graph, size)), plain, rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("block", OF_TARGET, ids=lambda block: block["feature"])
def test_features_are_those_of_the_divided_history(block: dict[str, Any]) -> None:
    """A raw graph on a history that was divided beforehand is the oracle."""
    graph = FeatureGraph(blocks_of([block]), grid(scale=4.0))
    raw = FeatureGraph(blocks_of([block]), grid(capacity=None))
    cut = windows(graph, growing())
    steps, lookback = max(graph.reach.history, 1), graph.reach.lookback
    size = cut.known[:, lookback - steps : lookback, 0]
    divided = replace(
        cut,
        history=(cut.history / size / 4).astype(np.float32),
        known=np.zeros((COUNT, HORIZON, 0), np.float32),
    )
    np.testing.assert_allclose(graph.transform(cut), raw.transform(divided), rtol=1e-5, atol=1e-5)


def test_a_covariate_of_the_past_is_not_counted_in_units() -> None:
    block = blocks_of([{"feature": "last", "steps": 2, "of": "flow"}])
    graph = FeatureGraph(block, replace(grid(), past_names=("flow",)))
    cut = windows(graph, 5.0)
    flow = np.arange(COUNT * 2, dtype=np.float32).reshape(COUNT, 2, 1)
    got = graph.transform(replace(cut, past=flow))
    np.testing.assert_array_equal(got[:, 0], flow[:, ::-1, 0])


def irradiance(starts: NDArray[np.int64], at: tuple[float, float]) -> NDArray[np.float64]:
    """Mean clear-sky irradiance of intervals [W/m2], by pvlib at four instants of each."""
    found = []
    for k in range(4):
        seconds = (starts + (k + 0.5) / 4 * STEP).ravel()
        times = pd.to_datetime(seconds, unit="s", utc=True)
        zenith = pvlib.solarposition.get_solarposition(times, *at)["zenith"]
        found.append(pvlib.clearsky.haurwitz(zenith)["ghi"].to_numpy())
    return np.asarray(np.mean(found, axis=0)).reshape(starts.shape)


def up(starts: NDArray[np.int64], at: tuple[float, float], margin: float) -> NDArray[np.bool_]:
    """Where the sun's centre is higher than a margin [degrees] at one of four instants."""
    found = []
    for k in range(4):
        seconds = (starts + (k + 0.5) / 4 * STEP).ravel()
        times = pd.to_datetime(seconds, unit="s", utc=True)
        elevation = pvlib.solarposition.get_solarposition(times, *at)["elevation"]
        found.append(elevation.to_numpy() > margin)
    return np.asarray(np.any(found, axis=0)).reshape(starts.shape)


def targets() -> NDArray[np.int64]:
    return ORIGINS[:, None] + STEP * np.arange(HORIZON)


@pytest.mark.parametrize("at", [LYON, TROMSO], ids=["Lyon", "Tromsø"])
def test_daylight_is_where_pvlib_has_the_sun_up(at: tuple[float, float]) -> None:
    graph = FeatureGraph((Daylight(places=(place(at),)),), grid(capacity=None))
    got = graph.transform(windows(graph))[:, :, 0]
    assert set(np.unique(got)) == {0.0, 1.0}
    surely, perhaps = up(targets(), at, 0.05), up(targets(), at, -0.05)
    assert (got[surely] == 1).all()
    assert (got[~perhaps] == 0).all()
    assert (surely != perhaps).mean() < 0.01


def test_daylight_is_where_the_sun_is_up_at_some_place() -> None:
    sydney = (-33.87, 151.21)
    graphs = (
        FeatureGraph((Daylight(places=tuple(map(place, each))),), grid(capacity=None))
        for each in ((LYON,), (sydney,), (LYON, sydney))
    )
    lyon, there, both = (graph.transform(windows(graph)) for graph in graphs)
    np.testing.assert_array_equal(both, np.maximum(lyon, there))
    assert both.mean() > lyon.mean()


@pytest.mark.parametrize("at", [LYON, TROMSO], ids=["Lyon", "Tromsø"])
def test_the_clear_sky_level_is_pvlibs_clear_sky_times_the_share_of_late(
    at: tuple[float, float],
) -> None:
    block = {"feature": "clear_sky_level", "window": ["1d", "3d"], "places": "static"}
    graph = FeatureGraph(blocks_of([block]), grid(capacity=None, at=at))
    assert graph.columns == ("clear_sky_level_1d", "clear_sky_level_3d")
    assert graph.reach.history == 144
    cut = windows(graph)
    before = irradiance(ORIGINS[:, None] + STEP * np.arange(-144, 0), at)
    power, got = cut.history.astype(np.float64), graph.transform(cut)
    for column, steps in enumerate((48, 144)):
        shine = before[:, -steps:].sum(axis=1)
        index = power[:, -steps:].sum(axis=1) / np.maximum(shine, 1.0)
        sunny = shine > 2000  # a polar dusk is a few watts, where the two differ in percent
        expected = (index[:, None] * irradiance(targets(), at))[sunny]
        np.testing.assert_allclose(got[sunny, :, column], expected, atol=0.02 * expected.max())
    assert np.isfinite(got).all()


def test_a_polar_night_expects_nothing() -> None:
    block = {"feature": "clear_sky_level", "window": ["1d"], "places": "static"}
    graph = FeatureGraph(blocks_of([block]), grid(capacity=None, at=TROMSO))
    got = graph.transform(windows(graph))
    december = ORIGINS > START + 340 * 86400
    assert december.any()
    assert not got[december].any()


def test_places_of_each_series_are_its_static_covariates() -> None:
    declared, static = (
        {"feature": "sun", "places": places}
        for places in ([{"latitude": LYON[0], "longitude": LYON[1]}], "static")
    )
    one = FeatureGraph(blocks_of([declared]), grid(capacity=None, at=None))
    other = FeatureGraph(blocks_of([static]), grid(capacity=None))
    np.testing.assert_array_equal(one.transform(windows(one)), other.transform(windows(other)))


@pytest.mark.parametrize("feature", ["sun", "clear_sky_level"])
def test_static_places_that_are_missing_are_refused(feature: str) -> None:
    window = {"window": ["1d"]} if feature == "clear_sky_level" else {}
    block = {"feature": feature, "places": "static", **window}
    graph = FeatureGraph(blocks_of([block]), grid(at=None))
    with pytest.raises(PipelineError, match=r"static covariate .*none.*'latitude'"):
        _ = graph.columns
    with pytest.raises(PipelineError, match=r"static covariate .*none.*'latitude'"):
        _ = FeatureGraph((Daylight(places="static"),), grid(at=None)).columns


@pytest.mark.parametrize("window", ["12h", "23h"])
def test_a_clear_sky_level_of_less_than_a_day_is_refused(window: str) -> None:
    block = {"feature": "clear_sky_level", "window": [window], "places": "static"}
    with pytest.raises(PipelineError, match=r"clear_sky_level\.window: expected at least 1d"):
        _ = FeatureGraph(blocks_of([block]), grid()).columns
