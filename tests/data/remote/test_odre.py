from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from frugal_ai.data.remote.fetch import FetchReport, Order, fetch
from frugal_ai.data.remote.http import Client
from frugal_ai.data.remote.odre import Eco2mix
from frugal_ai.data.remote.store import Store
from frugal_ai.errors import DataError, FetchError

NOW = datetime(2024, 12, 10, 9, tzinfo=UTC)
NATIONAL = Eco2mix("eco2mix-national")
Fetch = Callable[..., FetchReport]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def bar() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture
def get(client: Client, tmp_path: Path, told: list[str], bar: list[tuple[str, int, int]]) -> Fetch:
    def run(
        first: str, last: str, endpoint: Eco2mix = NATIONAL, now: datetime = NOW, **more: Any
    ) -> FetchReport:
        order = Order(
            first=date.fromisoformat(first),
            last=date.fromisoformat(last),
            out=tmp_path,
            now=now,
            **more,
        )
        return fetch(
            endpoint, order, client, progress=lambda *step: bar.append(step), tell=told.append
        )

    return run


def test_month_by_month_into_a_folder(
    get: Fetch, service: Any, tmp_path: Path, told: list[str], bar: list[tuple[str, int, int]]
) -> None:
    report = get("2024-01-15", "2024-02-03")
    assert service.months() == [
        "eco2mix-national-cons-def 2024-01",
        "eco2mix-national-cons-def 2024-02",
    ]
    params = service.asked[0][1]
    assert params["timezone"] == "UTC"
    assert report.rows == (31 + 29) * 48
    assert report.line() == (
        "eco2mix-national: 2 months, 2,880 rows from 2024-01-01T00:00Z to 2024-02-29T23:30Z in"
        f" {tmp_path / 'eco2mix-national'} (2 fetched, 0 were there)"
    )
    assert told == []
    assert bar == [
        ("eco2mix-national 2024-01", 0, 2),
        ("eco2mix-national 2024-02", 1, 2),
        ("eco2mix-national", 2, 2),
    ]
    folder = tmp_path / "eco2mix-national"
    assert sorted(path.name for path in folder.iterdir()) == [
        "2024-01.parquet", "2024-02.parquet", "manifest.json",
    ]  # fmt: skip
    manifest = Store(folder).held()
    assert "Licence Ouverte" in manifest.attribution
    assert manifest.months["2024-01"].urls[0].startswith(service.url)
    frame = Store(folder).read()
    assert frame["timestamp"].is_sorted()
    assert frame.height == report.rows


def test_a_resumed_fetch_asks_only_for_what_is_missing(
    get: Fetch, service: Any, client: Client, waited: list[float], answer: Any
) -> None:
    healthy = service.answer

    def third_fails(path: str, params: dict[str, str], headers: dict[str, str]) -> Any:
        found = healthy(path, params, headers)
        return answer("broken", 500) if "2024-03" in service.months()[-1] else found

    service.answer = third_fails
    with pytest.raises(FetchError, match="given up after 4 tries"):
        get("2024-01-01", "2024-04-30")
    service.answer = healthy
    service.asked.clear()
    report = get("2024-01-01", "2024-04-30")
    assert [name.split()[1] for name in service.months()] == ["2024-03", "2024-04"]
    assert (report.fetched, report.kept) == (2, 2)
    service.asked.clear()
    assert get("2024-01-01", "2024-04-30").kept == 4
    assert service.asked == []
    assert get("2024-02-01", "2024-02-02", refresh=True).fetched == 1
    assert len(service.asked) == 1


def test_an_interrupt_leaves_whole_months(get: Fetch, service: Any, tmp_path: Path) -> None:
    def interrupted(answered: Any) -> Any:
        if len(service.asked) == 2:
            raise KeyboardInterrupt
        return answered

    class Impatient(Eco2mix):
        def ask(self, client: Client, month: Any, now: datetime) -> Any:
            return interrupted(super().ask(client, month, now))

    with pytest.raises(KeyboardInterrupt):
        get("2024-01-01", "2024-03-31", Impatient("eco2mix-national"))
    folder = tmp_path / "eco2mix-national"
    assert sorted(path.name for path in folder.iterdir()) == ["2024-01.parquet", "manifest.json"]
    service.asked.clear()
    assert get("2024-01-01", "2024-03-31").kept == 1
    assert [name.split()[1] for name in service.months()] == ["2024-02", "2024-03"]


def test_real_time_data_fill_up_what_is_not_consolidated(
    get: Fetch, service: Any, tmp_path: Path
) -> None:
    service.consolidated_until = datetime(2024, 11, 20, tzinfo=UTC)
    service.until = NOW
    get("2024-10-01", "2024-12-31")
    assert service.months() == [
        "eco2mix-national-cons-def 2024-10",
        "eco2mix-national-cons-def 2024-11",
        "eco2mix-national-tr 2024-11",
        "eco2mix-national-cons-def 2024-12",
        "eco2mix-national-tr 2024-12",
    ]
    frame = Store(tmp_path / "eco2mix-national").read()
    recent = frame.filter(pl.col("nature").str.contains("temps réel"))
    assert recent["timestamp"].min() == datetime(2024, 11, 20, tzinfo=UTC)
    assert recent["timestamp"].max() == datetime(2024, 12, 10, 8, 45, tzinfo=UTC)
    assert frame["timestamp"].is_unique().all()
    assert recent.height == (20 * 24 + 9) * 4  # every quarter-hour
    settled = {
        name: e.settled for name, e in Store(tmp_path / "eco2mix-national").held().months.items()
    }
    assert settled == {"2024-10": True, "2024-11": False, "2024-12": False}


