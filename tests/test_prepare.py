"""From files of a user to the backtest: what is refused, what is filled, what is never read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from frugal_ai.data.panel import FloatArray
from frugal_ai.errors import DataError, PipelineError
from frugal_ai.features.blocks.base import Reach
from frugal_ai.pipeline import Pipeline, read_pipeline
from frugal_ai.prepare import Prepared, prepare, reach

DAY_S, HOUR_S = 86400, 3600
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
T0 = int(FIRST.timestamp())
DAYS = 60
TRAIN, VALIDATION, TEST, END = (T0 + day * DAY_S for day in (1, 40, 48, 55))
SETTINGS: dict[str, Any] = {
    "name": "filed",
    "kind": "load",
    "unit": "MW",
    "source": {"name": "file", "path": "load.csv"},
    "series": ["a"],
    "step": "1h",
    "horizon": "1d",
    "timezone": "UTC",
    "covariates": {"known": ["temp"], "past": ["flow"], "assume": "perfect"},
    "recipe": {
        "features": [
            {"feature": "lag", "at": ["1d", "7d"]},
            {"feature": "known", "names": ["temp"], "before": ["1d"]},
            {"feature": "rolling", "window": ["1d"], "of": "flow"},
        ]
    },
    "rungs": ["persistence", "seasonal_naive", "ridge"],
    "quantiles": [0.2, 0.5, 0.8],
    "periods": {
        "train": "2024-01-02T00:00:00Z",
        "validation": {"first": "2024-02-10", "last": "2024-02-16"},
        "test": {"first": "2024-02-18", "last": "2024-02-24"},
    },
    "cost": {"country": "FRA"},
}
BARE: dict[str, Any] = {
    "covariates": {},
    "recipe": {"features": [{"feature": "lag", "at": ["1d", "7d"]}]},
}

EVERYTHING = Reach(168, 24, frozenset({"temp"}), frozenset({"flow"}))
Edit = Callable[[pl.DataFrame], pl.DataFrame]


def periods(**changes: Any) -> dict[str, Any]:
    """Periods of which some are changed."""
    declared = SETTINGS["periods"]
    return {"periods": declared | {k: declared[k] | v for k, v in changes.items()}}


def rows(series_id: str = "a", seed: int = 0) -> pl.DataFrame:
    """Hourly rows of one series, column ``hour`` counts from the first."""
    rng = np.random.default_rng(seed)
    hour = np.arange(DAYS * 24)
    times = [(FIRST + timedelta(hours=int(h))).strftime("%Y-%m-%dT%H:%M:%SZ") for h in hour]
    return pl.DataFrame(
        {
            "series_id": [series_id] * len(hour),
            "timestamp": times,
            "value": 50 + 10 * np.sin(2 * np.pi * hour / 24) + rng.normal(size=len(hour)),
            "temp": 8 + 3 * np.cos(hour / 30),
            "flow": 20 + rng.normal(size=len(hour)),
            "hour": hour,
        }
    )


def column(t: int) -> int:
    """Row of an instant."""
    return (t - T0) // HOUR_S


def put(name: str, hours: range | int, value: Any) -> Edit:
    """Write a value into a column; text makes it a column of text, as in a file."""
    wanted = [hours] if isinstance(hours, int) else list(hours)
    here = pl.col("hour").is_in(wanted)

    def edit(frame: pl.DataFrame) -> pl.DataFrame:
        old = pl.col(name).cast(pl.String) if isinstance(value, str) else pl.col(name)
        return frame.with_columns(pl.when(here).then(pl.lit(value)).otherwise(old).alias(name))

    return edit


def hole(name: str, first: int, hours: int) -> Edit:
    return put(name, range(first, first + hours), None)


def without(hours: range) -> Edit:
    return lambda frame: frame.filter(~pl.col("hour").is_in(list(hours)))


def repeated(hour: int) -> Edit:
    return lambda frame: pl.concat([frame[: hour + 1], frame[hour:]])


def naive(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("timestamp").str.strip_suffix("Z"))


def same(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


@dataclass
class Workshop:
    """Writes a pipeline with its file, and prepares it."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def declare(self, **changes: Any) -> Pipeline:
        path = self.folder / "filed.yaml"
        path.write_text(yaml.safe_dump(SETTINGS | changes))
        return read_pipeline(path)

    def prepare(self, frame: pl.DataFrame | None = None, **changes: Any) -> Prepared:
        if frame is not None:
            frame.drop("hour").write_csv(self.folder / "load.csv")
        return prepare(self.declare(**changes), self.folder, {}, self.said.append)


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_good_data_become_periods_windows_and_targets(shop: Workshop) -> None:
    frame = rows()
    prepared = shop.prepare(frame)
    panel, series = prepared.panel, prepared.series[0]
    assert (panel.series_ids, panel.start, panel.end) == (("a",), TRAIN, END)
    assert not panel.simulated
    assert prepared.split.validation.tolist() == [VALIDATION + d * DAY_S for d in range(7)]
    assert prepared.split.test.tolist() == [TEST + d * DAY_S for d in range(7)]
    inside = slice(column(TRAIN), column(END))
    for got, name in ((panel.values[0], "value"), (panel.known[0, :, 0], "temp")):
        np.testing.assert_array_equal(got, frame[name].to_numpy()[inside])
    np.testing.assert_array_equal(series.filled, panel.values[0])
    values = frame["value"].to_numpy()
    for k, origin in enumerate(prepared.split.test):
        at = column(int(origin))
        targets = series.targets(prepared.split.test)[k]
        np.testing.assert_array_equal(targets, values[at : at + 24])
        window = series.windows(prepared.split.test, Reach(history=168)).history[k]
        np.testing.assert_array_equal(window, values[at - 168 : at].astype(np.float32))


