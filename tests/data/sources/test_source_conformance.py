"""What every source must do; a new one adds its settings to `CASES` and nothing else."""

import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from frugal_ai.data.remote.months import Month
from frugal_ai.data.remote.store import Manifest, Store
from frugal_ai.data.sources import Request, SourceLike, make, names
from frugal_ai.errors import DataError, PipelineError

START = datetime(2024, 2, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """Settings of a source, and what it then has."""

    config: dict[str, Any]
    series: tuple[str, ...]
    covariates: tuple[str, ...]
    static: tuple[str, ...]
    step_s: int
    base: Path


def sample(folder: Path) -> Case:
    return Case(
        config={"name": "sample", "first": "2024-02-01", "last": "2024-04-15"},
        series=("feeder_load", "feeder_pv", "feeder_wind"),
        covariates=("temperature", "irradiance", "cloud_cover", "wind_speed"),
        static=("capacity_mw",),
        step_s=1800,
        base=folder,
    )


def file(folder: Path) -> Case:
    steps = range(24 * 60)
    frames = [
        pl.DataFrame(
            {
                "series_id": name,
                "timestamp": [START + timedelta(hours=i) for i in steps],
                "value": [float(i % 24) + k for i in steps],
                "temp": [float(i % 7) for i in steps],
                "wind": [float(i % 5) for i in steps],
                "capacity": 30.0 + k,
            }
        )
        for k, name in enumerate(("north", "south"))
    ]
    pl.concat(frames).write_parquet(folder / "load.parquet")
    return Case(
        config={"name": "file", "path": "load.parquet"},
        series=("north", "south"),
        covariates=("temp", "wind"),
        static=("capacity",),
        step_s=3600,
        base=folder,
    )


def fetched(folder: Path, frame: pl.DataFrame, asked: dict[str, Any]) -> None:
    """Put a frame into a folder as a fetch does, month by month."""
    store = Store(folder)
    manifest = Manifest(service="test", dataset=folder.name, attribution="none", asked=asked)
    for month in (Month(2024, 2), Month(2024, 3)):
        rows = frame.filter(pl.col("timestamp").is_between(month.start, month.end, closed="left"))
        manifest = store.put(manifest, month, rows, asked_at=START, urls=(), settled=True)


def odre(folder: Path) -> Case:
    steps = range(48 * 60)
    frame = pl.DataFrame(
        {
            "timestamp": [START + timedelta(minutes=30 * i) for i in steps],
            "nature": "Données définitives",
            "consommation": [50_000.0 + i % 48 for i in steps],
            "solaire": [float(i % 48) for i in steps],
            "taux_co2": [30.0 + i % 7 for i in steps],
        }
    )
    fetched(folder / "data" / "eco2mix-national", frame, {"regions": []})
    return Case(
        config={"name": "odre", "path": "data"},
        series=("load", "solar", "co2"),
        covariates=("solar", "co2"),
        static=(),
        step_s=1800,
        base=folder,
    )


def open_meteo(folder: Path) -> Case:
    steps = range(24 * 60)
    places = [
        {"name": "brest", "latitude": 48.39, "longitude": -4.49},
        {"name": "paris", "latitude": 48.86, "longitude": 2.35},
    ]
    frame = pl.concat(
        pl.DataFrame(
            {
                "series_id": place["name"],
                "timestamp": [START + timedelta(hours=i) for i in steps],
                "temperature_2m": [float(i % 24) + k for i in steps],
                "cloud_cover": [float(i % 7) for i in steps],
                "wind_speed_10m": [float(i % 5) for i in steps],
            }
        )
        for k, place in enumerate(places)
    )
    fetched(folder / "data" / "open-meteo-historical-forecast", frame, {"places": places})
    return Case(
        config={"name": "open_meteo", "path": "data", "value": "temperature_2m"},
        series=("brest", "paris"),
        covariates=("cloud_cover", "wind_speed_10m"),
        static=("latitude", "longitude"),
        step_s=3600,
        base=folder,
    )


CASES: dict[str, Callable[[Path], Case]] = {
    "file": file,
    "odre": odre,
    "open_meteo": open_meteo,
    "sample": sample,
}
SOURCES = [name for name, _ in names()]


@pytest.fixture(params=SOURCES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    assert request.param in CASES, f"add settings of the source {request.param} to CASES"
    return CASES[request.param](tmp_path)


@pytest.fixture
def source(case: Case) -> SourceLike:
    return make(case.config)


def wanted(case: Case, **changes: Any) -> Request:
    asked = Request(series=case.series, step_s=case.step_s, tell=print, base=case.base)
    return replace(asked, **changes)


def test_it_delivers_what_is_asked_for_in_that_order(case: Case, source: SourceLike) -> None:
    series, known = case.series[::-1], case.covariates[:1:-1]
    panel = source.load(
        wanted(case, series=series, known=known, past=case.covariates[:1], static=case.static)
    )
    assert panel.series_ids == series
    assert panel.step_s == case.step_s
    assert (panel.known_names, panel.past_names) == (known, case.covariates[:1])
    assert panel.static_names == case.static
    for row, name in zip(panel.values, series, strict=True):
        alone = source.load(wanted(case, series=(name,)))
        observed = ~np.isnan(row)
        assert observed.any()
        np.testing.assert_array_equal(row[: alone.length], alone.values[0])


def test_all_series_are_the_default(case: Case, source: SourceLike) -> None:
    assert source.load(wanted(case, series=())).series_ids == case.series


def test_it_delivers_the_same_every_time(case: Case, source: SourceLike) -> None:
    request = wanted(case, known=case.covariates)
    assert make(case.config).load(request).digest() == source.load(request).digest()


def test_it_delivers_the_same_in_every_role(case: Case, source: SourceLike) -> None:
    known = source.load(wanted(case, known=case.covariates))
    past = source.load(wanted(case, past=case.covariates))
    np.testing.assert_array_equal(known.known[:, : past.length], past.past[:, : known.length])


def test_a_part_of_the_period_is_a_part_of_the_whole(case: Case, source: SourceLike) -> None:
    whole = source.load(wanted(case, known=case.covariates))
    since = whole.start + 10 * 86400
    until = whole.start + 20 * 86400
    part = source.load(wanted(case, known=case.covariates, since=since, until=until))
    assert (part.start, part.end) == (since, until)
    columns = slice(whole.index(since), whole.index(until))
    np.testing.assert_array_equal(part.values, whole.values[:, columns])
    np.testing.assert_array_equal(part.known, whole.known[:, columns])


def test_only_a_simulation_says_that_it_is_one(case: Case, source: SourceLike) -> None:
    assert source.load(wanted(case)).simulated == (source.name == "sample")


@pytest.mark.parametrize(
    "changes",
    [
        {"series": ("nowhere",)},
        {"known": ("nowhere",)},
        {"past": ("nowhere",)},
        {"static": ("nowhere",)},
    ],
)
def test_what_it_does_not_have_is_refused_with_what_there_is(
    case: Case, source: SourceLike, changes: dict[str, Any]
) -> None:
    there = case.series if "series" in changes else case.static
    with pytest.raises(DataError, match=r"no .*'nowhere'; there are") as caught:
        source.load(wanted(case, **changes))
    if there and ("series" in changes or "static" in changes):
        assert there[0] in str(caught.value)


def test_another_step_is_refused(case: Case, source: SourceLike) -> None:
    for step_s in (case.step_s * 2, case.step_s // 2, case.step_s * 3 // 4):
        with pytest.raises(DataError, match="expected"):
            source.load(wanted(case, step_s=step_s))


@pytest.mark.parametrize("changes", [{"since": 4_000_000_000}, {"until": 0}])
def test_a_period_beyond_the_data_is_refused(
    case: Case, source: SourceLike, changes: dict[str, int]
) -> None:
    with pytest.raises(DataError, match=r"no (rows|step)"):
        source.load(wanted(case, **changes))


def test_a_file_in_place_of_one_it_does_not_read_is_refused(case: Case, source: SourceLike) -> None:
    with pytest.raises(PipelineError, match="--data"):
        source.load(wanted(case, replacements={"nothing": case.base / "x.csv"}))


def test_a_key_that_is_not_declared_is_refused(case: Case) -> None:
    with pytest.raises(PipelineError, match=r"source\.colour: expected no such key, got 'red'"):
        make({**case.config, "colour": "red"})


def test_it_opens_no_socket(
    case: Case, source: SourceLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    source.load(wanted(case))


def test_there_is_one_line_about_every_source() -> None:
    assert {"file", "sample"} <= set(SOURCES)
    for name, summary in names():
        assert len(summary) > 20, name
        assert "\n" not in summary


def test_listing_the_sources_imports_none_of_them() -> None:
    code = (
        "import sys; from frugal_ai.data.sources import names; names();"
        "assert not {'polars', 'frugal_ai.data.sources.file', 'holidays'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["nowhere", "_feeder", "", None, ["file"]])
def test_an_unknown_source_is_refused_with_those_there_are(name: Any) -> None:
    with pytest.raises(PipelineError, match=r"source\.name: expected one of file, .*sample, got"):
        make({"name": name})


def test_a_setting_that_is_wrong_is_named() -> None:
    with pytest.raises(PipelineError, match=r"source\.path: Field required"):
        make({"name": "file"})
    with pytest.raises(PipelineError, match=r"source\.seed: .*got 'many'"):
        make({"name": "sample", "seed": "many"})
