"""The file source on real series; the files are no part of the project."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from frugal_ai.data.quality import Period, QualityPolicy, enforce
from frugal_ai.data.sources import Request, make

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the folder shared/data is not beside the repository"
)
CITIES = ("bayonne", "brest", "lille", "limoges", "lyon", "marseille", "nantes", "paris",
          "strasbourg", "toulouse")  # fmt: skip
MEANS = {
    "temp_mean": "value",
    "wind_mean": "wind_speed_10m",
    "cloud_mean": "cloud_cover",
    "rh_mean": "relative_humidity_2m",
}


def unix(text: str) -> int:
    return int(np.datetime64(text, "s").astype(int))


def test_french_load_with_the_weather_of_ten_cities() -> None:
    columns = {name: {"column": column, "reduce": "mean"} for name, column in MEANS.items()}
    columns |= {f"temp_{city}": {"column": "value", "series": city} for city in CITIES}
    source = make(
        {
            "name": "file",
            "path": "fr_rte_load_halfhourly.parquet",
            "covariates": [
                {
                    "name": "weather",
                    "path": "fr_weather_10cities_hourly.parquet",
                    "columns": columns,
                }
            ],
        }
    )
    told: list[str] = []
    known = tuple(columns)
    panel = source.load(
        Request(series=("FR_load",), step_s=1800, known=known, tell=told.append, base=DATA,
                since=unix("2021-03-24T00:00"))
    )  # fmt: skip
    period = Period(
        start=unix("2021-04-05T22:00"),
        first_origin=unix("2024-05-31T22:00"),
        last_origin=unix("2025-05-29T22:00"),
        end=unix("2025-05-30T22:00"),
        known_start=unix("2021-04-05T22:00"),
    )
    prepared = enforce(panel, QualityPolicy(), period)
    assert told == []
    assert prepared.report.series[0].filled == 8  # two half-hours of each of four autumn changes
    assert prepared.report.series[0].gap_steps == 2

    weather = pl.read_parquet(DATA / "fr_weather_10cities_hourly.parquet")
    at = pl.datetime(2024, 7, 1, 12, time_zone="UTC")
    noon = weather.filter(pl.col("timestamp") == at)
    later = weather.filter(pl.col("timestamp") == at + pl.duration(hours=1))
    i = panel.index(unix("2024-07-01T12:00"))
    for name, column in MEANS.items():
        k = known.index(name)
        now, then = (float(f[column].cast(pl.Float64).mean()) for f in (noon, later))  # type: ignore[arg-type] # numbers
        assert panel.known[0, i, k] == pytest.approx(now)
        assert panel.known[0, i + 1, k] == pytest.approx((now + then) / 2)


def test_ten_wind_farms_with_their_own_weather() -> None:
    source = make({"name": "file", "path": "gefcom2014_wind_10zones_hourly.parquet"})
    zones = tuple(f"zone_{i:02d}" for i in range(1, 11))
    known = ("U10", "V10", "ws100")
    panel = source.load(Request(series=zones, step_s=3600, known=known, tell=print, base=DATA))
    assert panel.values.shape == (10, 16800)
    assert not np.isnan(panel.known).any()
    raw = pl.read_parquet(DATA / "gefcom2014_wind_10zones_hourly.parquet")
    for s, zone in enumerate(zones):
        rows = raw.filter(pl.col("series_id") == zone).sort("timestamp")
        np.testing.assert_array_equal(panel.known[s, :, 2], rows["ws100"].cast(pl.Float64))
        assert np.isnan(panel.values[s]).sum() == rows["value"].null_count() + int(
            rows["value"].is_nan().sum()
        )