def test_a_month_of_real_time_data_is_asked_for_again_when_it_can_be_consolidated(
    get: Fetch, service: Any, tmp_path: Path
) -> None:
    service.consolidated_until = datetime(2024, 11, 20, tzinfo=UTC)
    service.until = NOW
    get("2024-10-01", "2024-12-09")
    service.asked.clear()
    get("2024-10-01", "2024-12-09")  # on the same day only the month that was not over
    assert {name.split()[1] for name in service.months()} == {"2024-12"}
    service.asked.clear()
    service.consolidated_until = datetime(2024, 12, 1, tzinfo=UTC)
    get("2024-10-01", "2024-12-09", now=datetime(2024, 12, 11, tzinfo=UTC))
    assert service.months() == [
        "eco2mix-national-cons-def 2024-11",
        "eco2mix-national-cons-def 2024-12",
        "eco2mix-national-tr 2024-12",
    ]
    november = pl.read_parquet(tmp_path / "eco2mix-national" / "2024-11.parquet")
    assert not november["nature"].str.contains("temps réel").any()
    service.asked.clear()
    get("2024-10-01", "2024-11-30", now=datetime(2025, 2, 1, tzinfo=UTC))
    assert service.asked == []


def test_months_without_rows_at_the_ends_are_told(
    get: Fetch, service: Any, told: list[str]
) -> None:
    service.since = datetime(2024, 3, 1, tzinfo=UTC)
    report = get("2024-01-01", "2025-02-28", now=datetime(2024, 5, 2, tzinfo=UTC))
    assert told == [
        "eco2mix-national: no rows for 2024-01 to 2024-02",
        "eco2mix-national: no rows for 2024-06 to 2025-02",
    ]
    assert report.fetched == 3
    with pytest.raises(DataError, match="expected rows, got none for 2011-01 to 2011-02"):
        get("2011-01-01", "2011-02-28")


def test_a_month_without_rows_between_others_is_an_error(
    get: Fetch, service: Any, tmp_path: Path
) -> None:
    service.empty = {"2024-02", "2024-03"}
    said = "got none for 2024-02 to 2024-03 and some for 2024-04; what was fetched before is kept"
    with pytest.raises(DataError, match=said):
        get("2024-01-01", "2024-05-31")
    assert list(Store(tmp_path / "eco2mix-national").held().months) == ["2024-01"]
    service.empty = set()
    assert get("2024-01-01", "2024-05-31").kept == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "removed"])
def test_a_damaged_file_is_fetched_again(
    get: Fetch, service: Any, tmp_path: Path, told: list[str], damage: str
) -> None:
    get("2024-01-01", "2024-02-28")
    path = tmp_path / "eco2mix-national" / "2024-01.parquet"
    whole = path.read_bytes()
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(whole[:-100] if damage == "cut" else whole[:200] + b"x" + whole[201:])
    service.asked.clear()
    assert get("2024-01-01", "2024-02-28").fetched == 1
    assert service.months() == ["eco2mix-national-cons-def 2024-01"]
    assert path.read_bytes() == whole
    assert told == [f"{path}: not as it was fetched; asked for again"]


def test_a_changed_column_keeps_what_was_fetched_before(
    get: Fetch, service: Any, tmp_path: Path
) -> None:
    get("2024-01-01", "2024-01-31")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    service.change = lambda records: [
        {("co2" if key == "taux_co2" else key): value for key, value in record.items()}
        for record in records
    ]
    with pytest.raises(DataError, match=r"eco2mix-national-cons-def: expected a column 'taux_co2'"):
        get("2024-01-01", "2024-02-28")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_regions_come_together(get: Fetch, service: Any, tmp_path: Path) -> None:
    get("2024-01-01", "2024-01-31", Eco2mix("eco2mix-regional", ("53",)))
    assert service.asked[0][1]["where"].endswith(" AND (code_insee_region = '53')")
    folder = tmp_path / "eco2mix-regional"
    assert set(Store(folder).read()["code_insee_region"]) == {"53"}
    # another region: what was fetched before is not lost
    get("2024-01-01", "2024-01-31", Eco2mix("eco2mix-regional", ("93",)))
    assert "(code_insee_region = '53' OR code_insee_region = '93')" in service.asked[1][1]["where"]
    frame = Store(folder).read()
    assert frame.height == 2 * 31 * 48
    get("2024-01-01", "2024-01-31", Eco2mix("eco2mix-regional"))
    assert "code_insee" not in service.asked[2][1]["where"]
    service.asked.clear()
    assert get("2024-01-01", "2024-01-31", Eco2mix("eco2mix-regional", ("53",))).kept == 1
