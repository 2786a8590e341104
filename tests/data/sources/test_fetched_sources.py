"""The sources odre and open_meteo on folders as a fetch leaves them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from frugal_ai.data.panel import Panel
from frugal_ai.data.remote.months import Month
from frugal_ai.data.remote.store import Manifest, Store
from frugal_ai.data.sources import Request, make
from frugal_ai.data.vintages import as_known
from frugal_ai.errors import DataError, PipelineError

MONTH = Month(2024, 2)
START = int(MONTH.start.timestamp())
PLACES = [
    {"name": "brest", "latitude": 48.39, "longitude": -4.49},
    {"name": "paris", "latitude": 48.86, "longitude": 2.35},
]
ODRE = {"name": "odre", "path": "../data"}
WEATHER = {
    "name": "weather",
    "source": "open_meteo",
    "path": "../data",
    "places": "cities.csv",
    "columns": {
        "temp_mean": {"column": "temperature_2m", "reduce": "mean"},
        "temp_paris": {"column": "temperature_2m", "series": "paris"},
    },
}


def put(folder: Path, frame: pl.DataFrame, **asked: Any) -> None:
    manifest = Manifest(service="s", dataset="d", attribution="a", asked=asked)
    Store(folder).put(manifest, MONTH, frame, asked_at=MONTH.end, urls=(), settled=True)


def half_hours(days: int = 28) -> list[datetime]:
    return [MONTH.start + timedelta(minutes=30 * i) for i in range(48 * days)]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Folder of a pipeline, beside one with data."""
    steps = 48 * 28
    national = pl.DataFrame(
        {
            "timestamp": half_hours(),
            "nature": ["Données définitives"] * (steps - 48) + ["Données temps réel"] * 48,
            "consommation": np.arange(steps) + 50_000.0,
            "prevision_j1": np.arange(steps) + 50_100.0,
            "solaire": np.arange(steps) % 48 + 0.0,
            "eolien_offshore": np.full(steps, np.nan),
        }
    )
    between = national.tail(48).with_columns(pl.col("timestamp") + timedelta(minutes=15))
    put(tmp_path / "data" / "eco2mix-national", pl.concat([national, between]).sort("timestamp"))
    regional = pl.concat(
        national.drop("prevision_j1").with_columns(
            pl.lit(code).alias("code_insee_region"), pl.col("consommation") / scale
        )
        for code, scale in (("53", 20), ("93", 10))
    )
    put(tmp_path / "data" / "eco2mix-regional", regional)
    hourly = pl.concat(
        pl.DataFrame(
            {
                "series_id": place["name"],
                "timestamp": half_hours()[::2],
                "temperature_2m": np.arange(24 * 28) + 10.0 * k,
            }
        )
        for k, place in enumerate(PLACES)
    )
    put(
        tmp_path / "data" / "open-meteo-historical-forecast",
        hourly,
        places=PLACES,
        variables=["temperature_2m"],
    )
    vintages = pl.concat(
        hourly.with_columns(
            available_at=pl.col("timestamp") - timedelta(days=lead) + timedelta(hours=6),
            lead_days=pl.lit(lead),
            temperature_2m=pl.col("temperature_2m") + 1000 * lead,
        )
        for lead in (1, 2)
    )
    put(
        tmp_path / "data" / "open-meteo-previous-runs",
        vintages.sort("series_id", "timestamp", "lead_days"),
        places=PLACES,
        variables=["temperature_2m"],
        lead_days=[1, 2],
    )
    (tmp_path / "pipelines").mkdir()
    return tmp_path / "pipelines"


@pytest.fixture
def told() -> list[str]:
    return []


Load = Callable[..., Panel]


@pytest.fixture
def load(base: Path, told: list[str]) -> Load:
    def run(config: dict[str, Any], **asked: Any) -> Panel:
        request = Request(
            **{"series": (), "step_s": 1800, "tell": told.append, "base": base, **asked}
        )
        return make(config).load(request)

    return run


def test_half_hours_of_the_nation(load: Load, base: Path, told: list[str]) -> None:
    panel = load(
        ODRE, series=("solar", "load"), known=("load_forecast_day_ahead",), past=("solar",)
    )
    assert panel.series_ids == ("solar", "load")
    assert (panel.start, panel.length) == (START, 48 * 28)
    np.testing.assert_array_equal(panel.values[1], np.arange(48 * 28) + 50_000.0)
    np.testing.assert_array_equal(panel.known[1, :, 0], panel.values[1] + 100)
    np.testing.assert_array_equal(panel.past[1, :, 0], panel.values[0])
    folder = base.parent / "data" / "eco2mix-national"
    (said,) = told
    assert said.startswith(f"{folder}: 48 half-hours from 2024-02-28T00:00:00Z on are real-time")


def test_series_without_a_value_are_not_there(load: Load) -> None:
    assert load(ODRE).series_ids == ("load", "load_forecast_day_ahead", "solar")
    with pytest.raises(DataError, match="no series 'wind_offshore'; there are load"):
        load(ODRE, series=("wind_offshore",))


def test_series_of_regions(load: Load) -> None:
    config = {**ODRE, "dataset": "eco2mix-regional"}
    panel = load(config, series=("load_bretagne", "load_provence_alpes_cote_d_azur"))
    np.testing.assert_allclose(panel.values[1], 2 * panel.values[0])
    with pytest.raises(DataError, match="no series 'load'; there are load_bretagne"):
        load(config, series=("load",))


def test_weather_of_the_same_folder_beside_it(load: Load) -> None:
    panel = load(
        {**ODRE, "covariates": [WEATHER]}, series=("load",), known=("temp_mean", "temp_paris")
    )
    hours = np.arange(48 * 28) / 2
    inside = slice(0, 48 * 28 - 1)
    np.testing.assert_allclose(panel.known[0, inside, 0], (hours + 5)[inside])
    np.testing.assert_allclose(panel.known[0, inside, 1], (hours + 10)[inside])


