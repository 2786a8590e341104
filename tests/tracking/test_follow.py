"""A server that is followed: which runs are known while others are still to come."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from frugal_ai.errors import TrackingError
from frugal_ai.tracking import follow
from frugal_ai.tracking.follow import Follower
from frugal_ai.tracking.records import RunRecord

LONGEST_S = 20.0


def run(name: str, started: int, ended: int) -> RunRecord:
    return RunRecord(name, "FINISHED", "", started, ended, {"frugal.role": "run"})


def rung(parent: str, name: str, started: int, ended: int) -> RunRecord:
    tags = {
        "frugal.role": "rung", "mlflow.parentRunId": parent, "frugal.rung": name,
        "frugal.chosen": "true" if name == "b" else "false", "frugal.run_id": f"run-{parent}",
    }  # fmt: skip
    return RunRecord(f"{parent}-{name}", "FINISHED", "", started, ended, tags)


def whole(parent: str, at: int) -> list[RunRecord]:
    """A run with two rungs, that which ended last first."""
    return [run(parent, at, at + 9), rung(parent, "b", at, at + 8), rung(parent, "a", at, at + 4)]


@dataclass
class Server:
    """Answers page by page, each when it may."""

    runs: list[RunRecord]
    size: int = 2
    may: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    asked: list[str] = field(default_factory=list)
    fails: bool = False

    def search(self, uri: str, also: str = "") -> Iterator[Sequence[RunRecord]]:
        assert uri == "http://server"
        self.asked.append(also)
        found = sorted(self.runs, key=lambda one: one.ended, reverse=True)
        if "end_time" in also:
            since = int(also.rpartition(" ")[2])
            found = [one for one in found if one.ended >= since and one.role == "run"]
        elif also:
            found = [one for one in found if one.parent == also.split("'")[1]]
        for start in range(0, len(found), self.size):
            assert self.may.acquire(timeout=LONGEST_S)
            if self.fails:
                raise TrackingError("the server is away")
            yield found[start : start + self.size]

    def let(self, pages: int = 99) -> None:
        self.may.release(pages)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[RunRecord]], Server]:
    def make(runs: list[RunRecord]) -> Server:
        server = Server(runs)
        monkeypatch.setattr(follow, "search", server.search)
        return server

    return make


def until_whole(one: Follower) -> follow.Known:
    reader = one._reader
    if reader is not None:
        reader.join(LONGEST_S)
    return one.known()


def test_the_latest_are_known_first_and_a_run_only_as_a_whole(
    served: Callable[[list[RunRecord]], Server],
) -> None:
    server = served([*whole("old", 100), *whole("new", 200)])
    server.let(2)  # all of the new run, and the old one without its rungs
    known = Follower("http://server", first=4).known()
    assert {one.run_id for one in known.heads} == {"new-a", "new-b"}
    assert (known.read, known.whole) == (4, False)
    server.let()


def test_of_a_run_that_is_cut_by_a_page_nothing_is_told(
    served: Callable[[list[RunRecord]], Server],
) -> None:
    server = served([*whole("old", 100), *whole("new", 200)])
    server.let(1)
    one = Follower("http://server", first=2)
    assert one.known().heads == ()
    server.let()
    known = until_whole(one)
    assert (len(known.heads), known.read, known.whole) == (4, 6, True)


def test_rungs_of_a_run_share_what_one_of_them_says(
    served: Callable[[list[RunRecord]], Server],
) -> None:
    served(whole("new", 200)).let()
    one = Follower("http://server")
    one.known()
    first, second = until_whole(one).heads
    assert first.shared is second.shared
    assert first.shared == {"run_id": "run-new"}
    assert {(head.rung, head.chosen) for head in (first, second)} == {("a", False), ("b", True)}


def test_once_all_are_known_only_what_ended_since_is_asked_for(
    served: Callable[[list[RunRecord]], Server],
) -> None:
    server = served(whole("old", 100))
    server.let()
    one = Follower("http://server")
    one.known()
    before = until_whole(one)
    server.runs += whole("new", 200)
    after = one.known()
    assert {head.parent for head in after.heads} == {"old", "new"}
    assert server.asked[0] == ""
    assert "tags.`mlflow.parentRunId` = 'new'" in server.asked[-1]
    assert not any("'old'" in one for one in server.asked)
    assert before.whole
    assert after.whole


def test_what_was_deleted_is_gone_when_all_is_read_anew(
    served: Callable[[list[RunRecord]], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served([*whole("old", 100), *whole("new", 200)])
    server.let()
    one = Follower("http://server")
    one.known()
    assert len(until_whole(one).heads) == 4
    server.runs = whole("new", 200)
    assert len(one.known().heads) == 4
    monkeypatch.setattr(one, "_anew", 0.0)
    assert len(one.known().heads) in {2, 4}  # the former are shown until the latter are there
    assert len(until_whole(one).heads) == 2


def test_a_server_that_is_away_is_told_and_asked_again(
    served: Callable[[list[RunRecord]], Server],
) -> None:
    server = served(whole("new", 200))
    server.fails = True
    server.let()
    one = Follower("http://server")
    with pytest.raises(TrackingError, match="the server is away"):
        one.known()
    server.fails = False
    one.known()
    assert len(until_whole(one).heads) == 2
