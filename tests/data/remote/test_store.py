from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from frugal_ai.data.remote.months import Month
from frugal_ai.data.remote.store import MANIFEST, Entry, Manifest, Store, checksum, is_fresh
from frugal_ai.errors import DataError, OutputError

ASKED_AT = datetime(2024, 6, 1, tzinfo=UTC)


def filled(folder: Path, *months: Month) -> Store:
    store = Store(folder, "frugal-ai fetch something")
    manifest = Manifest(service="s", dataset="d", attribution="a", asked={"what": "all"})
    for month in months:
        hours = int((month.end - month.start) / timedelta(hours=1))
        frame = pl.DataFrame(
            {"timestamp": [month.start + timedelta(hours=i) for i in range(hours)]}
        )
        manifest = store.put(manifest, month, frame, asked_at=ASKED_AT, urls=(), settled=True)
    return store


def seconds(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T00:00Z").timestamp())


def test_only_the_months_of_a_period_are_read(tmp_path: Path) -> None:
    store = filled(tmp_path / "d", Month(2023, 12), Month(2024, 1), Month(2024, 2))
    assert store.read().height == (31 + 31 + 29) * 24
    january = store.read(seconds("2024-01-10"), seconds("2024-01-20"))
    assert january["timestamp"].dt.month().unique().to_list() == [1]
    # the neighbours of its ends are there, to interpolate
    edges = store.read(seconds("2024-01-01"), seconds("2024-02-01"))
    assert set(edges["timestamp"].dt.month()) == {12, 1, 2}
    assert store.read(seconds("2030-01-01")).height == store.read().height


def test_what_is_not_there_is_said_with_the_command(tmp_path: Path) -> None:
    said = f"{tmp_path / 'd'}: nothing has been fetched yet; type: frugal-ai fetch something"
    store = Store(tmp_path / "d", "frugal-ai fetch something")
    assert store.absent() == said
    with pytest.raises(DataError, match="nothing has been fetched yet"):
        store.read()
    store = filled(tmp_path / "d", Month(2024, 1), Month(2024, 2))
    assert store.absent(seconds("2024-01-01"), seconds("2024-03-01")) is None
    assert store.absent(seconds("2023-11-30"), seconds("2024-04-02")) == (
        f"{tmp_path / 'd'}: expected 2023-11 to 2023-12, 2024-03 to 2024-04, got months from"
        " 2024-01 to 2024-02; type: frugal-ai fetch something"
    )


@pytest.mark.parametrize("damage", ["cut", "changed", "removed"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    store = filled(tmp_path / "d", Month(2024, 1), Month(2024, 2))
    path = store.path("2024-02")
    whole = path.read_bytes()
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(whole[:-20] if damage == "cut" else b"x" + whole[1:])
    said = (
        r"2024-02\.parquet: expected the file as it was fetched.*again: frugal-ai fetch something"
    )
    with pytest.raises(DataError, match=said):
        store.read()
    assert store.read(seconds("2024-01-05"), seconds("2024-01-06")).height > 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2}', '{"service": "s", "dataset": "d"}', "\xff"]
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    store = filled(tmp_path / "d", Month(2024, 1))
    (tmp_path / "d" / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"manifest\.json: expected the manifest of fetched data"):
        store.read()


def test_a_folder_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Store(tmp_path / "file" / "d").manifest() is None
    with pytest.raises(OutputError, match="cannot be written"):
        filled(tmp_path / "file" / "d", Month(2024, 1))


@pytest.mark.parametrize(
    ("asked_at", "now", "settled", "fresh"),
    [
        ("2024-03-01T00:00", "2025-01-01T00:00", True, True),
        ("2024-03-01T00:00", "2024-03-01T23:59", False, True),
        ("2024-03-01T00:00", "2024-03-02T00:00", False, False),
        ("2024-02-29T23:59", "2024-02-29T23:59", False, False),
    ],
)
def test_when_a_month_is_asked_for_again(
    asked_at: str, now: str, settled: bool, fresh: bool
) -> None:
    month = Month(2024, 2)
    entry = Entry(
        rows=1,
        sha256="",
        first=month.start,
        last=month.start,
        asked_at=datetime.fromisoformat(f"{asked_at}Z"),
        asked=checksum({"a": 1, "b": 2}),
        urls=(),
        settled=settled,
    )
    then = datetime.fromisoformat(f"{now}Z")
    assert is_fresh(entry, month, checksum({"b": 2, "a": 1}), then) is fresh
    assert not is_fresh(entry, month, checksum({"a": 1}), then)
