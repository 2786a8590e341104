"""Files whose covariates have vintages: a row for each forecast, and when it became known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.data.covariates import Reduce, vintages
from frugal_ai.data.frame import panel_from_frame
from frugal_ai.data.panel import Panel
from frugal_ai.data.policy import QualityPolicy
from frugal_ai.data.sources import Request, make
from frugal_ai.data.table import from_frame
from frugal_ai.data.vintages import Vintages, as_known
from frugal_ai.errors import DataError

NAN = np.nan
H, T0 = 3600, 1_704_067_200  # 2024-01-01
EVENING, MIDNIGHT = "2023-12-31T18:00:00Z", "2024-01-01T00:00:00Z"
HEAD = "series_id,timestamp,available_at,value,wind\n"
LOAD = "series_id,timestamp,value\n" + "".join(
    f"a,2024-01-01T{hour:02d}:00:00Z,{hour}\n" for hour in range(4)
)


def run(available_at: str, city: str, level: float, hours: range = range(4)) -> str:
    """One run of a weather model for a city."""
    return "".join(
        f"{city},2024-01-01T{hour:02d}:00:00Z,{available_at},{level + hour},{hour}\n"
        for hour in hours
    )


WEATHER = HEAD + run(EVENING, "paris", 10) + run(EVENING, "lyon", 20) + run(MIDNIGHT, "paris", 30)


def request(base: Path, told: list[str] | None = None, **changes: Any) -> Request:
    tell = (told if told is not None else []).append
    return replace(Request(series=(), step_s=H, tell=tell, base=base), **changes)


Load = Callable[..., Panel]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write two files and read them."""

    def read(
        weather: str = WEATHER, main: str = LOAD, table: dict[str, Any] | None = None, **asked: Any
    ) -> Panel:
        (tmp_path / "load.csv").write_text(main)
        (tmp_path / "weather.csv").write_text(weather)
        columns = {
            "paris": {"column": "value", "series": "paris"},
            "mean": {"column": "value", "reduce": "mean"},
            "wind": {"column": "wind", "series": "paris"},
        }
        entry = {"name": "weather", "path": "weather.csv", "columns": columns, **(table or {})}
        source = make({"name": "file", "path": "load.csv", "covariates": [entry]})
        return source.load(request(tmp_path, **({"known": ("paris",)} | asked)))

    return read


def seen(panel: Panel, name: str, origin: int, times: list[int], series: int = 0) -> list[float]:
    """What an origin sees of a covariate."""
    one = panel.vintages_of(name, series)
    assert one is not None
    found = as_known([one], np.array([T0 + origin]), T0 + np.array([times]))
    return [float(value) for value in found[0, :, 0]]


HOURS = [0, H, 2 * H, 3 * H]
FIRST, SECOND = [10.0, 11.0, 12.0, 13.0], [30.0, 31.0, 32.0, 33.0]


def test_each_origin_sees_its_own_vintage(load: Load) -> None:
    panel = load()
    assert set(panel.vintages) == {"paris"}
    assert seen(panel, "paris", -1, HOURS) == FIRST
    assert seen(panel, "paris", 0, HOURS) == SECOND
    assert np.isnan(seen(panel, "paris", -7 * H, HOURS)).all()
    # the panel's own column is for the range of the covariate: the first vintage of each interval
    np.testing.assert_array_equal(panel.known[0, :, 0], FIRST)