def test_weather_beside_a_file(load: Load, base: Path) -> None:
    frame = pl.DataFrame({"timestamp": half_hours(2), "value": 1.0, "series_id": "mine"})
    frame.write_parquet(base / "mine.parquet")
    config = {"name": "file", "path": "mine.parquet", "covariates": [WEATHER]}
    panel = load(config, known=("temp_mean",))
    assert panel.known[0, :3, 0].tolist() == [5.0, 5.5, 6.0]


def test_previous_runs_are_vintages(load: Load) -> None:
    table = {**WEATHER, "dataset": "previous-runs"}
    panel = load({**ODRE, "covariates": [table]}, series=("load",), known=("temp_paris",))
    assert set(panel.vintages) == {"temp_paris"}
    (held,) = panel.vintages["temp_paris"]
    origin = START + 10 * 86400
    targets = origin + 3600 * np.arange(24, dtype=np.int64)
    seen = as_known([held], np.array([origin]), targets[None])[0, :, 0]
    # up to 18 hours ahead the forecast of the day before was out, beyond that only an older one
    leads = (seen - (targets - START) // 3600 - 10) // 1000
    assert leads.tolist() == [1] * 19 + [2] * 5


def test_a_file_or_a_folder_in_place_of_the_fetched_one(load: Load, base: Path) -> None:
    frame = pl.DataFrame({"timestamp": half_hours(2), "value": 7.0, "series_id": "load"})
    frame.write_parquet(base / "mine.parquet")
    mine = load(ODRE, series=("load",), replacements={"": base / "mine.parquet"})
    assert set(mine.values[0]) == {7.0}
    elsewhere = {**ODRE, "path": "nowhere", "covariates": [{**WEATHER, "path": "nowhere"}]}
    data = base.parent / "data"
    panel = load(
        elsewhere, series=("load",), known=("temp_mean",), replacements={"": data, "weather": data}
    )
    assert panel.values[0, 0] == 50_000


def test_what_has_not_been_fetched_is_one_error_with_both_commands(load: Load, base: Path) -> None:
    config = {**ODRE, "path": "../new", "covariates": [{**WEATHER, "path": "../new"}]}
    period = {"since": START, "until": START + 86400 * 20}
    with pytest.raises(DataError) as caught:
        load(config, series=("load",), known=("temp_mean",), **period)
    new, places = base.parent / "new", base / "cities.csv"
    assert str(caught.value) == (
        f"{new}/eco2mix-national: nothing has been fetched yet; type: frugal-ai fetch odre"
        f" --dataset eco2mix-national --from 2024-02-01 --to 2024-02-21 --out {new};"
        f" {new}/open-meteo-historical-forecast: nothing has been fetched yet; type:"
        f" frugal-ai fetch open-meteo --places {places} --variables temperature_2m"
        f" --from 2024-02-01 --to 2024-02-21 --out {new}"
    )
    # a table that is not used is not asked for
    with pytest.raises(DataError) as caught:
        load(config, series=("load",), **period)
    assert "open-meteo" not in str(caught.value)


def test_a_period_that_has_not_been_fetched(load: Load) -> None:
    period = {"since": START, "until": START + 86400 * 70}
    with pytest.raises(DataError, match=r"expected 2024-03 to 2024-04, got months from 2024-02"):
        load(ODRE, series=("load",), **period)


def test_weather_that_has_not_been_fetched(load: Load) -> None:
    columns = {
        "sun": {"column": "shortwave_radiation", "reduce": "mean"},
        "lyon": {"column": "temperature_2m", "series": "lyon"},
    }
    config = {**ODRE, "covariates": [{**WEATHER, "columns": columns}]}
    said = r"expected shortwave_radiation, lyon, got temperature_2m, brest, paris; type: frugal-ai"
    with pytest.raises(DataError, match=said):
        load(config, series=("load",), known=("sun", "lyon"))
    runs = {**WEATHER, "columns": columns, "dataset": "previous-runs", "path": "../new"}
    with pytest.raises(DataError, match=r"--lead-times 1,2 --out"):
        load({**ODRE, "covariates": [runs]}, series=("load",), known=("sun",))


def test_a_file_that_is_cut_is_refused(load: Load, base: Path) -> None:
    path = base.parent / "data" / "eco2mix-national" / "2024-02.parquet"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DataError, match=r"2024-02\.parquet: expected the file as it was fetched"):
        load(ODRE, series=("load",))


def test_weather_as_series(load: Load) -> None:
    config = {"name": "open_meteo", "path": "../data", "value": "temperature_2m"}
    panel = load(config, series=("paris",), step_s=3600, static=("latitude",))
    assert panel.values[0, :2].tolist() == [10.0, 11.0]
    assert panel.static.tolist() == [[48.86]]
    with pytest.raises(DataError, match="expected a column 'cloud_cover', got"):
        load({**config, "value": "cloud_cover"}, step_s=3600)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"source": "nowhere"}, r"source: expected one of file, odre, open_meteo, .*got 'nowhere'"),
        ({"source": "sample"}, r"source: expected a source of covariates, got 'sample'"),
        ({"dataset": "archive"}, r"dataset: Input should be 'historical-forecast' or"),
        ({"colour": "red"}, r"colour: Extra inputs are not permitted, got 'red'"),
    ],
)
def test_a_wrong_table_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(PipelineError, match=rf"source\.covariates\.0: .*{said}"):
        make({**ODRE, "covariates": [{**WEATHER, **table}]})