def test_what_the_rungs_read_is_taken_together(shop: Workshop) -> None:
    prepared = shop.prepare(rows())
    found = reach(shop.declare(), prepared.grids[0])
    assert found == EVERYTHING
    naive_alone = reach(shop.declare(rungs=["persistence"]), prepared.grids[0])
    assert naive_alone == Reach(history=1)


def test_a_gap_of_the_longest_allowed_length_is_filled_and_that_is_told(shop: Workshop) -> None:
    prepared = shop.prepare(hole("value", 400, 6)(rows()))
    assert prepared.quality.series[0].filled == 6
    assert shop.said == prepared.quality.lines()
    assert "a: longest gap 6 steps (6h) from 2024-01-17T16:00:00Z" in shop.said
    assert any("a: 6 missing values filled in the history" in line for line in shop.said)


def at(line: int, name: str, given: str, what: str = "a finite number") -> str:
    return rf"load\.csv line {line}: {name}: expected {what}.*, got '{given}'"


Case = tuple[Edit, dict[str, Any], str]
EARLY = {"periods": SETTINGS["periods"] | {"train": "2023-12-25T00:00:00Z"}}
SHORT = {"periods": SETTINGS["periods"] | {"train": "2024-02-04T00:00:00Z"}, "rungs": ["ridge"]}
BETWEEN = periods(validation={"at": ["00:30"]}, test={"at": ["00:30"]})
BAD_PERIODS: list[Case] = [
    (same, EARLY, r"expected them from 2023-12-25T00:00:00Z to .*, got 2024-01-01T00:00:00Z to"),
    (same, SHORT, r"a: expected 168 steps of history before 2024-02-10T00:00:00Z, got 144"),
    (without(range(43 * 24)), BARE, r"from 2024-02-10.*, got data from 2024-02-13T00:00:00Z to"),
    (
        same,
        periods(test={"last": "2024-03-24"}),
        r"to 2024-03-24T00.*got data .* to 2024-02-29T23:00:00Z",
    ),
    (
        without(range(1440 - 3, 1440)),
        BARE | periods(test={"last": "2024-02-29"}),
        r"targets lie inside the data .* to 2024-02-29T21:00:00Z\), got 2024-02-29T00:00:00Z",
    ),
    (same, BARE | EARLY, r"expected values from 2023-12-25.*, got the first at 2024-01-01T00"),
    (same, BETWEEN, r"origins on the grid of 3600 s, got 2024-01-03T00:30:00Z"),
]
SMALL_GAPS = {"quality": {"max_gap": "2h", "fill": "previous"}}
TARGET, LAST_TARGET = column(TEST) + 5, column(END) - 1
HOLES: list[Case] = [
    (hole("temp", TARGET, 7), {}, r"covariate temp of a is missing at 2024-02-18T05:00:00Z"),
    (
        hole("temp", LAST_TARGET, 1),
        {},
        r"covariate temp of a ends before the horizon: known until 2024-02-24T22:00:00Z, needed",
    ),
    (hole("value", 1000, 7), {}, r"^a: gap of 7 steps \(7h\) from 2024-02-11T16:00:00Z;.* 6h$"),
    (without(range(1000, 1007)), BARE, r"a: gap of 7 steps \(7h\) from 2024-02-11T16:00:00Z;"),
    (hole("value", 1000, 3), SMALL_GAPS, r"a: gap of 3 .* fill: previous, max_gap: 2h$"),
    (hole("flow", 500, 7), {}, r"past covariate flow of a: gap of 7 .* from 2024-01-21T20:00:00Z"),
    (hole("value", 0, 1440), {}, r"load\.csv: a: expected values, all are missing"),
    (hole("value", 0, 960), {}, r"a: expected data around every origin from 2024-02-10T00:00:00Z"),
    (hole("value", 1152, 288), {}, r"a: expected data around .* to 2024-02-17T23:00:00Z"),
]
BAD_CELLS: list[Case] = [
    (put("value", range(1440), 3.0), {}, r"a: expected values that vary from .*, got 3 throughout"),
    (naive, {}, r"load\.csv line 2: timestamp: 2024-01-01 00:00:00 has no time zone"),
    (repeated(600), {}, r"load\.csv line 603: a: expected one row at 2024-01-26T00:00:00Z, got"),
    (put("value", 700, "much"), {}, at(702, "value", "much")),
    (put("temp", 700, "-"), {}, at(702, "temp", "-")),
    (put("value", 700, "inf"), {}, at(702, "value", "inf")),
    (put("flow", 700, "1e999"), {}, at(702, "flow", "1e999")),
    (put("timestamp", 700, "yesterday"), {}, at(702, "timestamp", "yesterday", "a time")),
    (same, {"series": ["b"]}, r"load\.csv: no series 'b'; there are a"),
    (lambda frame: frame.drop("temp"), {}, r"load\.csv: no covariate 'temp'; there are flow"),
    (same, {"step": "30min"}, r"a: expected one row every 30min, got .* step there is 1h"),
]


