"""What is read of a store, and when."""

from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest
import sqlalchemy

from benchmarks.board.synthetic import Shape, write_store
from frugal_ai.board import details
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import wanted
from frugal_ai.board.ranking import rank
from frugal_ai.board.store import Store
from frugal_ai.errors import BoardError
from frugal_ai.tracking.follow import Known
from frugal_ai.tracking.records import RunRecord, read_heads, read_records

Get = Callable[..., httpx.Response]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return write_store(tmp_path / "mlflow.db", Shape(54, pipelines=1))


def change(uri: str, statement: str, **given: str) -> None:
    engine = sqlalchemy.create_engine(uri)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement), given)
    engine.dispose()


def test_only_what_is_shown_is_read_in_full_and_once(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def noted(where: str, run_ids: Sequence[str]) -> dict[str, RunRecord]:
        read.extend(run_ids)
        return read_records(where, run_ids)

    monkeypatch.setattr(details, "read_records", noted)
    store = Store(uri)
    found = store.snapshot()
    parents = {one.latest.parent for one in found.groups}
    assert set(read) == parents
    board = rank(found.groups[0], Filters())
    assert (
        set(read)
        == {one.entry.id for one in board.rows} | {one.entry.parent for one in board.rows} | parents
    )
    count = len(read)
    rank(store.snapshot().groups[0], Filters())
    assert len(read) == count < len(found.entries)


def test_a_spoilt_model_is_left_out_with_a_warning(
    uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    entry = Store(uri).snapshot().groups[0].latest
    spoil = "UPDATE tags SET value = 'superb' WHERE key = 'frugal.verdict' AND run_uuid = :id"
    change(uri, spoil, id=entry.id)
    found = Store(uri).snapshot()
    board = rank(wanted(found.groups, Filters())[0], Filters())
    assert entry.id not in {one.entry.id for one in board.rows}
    assert f"MLflow run {entry.id} is left out: verdict" in caplog.text
    with pytest.raises(BoardError, match="there is no such one"):
        found.model(entry.run_id, entry.rung)


@pytest.mark.parametrize("rung", range(8))
def test_models_of_two_machines_are_never_pooled_whatever_was_changed(uri: str, rung: int) -> None:
    heads = read_heads(uri)
    changed = [one for one in heads if one.parent == heads[0].parent][rung]
    other = "UPDATE tags SET value = 'another' WHERE key = 'hardware' AND run_uuid = :id"
    change(uri, other, id=changed.run_id)
    for group in Store(uri).snapshot().groups:
        rows = [one.entry.row for one in rank(group, Filters(runs="all")).rows]
        assert {row.hardware for row in rows} <= {group.key.hardware}


def test_while_a_server_is_read_a_page_says_so_and_files_are_refused(
    uri: str, get_of: Callable[[str], Get], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Half:
        def __init__(self, where: str) -> None:
            assert where == "http://server"

        def known(self) -> Known:
            return Known(tuple(read_heads(uri)), 54, whole=False)

    def named(_: str, run_ids: Sequence[str]) -> list[RunRecord]:
        return list(read_records(uri, run_ids).values())

    monkeypatch.setattr("frugal_ai.board.store.Follower", Half)
    monkeypatch.setattr(details, "named", named)
    get = get_of("http://server")
    page = get("/?lang=en")
    assert page.status_code == 200
    assert "still being read, the latest runs first: 54 runs and models so far" in page.text
    assert "<tr id=" in page.text
    for name in ("board.csv", "board.json", "board.svg", "badge.svg"):
        refused = get(f"/{name}?lang=en")
        assert refused.status_code == 503
        assert "would pass for the whole" in refused.text


def test_a_store_that_was_read_whole_says_nothing_of_it(get: Get) -> None:
    assert "still being read" not in get("/?lang=en").text
