import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from frugal_ai.errors import DataError, OutputError
from frugal_ai.report.forecasts import NAME, ForecastTable

START = 1_704_063_600  # 2023-12-31T23:00:00Z


def table(levels: tuple[float, ...] = (0.1, 0.5, 0.9), steps: int = 4) -> ForecastTable:
    rng = np.random.default_rng(0)
    shape = (2, 5, steps)
    actual = rng.normal(size=shape)
    actual[1, 2, 1:3] = np.nan
    forecast = rng.normal(size=shape)
    spread = np.arange(len(levels), dtype=np.float64)
    return ForecastTable(
        series_ids=("north", "a south"),
        origins=START + 86400 * np.arange(5),
        step_s=1800,
        actual=actual,
        forecast=forecast,
        baseline=rng.normal(size=shape),
        levels=levels,
        quantiles=forecast[..., None] + spread,
    )


def same(a: ForecastTable, b: ForecastTable) -> None:
    assert (a.series_ids, a.step_s, a.levels) == (b.series_ids, b.step_s, b.levels)
    for name in ("origins", "actual", "forecast", "baseline", "quantiles"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("levels", [(0.1, 0.5, 0.9), (0.025, 0.975), (0.5,), ()])
def test_a_table_is_read_as_it_was_written(tmp_path: Path, levels: tuple[float, ...]) -> None:
    table(levels).write(tmp_path)
    same(ForecastTable.read(tmp_path), table(levels))
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_the_file_is_in_long_form(tmp_path: Path) -> None:
    table().write(tmp_path)
    frame = pl.read_parquet(tmp_path / NAME)
    assert frame.columns == [
        "series_id", "origin", "lead", "timestamp", "actual", "forecast", "baseline",
        "q0.1", "q0.5", "q0.9",
    ]  # fmt: skip
    assert frame.schema["origin"] == frame.schema["timestamp"] == pl.Datetime("us", "UTC")
    row = frame.row(5 * 4 + 2 * 4 + 3, named=True)
    assert (row["series_id"], row["lead"]) == ("a south", 4)
    assert row["origin"].isoformat() == "2024-01-02T23:00:00+00:00"
    assert row["timestamp"].isoformat() == "2024-01-03T00:30:00+00:00"
    assert row["forecast"] == table().forecast[1, 2, 3]
    assert row["q0.9"] == table().quantiles[1, 2, 3, 2]
    assert frame["actual"].null_count() == 2


def test_rows_may_come_in_any_order_and_with_other_columns(tmp_path: Path) -> None:
    table().write(tmp_path)
    frame = pl.read_parquet(tmp_path / NAME)
    mixed = frame.sort("lead", descending=True).sort("series_id", descending=True)
    mixed.with_columns(pl.lit(1.0).alias("quality")).write_parquet(tmp_path / NAME)
    same(ForecastTable.read(tmp_path), table())


def test_one_lead_time_is_as_long_as_the_way_to_the_next_origin(tmp_path: Path) -> None:
    table(steps=1).write(tmp_path)
    found = ForecastTable.read(tmp_path)
    assert (found.steps, found.step_s) == (1, 86400)


def test_one_series_can_be_cut_out() -> None:
    one = table().of_series(1)
    assert one.series_ids == ("a south",)
    np.testing.assert_array_equal(one.quantiles[0], table().quantiles[1])


Change = Callable[[pl.DataFrame], pl.DataFrame]


def at(row: int, column: str, value: object) -> Change:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        here = pl.int_range(pl.len()) == row
        kind = frame.schema[column]
        new = pl.when(here).then(pl.lit(value, dtype=kind)).otherwise(pl.col(column))
        return frame.with_columns(new.alias(column))

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *(
            (lambda f, n=name: f.drop(n), f"expected a column '{name}'")
            for name in ("series_id", "origin", "lead", "timestamp", "actual", "forecast")
        ),
        (lambda f: f.drop("baseline"), "expected a column 'baseline', got series_id, origin"),
        (lambda f: f.rename({"q0.9": "q1.5"}), "q1.5: expected a level between 0 and 1"),
        (lambda f: f.with_columns(pl.col("lead").cast(pl.String)), "lead: expected Int32, got Str"),
        (lambda f: f.with_columns(pl.col("forecast").cast(pl.Float32)), "forecast: expected Float"),
        (lambda f: f.with_columns(pl.col("origin").dt.replace_time_zone(None)), "origin: expected"),
        (at(3, "forecast", None), "row 4: forecast: expected a value, got none"),
        (at(3, "series_id", None), "row 4: series_id: expected a value, got none"),
        (at(3, "q0.5", float("inf")), "row 4: q0.5: expected a finite number"),
        (at(3, "baseline", float("nan")), "row 4: baseline: expected a finite number"),
        (at(3, "lead", 3), "5 origins and 4 lead times once, 40 rows, got 40 rows that are not"),
        (at(3, "lead", 0), "rows that are not those"),
        (at(3, "lead", 2_000_000_000), "rows that are not those"),
        (at(3, "timestamp", None), "timestamp: expected a value"),
        (lambda f: f.head(39), "got 39 rows that are not those"),
        (lambda f: pl.concat([f, f.head(1)]), "got 41 rows that are not those"),
        (lambda f: f.head(0), "expected rows, got none"),
        (
            lambda f: f.with_columns(timestamp=pl.col("timestamp") + pl.duration(seconds=1)),
            "timestamp: expected the origin and lead - 1 equal steps after it",
        ),
    ],
)
def test_a_table_that_is_none_says_file_and_column(
    tmp_path: Path, change: Change, said: str
) -> None:
    table().write(tmp_path)
    change(pl.read_parquet(tmp_path / NAME)).write_parquet(tmp_path / NAME)
    with pytest.raises(DataError) as caught:
        ForecastTable.read(tmp_path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / NAME))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_is_refused(tmp_path: Path, kept: float) -> None:
    table().write(tmp_path)
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(DataError, match=r"forecasts\.parquet: "):
        ForecastTable.read(tmp_path)


def test_a_folder_without_forecasts_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"forecasts\.parquet: expected the forecasts of a run"):
        ForecastTable.read(tmp_path)


def test_a_table_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table().write(tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(OutputError, match="No space left on device"):
            table(()).write(tmp_path)
    same(ForecastTable.read(tmp_path), table())
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_shapes_that_disagree_are_refused() -> None:
    good = table()
    with pytest.raises(DataError, match=r"quantiles of shape \[2, 5, 4, 2\], got \[2, 5, 4, 3\]"):
        ForecastTable(
            good.series_ids, good.origins, good.step_s, good.actual, good.forecast, good.baseline,
            (0.1, 0.9), good.quantiles,
        )  # fmt: skip
    with pytest.raises(DataError, match=r"actual of shape \[1, 5, 4\]"):
        ForecastTable(
            ("one",), good.origins, good.step_s, good.actual, good.forecast, good.baseline,
            good.levels, good.quantiles,
        )  # fmt: skip