@pytest.mark.parametrize(("edit", "changes", "said"), BAD_PERIODS + HOLES + BAD_CELLS)
def test_bad_data_are_refused_in_one_line_that_says_where(
    shop: Workshop, edit: Edit, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        shop.prepare(edit(rows()), **changes)
    assert "\n" not in str(caught.value)


def test_what_is_no_table_is_refused(shop: Workshop) -> None:
    (shop.folder / "load.parquet").write_bytes(b"PAR1" * 20)
    with pytest.raises(DataError, match=r"load\.parquet: expected a Parquet file") as caught:
        shop.prepare(source={"name": "file", "path": "load.parquet"})
    assert "\n" not in str(caught.value)


def test_the_declared_policy_holds_for_rows_too(shop: Workshop) -> None:
    twice = repeated(600)(rows())
    prepared = shop.prepare(twice, quality={"duplicates": "first"})
    assert prepared.panel.digest() == shop.prepare(rows()).panel.digest()


def test_another_file_may_take_the_place_of_the_declared_one(shop: Workshop) -> None:
    expected = shop.prepare(rows(seed=1)).panel.digest()
    (shop.folder / "load.csv").replace(shop.folder / "other.csv")
    given = {"data": shop.folder / "other.csv"}
    prepared = prepare(shop.declare(), shop.folder, given, shop.said.append)
    assert prepared.panel.digest() == expected


def test_a_covariate_that_is_not_declared_is_refused_before_anything_is_trained(
    shop: Workshop,
) -> None:
    with pytest.raises(PipelineError, match=r"expected a known covariate .*\(none\), got 'temp'"):
        shop.prepare(rows(), covariates={"past": ["flow"]})


def test_one_bad_series_among_good_ones_is_named(shop: Workshop) -> None:
    good, bad = rows(), hole("value", 1000, 7)(rows("b", seed=1))
    with pytest.raises(DataError, match=r"^b: gap of 7 steps"):
        shop.prepare(pl.concat([good, bad]), series=["a", "b"])
    prepared = shop.prepare(pl.concat([good, bad]), series=["a"])  # the bad one is not asked for
    assert prepared.panel.series_ids == ("a",)


def views(prepared: Prepared) -> list[FloatArray]:
    """Everything that a rung or a score can see of the first series."""
    one = prepared.series[0]
    origins = np.concatenate([prepared.split.validation, prepared.split.test])
    cut = one.windows(origins, EVERYTHING)
    seen = [cut.history, cut.known, cut.past, one.targets(origins), one.filled]
    return [np.asarray(array, np.float64) for array in seen]


@pytest.mark.parametrize(
    "outside", [range(column(TRAIN)), range(column(END), DAYS * 24)], ids=["before", "after"]
)
@pytest.mark.parametrize("poison", [1e6, -1e6, 0.0, None])
def test_what_lies_outside_the_periods_is_never_read(
    shop: Workshop, outside: range, poison: float | None
) -> None:
    frame = hole("value", 1240, 4)(rows())  # something to fill, too
    clean = shop.prepare(frame)
    told, shop.said = shop.said, []
    for name in ("value", "temp", "flow"):
        frame = put(name, outside, poison)(frame)
    spoiled = shop.prepare(frame)
    assert spoiled.panel.digest() == clean.panel.digest()
    assert shop.said == told
    assert spoiled.quality == clean.quality
    for got, expected in zip(views(spoiled), views(clean), strict=True):
        np.testing.assert_array_equal(got, expected)
    # the poison is one: inside the periods it does show
    seen = put("value", column(TRAIN) + 30, poison)(frame)
    assert shop.prepare(seen).panel.digest() != clean.panel.digest()


def test_rows_outside_the_periods_need_not_be_there(shop: Workshop) -> None:
    full = shop.prepare(rows())
    cut = rows().filter(pl.col("hour").is_between(column(TRAIN), column(END) - 1))
    assert shop.prepare(cut).panel.digest() == full.panel.digest()
    # nor in order, nor only once
    twice = pl.concat([rows(), rows()[:20]])
    assert shop.prepare(twice).panel.digest() == full.panel.digest()


def test_filled_history_is_never_a_target(shop: Workshop) -> None:
    holes = (500, column(VALIDATION) + 30, column(TEST) + 30)
    frame = rows()
    for hour in holes:
        frame = hole("value", hour, 4)(frame)
    prepared = shop.prepare(frame)
    one = prepared.series[0]
    assert np.isfinite(one.filled).all()
    for hour in holes:
        day = np.array([T0 + hour // 24 * DAY_S])
        targets = one.targets(day)[0]
        assert np.flatnonzero(np.isnan(targets)).tolist() == [hour % 24 + k for k in range(4)]
        # but a model whose window holds the gap sees what stands in
        later = one.windows(day + DAY_S, Reach(history=24)).history[0]
        assert np.isfinite(later).all()
    assert np.isnan(prepared.panel.values).sum() == 12


# hours without a value, relative to the first validation origin: after it, and across it
LATE_GAPS = [range(30, 34), range(8 * 24 + 20, 8 * 24 + 26), range(3), range(-3, 3)]


@pytest.mark.parametrize("gap", LATE_GAPS, ids=["after", "across an origin", "at", "across"])
@pytest.mark.parametrize("name", ["value", "flow"])
def test_from_the_first_origin_on_no_filled_value_knows_what_came_after_it(
    shop: Workshop, name: str, gap: range
) -> None:
    first = column(VALIDATION) + gap.start
    after = column(VALIDATION) + gap.stop
    frame = hole(name, first, len(gap))(rows())
    clean = shop.prepare(frame)
    spoiled = shop.prepare(put(name, range(after, after + 5), 1e4)(frame))
    index = after - column(TRAIN)

    def seen(prepared: Prepared) -> FloatArray:
        return prepared.series[0].filled if name == "value" else prepared.panel.past[0, :, 0]

    np.testing.assert_array_equal(seen(spoiled)[:index], seen(clean)[:index])
    assert seen(spoiled)[index] == 1e4
    filled = seen(clean)[index - len(gap) : index]
    np.testing.assert_array_equal(filled, [rows()[name][first - 1]] * len(gap))
    origins = np.concatenate([clean.split.validation, clean.split.test])
    origins = origins[origins <= T0 + after * HOUR_S]
    cuts = [one.series[0].windows(origins, EVERYTHING) for one in (clean, spoiled)]
    np.testing.assert_array_equal(cuts[0].history, cuts[1].history)
    np.testing.assert_array_equal(cuts[0].past, cuts[1].past)


def test_before_the_first_origin_gaps_are_bridged_as_declared(shop: Workshop) -> None:
    frame = hole("value", 400, 3)(rows())
    values = frame["value"].to_numpy()
    at = slice(400 - column(TRAIN), 403 - column(TRAIN))
    line = shop.prepare(frame).series[0].filled[at]
    expected = np.interp([400, 401, 402], [399, 403], values[[399, 403]])
    np.testing.assert_allclose(line, expected, rtol=1e-12)
    flat = shop.prepare(frame, quality={"fill": "previous"}).series[0].filled[at]
    np.testing.assert_array_equal(flat, [values[399]] * 3)


def test_series_keep_the_order_of_the_pipeline_each_with_its_own(shop: Workshop) -> None:
    own = {"a": rows("a"), "b": rows("b", seed=1)}
    sizes = pl.when(pl.col("series_id") == "a").then(5.0).otherwise(7.0)
    prepared = shop.prepare(
        pl.concat(own.values()).with_columns(capacity=sizes),
        series=["b", "a"],
        covariates=SETTINGS["covariates"] | {"static": ["capacity"]},
    )
    assert [series.name for series in prepared.series] == ["b", "a"]
    assert [grid.static["capacity"] for grid in prepared.grids] == [7.0, 5.0]
    for series in prepared.series:
        expected = own[series.name]["value"].to_numpy()[column(TRAIN) : column(END)]
        np.testing.assert_array_equal(series.filled, expected)