def test_between_two_hours_a_vintage_is_what_it_was_known_to_be(load: Load) -> None:
    half_hours = [0, H // 2, H, 3 * H // 2]
    newer = HEAD + run(EVENING, "paris", 10) + run(MIDNIGHT, "paris", 30, range(1, 4))
    for how, expected in (
        ("linear", [10.0, 20.5, 31.0, 31.5]),
        ("previous", [10.0, 10.0, 31.0, 31.0]),
        ("none", [10.0, NAN, 31.0, NAN]),
    ):
        panel = load(newer, table={"interpolate": how})
        np.testing.assert_array_equal(seen(panel, "paris", 0, half_hours), expected)


def test_the_grid_goes_on_as_far_as_any_vintage(load: Load) -> None:
    long = WEATHER + run(MIDNIGHT, "paris", 30, range(4, 9))
    panel = load(long)
    assert panel.length == 9
    assert np.isnan(panel.values[0, 4:]).all()
    assert seen(panel, "paris", 0, [8 * H]) == [38.0]
    assert load(long, until=T0 + 6 * H).length == 6


def test_series_are_put_together_as_they_were_known(load: Load) -> None:
    panel = load(known=("mean",))
    assert seen(panel, "mean", -1, HOURS) == [15.0, 16.0, 17.0, 18.0]
    # at midnight there is news of Paris alone; of Lyon the evening's stands
    assert seen(panel, "mean", 0, HOURS) == [25.0, 26.0, 27.0, 28.0]


VALUE = st.one_of(st.just(NAN), st.integers(-9, 9).map(float))
ROWS = st.dictionaries(
    st.tuples(st.sampled_from("xyz"), st.integers(0, 3), st.integers(-3, 3)), VALUE, min_size=1
)
_PLAIN: dict[Reduce, Callable[[list[float]], float]] = {
    "mean": lambda found: sum(found) / len(found),
    "min": min,
    "max": max,
    "sum": sum,
}


def reduced_plainly(
    rows: dict[tuple[str, int, int], float], reduce: Reduce, origin: int
) -> list[float]:
    """Take the newest value of each city, as an origin sees it, and put them together."""
    cities = sorted({city for city, _, _ in rows})
    out = []
    for t in range(4):
        newest = [
            [
                value
                for (city, at, since), value in sorted(rows.items())
                if (city, at) == (one, t) and since <= origin and not np.isnan(value)
            ][-1:]
            for one in cities
        ]
        there = [value for each in newest for value in each]
        complete = bool(there) and (reduce != "sum" or all(newest))
        out.append(_PLAIN[reduce](there) if complete else NAN)
    return out


@given(rows=ROWS, reduce=st.sampled_from(list(_PLAIN)), origin=st.integers(-4, 4))
def test_reducing_vintages_is_reducing_what_each_origin_sees(
    rows: dict[tuple[str, int, int], float], reduce: Reduce, origin: int
) -> None:
    names = ["series_id", "timestamp", "available_at", "v"]
    frame = pl.DataFrame([(*key, rows[key]) for key in sorted(rows)], schema=names, orient="row")
    table = from_frame(frame, "f")

    def found() -> tuple[Vintages, ...]:
        return vintages(table, "v", ("a",), series=None, reduce=reduce, how="none", max_gap_s=0)

    if np.isnan(reduced_plainly(rows, reduce, 9)).all():
        with pytest.raises(DataError, match="f: v: no value of"):
            found()
        return
    read = as_known(found(), np.array([origin]), np.arange(4)[None])[0, :, 0]
    np.testing.assert_allclose(read, reduced_plainly(rows, reduce, origin))


def test_covariates_of_one_table_share_what_is_alike(load: Load) -> None:
    panel = load(known=("paris", "wind", "mean"))
    index = {name: panel.vintages[name][0].index for name in panel.vintages}
    assert index["paris"] is index["wind"]
    # Lyon became known with Paris's first vintage, so that the mean has the same rows
    assert index["mean"] is index["paris"]


def test_a_row_without_a_value_says_nothing(load: Load) -> None:
    hole = WEATHER.replace(f"paris,2024-01-01T01:00:00Z,{MIDNIGHT},31,1", "").replace(
        f"paris,2024-01-01T02:00:00Z,{MIDNIGHT},32,2", f"paris,2024-01-01T02:00:00Z,{MIDNIGHT},,2"
    )
    panel = load(hole, known=("paris", "wind"))
    assert seen(panel, "paris", 0, HOURS) == [30.0, 11.0, 12.0, 33.0]
    assert panel.vintages["paris"][0].index is not panel.vintages["wind"][0].index


def test_each_series_has_its_own(load: Load) -> None:
    main = LOAD.replace("a,", "lyon,") + LOAD.partition("\n")[2].replace("a,", "paris,")
    panel = load(main=main, table={"columns": {"temp": {"column": "value"}}}, known=("temp",))
    assert seen(panel, "temp", 0, HOURS, panel.series_ids.index("paris")) == SECOND
    assert seen(panel, "temp", 0, HOURS, panel.series_ids.index("lyon")) == [20.0, 21.0, 22.0, 23.0]


def test_the_order_of_the_rows_does_not_matter_and_needs_no_remark(load: Load) -> None:
    head, *rows = WEATHER.splitlines(keepends=True)
    told: list[str] = []
    for order in (rows[::-1], rows[1::2] + rows[::2]):
        policy = QualityPolicy(unsorted="refuse")
        panel = load(head + "".join(order), tell=told.append, policy=policy)
        assert panel.digest() == load().digest()
    assert told == []


def test_the_name_of_the_column_may_be_another(load: Load) -> None:
    renamed = WEATHER.replace("available_at", "issued")
    panel = load(renamed, table={"available_at_column": "issued"})
    assert panel.digest() == load().digest()
    with pytest.raises(DataError, match=r"weather\.csv: expected a column 'issued', got series_id"):
        load(table={"available_at_column": "issued"})


def test_parquet_and_local_times_give_the_same(load: Load, tmp_path: Path) -> None:
    expected = load().digest()
    stamps = ("timestamp", "available_at")
    pl.read_csv(tmp_path / "weather.csv", try_parse_dates=True).write_parquet(
        tmp_path / "weather.parquet"
    )
    assert load(table={"path": "weather.parquet"}).digest() == expected
    frame = pl.read_parquet(tmp_path / "weather.parquet").with_columns(
        pl.col(*stamps).dt.convert_time_zone("Europe/Paris").dt.replace_time_zone(None)
    )
    frame.write_parquet(tmp_path / "weather.parquet")
    table = {"path": "weather.parquet", "timezone": "Europe/Paris"}
    assert load(table=table).digest() == expected


def test_the_repeated_hour_is_inferred_within_each_vintage(load: Load) -> None:
    """Each run has the hour twice; the same text in another run is no repetition."""
    clock = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    runs = ("2024-10-26 10:00", "2024-10-26 20:00")
    weather = "timestamp,available_at,value\n" + "".join(
        f"{t},{at},{10 * r + i}\n" for r, at in enumerate(runs) for i, t in enumerate(clock)
    )
    main = "series_id,timestamp,value\n" + "".join(
        f"a,2024-10-27T{hour:02d}:00:00Z,{hour}\n" for hour in range(3)
    )
    table = {
        "timezone": "Europe/Paris", "dst": "infer", "columns": {"paris": {"column": "value"}},
    }  # fmt: skip
    panel = load(weather, main, table)
    one = panel.vintages["paris"][0]
    assert np.diff(one.index.instants).tolist() == [H] * 3
    assert one.values.tolist() == [0.0, 10.0, 1.0, 11.0, 2.0, 12.0, 3.0, 13.0]


def test_only_what_the_grid_needs_is_kept(load: Load) -> None:
    """Rows beyond the period, and their neighbours, leave no trace, not even in the digest."""
    policy = QualityPolicy.model_validate({"max_gap": "1h"})
    period = {"since": T0 + H, "until": T0 + 3 * H, "policy": policy}
    far = WEATHER + run(MIDNIGHT, "paris", 1e9, range(6, 9))
    panel = load(far, **period)
    assert panel.digest() == load(**period).digest()
    assert panel.vintages["paris"][0].end() == T0 + 3 * H


def twice(line: int) -> str:
    rows = WEATHER.splitlines(keepends=True)
    return "".join([*rows, rows[line - 1]])


def cell(line: int, column: int, text: str) -> str:
    rows = [row.split(",") for row in WEATHER.splitlines()]
    rows[line - 1][column] = text
    return "\n".join(",".join(row) for row in rows) + "\n"


LOCAL = WEATHER.replace(f"{EVENING},", "2023-12-31 18:00,").replace(
    f"{MIDNIGHT},", "2024-01-01 00:00,"
)
LONG_AGO = HEAD + run(EVENING, "paris", 1).replace("2024-01-01", "2022-01-01")
BAD = {
    "twice": (
        twice(4),
        r"csv line 14: paris: expected one row at 2024-01-01T02:.* available at 2023-12-31T18:0",
    ),
    "missing": (cell(5, 2, ""), r"weather\.csv line 5: available_at: expected a timestamp, got"),
    "unreadable": (
        cell(5, 2, "noon"),
        r"weather\.csv line 5: available_at: expected a time such as .*, got 'noon'",
    ),
    "no zone": (LOCAL, r"weather\.csv line \d+: available_at: .* has no time zone"),
    "a fraction": (cell(5, 2, "2023-12-31T18:00:00.5Z"), r"line 5: available_at: expected a time"),
    "no value": (HEAD + f"paris,{MIDNIGHT},{MIDNIGHT},,1\n", r"weather\.csv: value: no value of p"),
    "elsewhere": (
        LONG_AGO,
        r"known covariate paris: expected values from 2024-01-01T00:00:00Z to .*, got none",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_vintages_are_refused_in_one_line(load: Load, name: str) -> None:
    text, message = BAD[name]
    with pytest.raises(DataError, match=message) as caught:
        load(text)
    assert "\n" not in str(caught.value)


def test_duplicates_follow_the_policy(load: Load) -> None:
    told: list[str] = []
    again = WEATHER + f"paris,2024-01-01T02:00:00Z,{EVENING},14,9\n"
    for how, value in (("first", 12.0), ("mean", 13.0)):
        policy = QualityPolicy.model_validate({"duplicates": how})
        panel = load(again, policy=policy, tell=told.append)
        assert seen(panel, "paris", -1, [2 * H]) == [value]
    assert "1 duplicate rows, the first is taken, the first: paris at 2024-01-01T02" in told[0]


def test_a_past_covariate_has_no_vintages(load: Load) -> None:
    with pytest.raises(DataError, match="past covariate paris: expected a table without available"):
        load(known=(), past=("paris",))


OWN = "series_id,timestamp,available_at,value,temp,flow,size\n" + "".join(
    f"a,2024-01-01T{hour:02d}:00:00Z,{at},{value if first else ''},{level + hour},{hour},7\n"
    for at, level, first in ((EVENING, 10, True), (MIDNIGHT, 30, False))
    for hour, value in ((0, 5), (1, 6), (2, ""))
)
ROLES: dict[str, Any] = {"known": ("temp",), "past": ("flow",), "static": ("size",)}


def test_the_main_file_may_have_vintages_itself(load: Load) -> None:
    panel = load(main=OWN, **ROLES)
    np.testing.assert_array_equal(panel.values, [[5.0, 6.0, NAN]])
    np.testing.assert_array_equal(panel.past[0, :, 0], [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(panel.static, [[7.0]])
    assert seen(panel, "temp", -1, HOURS[:3]) == [10.0, 11.0, 12.0]
    assert seen(panel, "temp", 0, HOURS[:3]) == [30.0, 31.0, 32.0]


def test_a_frame_may_have_vintages_too(load: Load, tmp_path: Path) -> None:
    expected = load(main=OWN, **ROLES).digest()
    frame = pl.read_csv(tmp_path / "load.csv", try_parse_dates=True)
    panel = panel_from_frame(frame, request(tmp_path, **ROLES))
    assert panel.digest() == expected


def test_what_was_observed_is_the_same_in_all_vintages(load: Load) -> None:
    other = OWN.replace(
        f"a,2024-01-01T01:00:00Z,{MIDNIGHT},,", f"a,2024-01-01T01:00:00Z,{MIDNIGHT},9,"
    )
    with pytest.raises(DataError) as caught:
        load(main=other, **ROLES)
    assert str(caught.value).endswith(
        "load.csv line 6: a: expected one value at 2024-01-01T01:00:00Z in all its vintages, got"
        " another, 9"
    )
    with pytest.raises(DataError, match="line 5: a: expected one temp at"):
        load(main=OWN, known=(), past=("temp",))


def test_some_covariates_with_vintages_and_some_without(load: Load, tmp_path: Path) -> None:
    main = "series_id,timestamp,value,size\n" + "".join(
        f"a,2024-01-01T{hour:02d}:00:00Z,{hour},{hour}\n" for hour in range(4)
    )
    panel = load(main=main, known=("size", "paris"))
    assert set(panel.vintages) == {"paris"}
    np.testing.assert_array_equal(panel.known[0, :, 0], [0.0, 1.0, 2.0, 3.0])
