"""What a run would do, said without doing it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from frugal_ai.check import Check, check_pipeline
from frugal_ai.errors import CostError, DataError, PipelineError

WriteSmall = Callable[..., Path]

HALF_A_YEAR: dict[str, Any] = {
    "source": {"name": "sample", "first": "2023-01-01", "last": "2023-08-01"},
    "periods": {
        "train": "2023-01-01T00:00:00Z",
        "validation": {"first": "2023-06-01", "last": "2023-06-28"},
        "test": {"first": "2023-07-01", "last": "2023-07-28"},
    },
}


def facts(check: Check) -> dict[str, str]:
    found = dict(check.facts)
    assert len(found) == len(check.facts)
    return found


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_facts_of_the_small_pipeline(write_small: WriteSmall) -> None:
    path = write_small(**HALF_A_YEAR)
    check = check_pipeline(path, {}, lambda _: None)
    assert check.name == "small"
    found = facts(check)
    assert list(found) == [
        "pipeline", "data", "horizon", "series feeder_load", "covariates", "weather",
        "rung persistence", "rung seasonal_naive_1d", "rung basis_ridge", "rung residual_boosting",
        "validation", "test", "carbon",
    ]  # fmt: skip
    assert found["pipeline"] == f"small ({path}): load, 1 series"
    # the period goes from the start of training to the end of the last target
    assert found["data"] == "2023-01-01T00:00:00Z to 2023-07-28T22:00:00Z, simulated"
    assert found["horizon"] == "1d in steps of 30min, H = 48"
    assert found["covariates"] == "known: temperature, wind_speed"
    assert found["weather"] == "perfect weather is assumed: temperature, wind_speed"
    assert found["validation"] == "28 origins, 2023-05-31T22:00:00Z to 2023-06-27T22:00:00Z"
    assert found["test"] == "28 origins, 2023-06-30T22:00:00Z to 2023-07-27T22:00:00Z"
    for expected in ("FRA", "56.039 gCO2e/kWh", "PUE 1", "cpu_time_model"):
        assert expected in found["carbon"]


def test_rungs_are_described_by_what_they_read_and_learn_from(write_small: WriteSmall) -> None:
    found = facts(check_pipeline(write_small(**HALF_A_YEAR), {}, lambda _: None))
    # local midnights from 2 January to 30 June, and as many less as the history is long
    for rung, text in {
        "persistence": "1 features, 1 steps of history, 180 training origins",
        "seasonal_naive_1d": "1 features, 48 steps of history, 179 training origins",
    }.items():
        assert found[f"rung {rung}"] == text
    history = "336 steps of history, 173 training origins"
    # lag 2, rolling 1, known 1, and some of the time of day; the basis adds the day of the week
    for rung in ("basis_ridge", "residual_boosting"):
        features, rest = found[f"rung {rung}"].split(" features, ")
        assert rest == history
        assert int(features) > 4
    path = write_small(**HALF_A_YEAR, rungs=["ridge", "climatology"])
    others = facts(check_pipeline(path, {}, lambda _: None))
    assert others["rung climatology"] == found["rung persistence"]  # a window is never empty
    assert int(others["rung ridge"].split()[0]) < int(found["rung basis_ridge"].split()[0])


def test_what_a_series_is_like(write_small: WriteSmall) -> None:
    found = facts(check_pipeline(write_small(**HALF_A_YEAR), {}, lambda _: None))[
        "series feeder_load"
    ]
    days = 31 + 28 + 31 + 30 + 31 + 30 + 28
    steps = days * 48 - 4  # the last target ends at a local midnight, two hours before UTC's
    assert found.startswith(f"{steps} steps, 0 missing; ")
    low, _, high, _, mean = found.partition("; ")[2].replace(",", "").split()
    assert 0 < float(low) < float(mean) < float(high) < math.inf


def with_holes(folder: Path) -> dict[str, Any]:
    """A file of one hourly series in which 5 rows and 3 values are missing."""
    hours = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 2, 29), "1h", eager=True, closed="left"
    )
    frame = pl.DataFrame(
        {
            "series_id": "a",
            "timestamp": hours.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "value": [10.0 + math.sin(hour) for hour in range(len(hours))],
        }
    ).with_row_index("hour")
    gone = pl.col("hour").is_between(300, 302)
    frame = frame.with_columns(value=pl.when(gone).then(None).otherwise(pl.col("value")))
    frame.filter(~pl.col("hour").is_between(400, 404)).drop("hour").write_csv(folder / "a.csv")
    return {
        "source": {"name": "file", "path": "a.csv"},
        "series": ["a"],
        "step": "1h",
        "timezone": "UTC",
        "covariates": {},
        "recipe": {"features": [{"feature": "lag", "at": ["1d"]}]},
        "rungs": ["persistence"],
        "periods": {
            "train": "2024-01-01T00:00:00Z",
            "validation": {"first": "2024-02-01", "last": "2024-02-10"},
            "test": {"first": "2024-02-12", "last": "2024-02-20"},
        },
    }


def test_missing_values_and_gaps_are_said(write_small: WriteSmall, tmp_path: Path) -> None:
    said: list[str] = []
    found = facts(check_pipeline(write_small(**with_holes(tmp_path)), {}, said.append))
    assert found["series a"].startswith(f"{51 * 24} steps, 8 missing; 9 to 11, mean 10")
    assert found["data"] == "2024-01-01T00:00:00Z to 2024-02-21T00:00:00Z, as delivered"
    assert found["covariates"] == "none"
    assert "weather" not in found
    assert "a: longest gap 5 steps (5h) from 2024-01-17T16:00:00Z" in said
    assert any("8 missing values filled" in sentence for sentence in said)


def test_every_role_of_covariates_and_every_series_is_listed(write_small: WriteSmall) -> None:
    series = ["feeder_load", "feeder_wind"]
    roles = {
        "known": ["temperature"],
        "past": ["cloud_cover", "wind_speed"],
        "static": ["capacity_mw"],
        "assume": "perfect",
    }
    path = write_small(series=series, covariates=roles)
    found = facts(check_pipeline(path, {}, lambda _: None))
    assert found["covariates"] == (
        "known: temperature; past: cloud_cover, wind_speed; static: capacity_mw"
    )
    assert found["pipeline"].endswith("load, 2 series")
    assert {f"series {name}" for name in series} <= set(found)
    assert found["series feeder_load"] != found["series feeder_wind"]


def test_nothing_is_written_and_nothing_is_trained(
    write_small: WriteSmall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_small(**with_holes(tmp_path))
    before = content(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("a rung was trained")

    monkeypatch.setattr("frugal_ai.ladder.persistence.Persistence.fit", refuse)
    check_pipeline(path, {}, lambda _: None)
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"series": ["feeder_gas"]}, DataError, r"no series 'feeder_gas'"),
        ({"cost": {"country": "XXX"}}, CostError, r"country: expected an ISO 3166"),
        ({"covariates": {}}, PipelineError, r"expected a known covariate.*got 'temperature'"),
        (
            {"covariates": {"known": ["temperature", "wind_speed"]}},
            PipelineError,
            r"nothing says when temperature, wind_speed became known; .* write assume: perfect",
        ),
        (
            {"recipe": {"features": [{"feature": "sun", "places": "static"}]}},
            PipelineError,
            r"recipe: expected a static covariate of the pipeline .*, got 'latitude'",
        ),
        ({"kind": "gas"}, PipelineError, r"small\.yaml: kind: "),
        (
            HALF_A_YEAR | {"source": HALF_A_YEAR["source"] | {"last": "2023-07-01"}},
            DataError,
            r"feeder_load: expected data around every origin",
        ),
    ],
)
def test_what_a_run_would_refuse_is_refused(
    write_small: WriteSmall, changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        check_pipeline(write_small(**changes), {}, lambda _: None)


def test_files_given_on_the_command_line_are_read(write_small: WriteSmall, tmp_path: Path) -> None:
    changes = with_holes(tmp_path)
    other = tmp_path / "other.csv"
    other.write_text((tmp_path / "a.csv").read_text().replace(",10.0\n", ",99.0\n", 1))
    found = facts(check_pipeline(write_small(**changes), {"data": other}, lambda _: None))
    assert " to 99, " in found["series a"]
