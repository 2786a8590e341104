from datetime import UTC, datetime

import numpy as np
import pytest

from frugal_ai.data.sun import clear_sky_irradiance, cloudy_irradiance, cos_zenith

YEAR = np.arange(
    int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()),
    600,
    dtype=np.int64,
)


def highest(day: datetime, latitude: float, longitude: float) -> float:
    start = int(day.timestamp())
    times = np.arange(start, start + 86400, 60, dtype=np.int64)
    return float(np.degrees(np.arcsin(cos_zenith(times, latitude, longitude).max())))


@pytest.mark.parametrize(
    ("day", "declination"),
    [((2023, 6, 21), 23.44), ((2023, 12, 21), -23.44), ((2023, 3, 20), 0.0), ((2023, 9, 23), 0.0)],
)
def test_noon_height_at_solstices_and_equinoxes(
    day: tuple[int, int, int], declination: float
) -> None:
    """The noon height is 90 degrees - latitude + declination."""
    height = highest(datetime(*day, tzinfo=UTC), 45.75, 4.85)
    assert height == pytest.approx(90 - 45.75 + declination, abs=0.5)


@pytest.mark.parametrize(
    ("day", "minutes"), [((2023, 2, 11), -14.2), ((2023, 11, 3), 16.4), ((2023, 4, 15), 0.0)]
)
def test_solar_noon_follows_the_equation_of_time(day: tuple[int, int, int], minutes: float) -> None:
    start = int(datetime(*day, tzinfo=UTC).timestamp())
    times = np.arange(start, start + 86400, 10, dtype=np.int64)
    noon = (int(times[cos_zenith(times, 45.0, 15.0).argmax()]) - start) / 60
    assert noon == pytest.approx(12 * 60 - 60 - minutes, abs=1.0)


def test_half_of_the_year_is_day() -> None:
    assert np.mean(cos_zenith(YEAR, 45.75, 4.85) > 0) == pytest.approx(0.5, abs=0.01)


def test_irradiance_lies_between_nothing_and_the_solar_constant() -> None:
    clear = clear_sky_irradiance(cos_zenith(YEAR, 45.75, 4.85))
    assert clear.min() == 0.0
    assert 900.0 < clear.max() < 1361.0
    assert np.all(clear[cos_zenith(YEAR, 45.75, 4.85) <= 0] == 0.0)


def test_clouds_take_up_to_three_quarters() -> None:
    cover = np.array([0.0, 0.5, 1.0])
    found = cloudy_irradiance(np.full(3, 800.0), cover)
    assert found[0] == 800.0
    assert found[2] == pytest.approx(200.0)
    assert np.all(np.diff(found) < 0)
