"""The sun in the feature graph against pvlib."""

from typing import Any

import numpy as np
import pandas as pd
import pvlib
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from frugal_ai.features.columns import sun as almanac
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import local_grid
from frugal_ai.features.recipe import Recipe

STEP, HORIZON = 1800, 48
START = int(pd.Timestamp("2024-01-01", tz="UTC").timestamp())
ORIGINS = START + 5 * 86400 * np.arange(146, dtype=np.int64)  # two years
PLACES = {
    "Lyon": (45.75, 4.85),
    "Sydney": (-33.87, 151.21),
    "Tromsø": (69.65, 18.96),
    "Quito": (-0.18, -78.47),
}


def computed(samples: int, *places: tuple[float, float]) -> NDArray[np.float32]:
    block = {
        "feature": "sun",
        "places": [{"latitude": north, "longitude": east} for north, east in places],
        "samples": samples,
    }
    grid = local_grid(
        step_s=STEP,
        horizon=HORIZON,
        timezone="UTC",
        holidays=None,
        valid_from=START,
        valid_until=START + 3 * 366 * 86400,
    )
    graph = FeatureGraph(Recipe.model_validate({"features": [block]}).features, grid)
    assert graph.columns == ("sun_height", "clear_sky")
    count = len(ORIGINS)
    nothing = np.zeros((count, 1, 0), np.float32)
    return graph.transform(Windows(np.zeros((count, 1), np.float32), ORIGINS, nothing, nothing))


def zenith(seconds: float, place: tuple[float, float]) -> Any:
    instants = (ORIGINS[:, None] + STEP * np.arange(HORIZON) + seconds).ravel()
    times = pd.to_datetime(instants, unit="s", utc=True)
    return pvlib.solarposition.get_solarposition(times, *place)["zenith"]


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_height_and_clear_sky_agree_with_pvlib(place: tuple[float, float]) -> None:
    got = computed(1, place)
    angle = zenith(STEP / 2, place)
    height = np.maximum(np.cos(np.radians(angle.to_numpy())), 0)
    np.testing.assert_allclose(got[:, :, 0].ravel(), height, atol=2e-4)
    clear = pvlib.clearsky.haurwitz(angle)["ghi"].to_numpy()
    np.testing.assert_allclose(got[:, :, 1].ravel(), clear, atol=2.5)  # of 1000 W/m2


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_six_numbers_a_day_are_the_almanacs_sun(place: tuple[float, float]) -> None:
    north, east = np.radians(place)
    middle = START + 86400 * np.arange(-12_000, 9_000, 97.3)[:, None]  # 1991 to 2048
    late = np.arange(-43200, 43201, 1800.0)
    (rate, phase), weights = almanac.sun()
    numbers = np.sin(middle * rate + phase) @ weights.T  # [days, 6]
    (turn, start), turning = almanac.zenith()
    angle = late[:, None] * turn + start + turning * east
    got = numbers @ (np.sin(angle) * np.where(turning, np.cos(north), np.sin(north))).T

    days = (middle + late - 946_728_000) / 86400
    anomaly = np.radians(357.528 + 0.9856003 * days)
    centre = 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly)
    ecliptic, tilt = np.radians(280.460 + 0.9856474 * days + centre), np.radians(23.437)
    sidereal = np.radians(280.46062 + 360.98564736629 * days) + east
    across = np.cos(tilt) * np.sin(ecliptic)
    equator = np.cos(ecliptic) * np.cos(sidereal) + across * np.sin(sidereal)
    along = np.sin(tilt) * np.sin(ecliptic)
    expected = equator * np.cos(north) + along * np.sin(north)
    np.testing.assert_allclose(got, expected, atol=3e-5)


def test_an_interval_is_the_mean_over_its_instants() -> None:
    place = PLACES["Lyon"]
    clear = [
        pvlib.clearsky.haurwitz(zenith((k + 0.5) / 3 * STEP, place))["ghi"].to_numpy()
        for k in range(3)
    ]
    np.testing.assert_allclose(
        computed(3, place)[:, :, 1].ravel(), np.mean(clear, axis=0), atol=2.5
    )


def test_places_are_averaged() -> None:
    lyon, quito = PLACES["Lyon"], PLACES["Quito"]
    both = computed(2, lyon, quito)
    np.testing.assert_allclose(both, (computed(2, lyon) + computed(2, quito)) / 2, atol=1e-3)


def test_night_is_exactly_zero() -> None:
    place = PLACES["Lyon"]
    got = computed(1, place)
    night = zenith(STEP / 2, place).to_numpy().reshape(got.shape[:2]) > 90.1
    assert night.mean() > 0.4
    assert not got[night].any()
    assert (got >= 0).all()


@pytest.mark.parametrize("place", [{"latitude": 91, "longitude": 0}, {"latitude": 45}])
def test_a_place_off_the_earth_is_refused(place: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({"features": [{"feature": "sun", "places": [place]}]})
