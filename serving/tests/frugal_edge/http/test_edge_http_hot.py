"""Requests that come again: answered like the first time, whatever the pieces they come in."""

import itertools
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frugal_edge.gateway.config import HttpSettings
from frugal_edge.http import hot
from frugal_edge.http.tokens import add_token

Live = Callable[..., Any]
TAG = '"2024-05-31T22:00:00Z/2024-05-31T22:01:00Z"'


def requests_of(kit: Any) -> dict[str, tuple[bytes, int]]:
    """Return plain requests, and the status of each."""
    return {
        "newest": (kit.get(), 200),
        "query": (kit.get(kit.newest + "?a=b"), 200),
        "unchanged": (kit.get(kit.newest, f"if-none-match: {TAG}"), 304),
        "changed": (kit.get(kit.newest, 'if-none-match: "x"'), 200),
        "no series": (kit.get("/v1/series/other/forecast"), 404),
        "forecast": (kit.good, 200),
        "no model": (kit.post(kit.asked, "/v1/models/other/forecast"), 404),
        "no json": (kit.post(b"{"), 400),
        "deep": (kit.post(b"[" * 900 + b"]" * 900), 422),
        "too little": (kit.post({"origin": kit.origin}), 422),
        "other type": (kit.post(kit.asked, kit.stateless, "content-type: text/csv"), 415),
        "kept alive": (kit.get(kit.newest, "connection: keep-alive"), 200),
    }


def different(kit: Any) -> dict[str, bytes]:
    """Return requests that are not plain."""
    return {
        "close": kit.get(kit.newest, "connection: close"),
        "old": kit.get().replace(b"HTTP/1.1", b"HTTP/1.0"),
        "expect": kit.post(kit.asked, kit.stateless, "expect: 100-continue"),
        "twice": kit.get(kit.newest, "x-a: 1", "x-a: 2"),
        "long": kit.get(kit.newest, "x-a: " + "a" * 1100),
        "other route": kit.get("/livez"),
        "packed": kit.post(kit.asked, kit.stateless, "content-encoding: identity"),
        "chunked": kit.good.partition(b"content-length")[0]
        + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
        % (len(kit.good.partition(b"\r\n\r\n")[2]), kit.good.partition(b"\r\n\r\n")[2]),
    }


def test_what_comes_again_is_answered_alike(kit: Any, live: Live, known: list[bytes]) -> None:
    with live() as port, kit.Peer(port) as one, kit.Peer(port) as other:
        for name, (request, status) in requests_of(kit).items():
            first = one.ask(request)
            assert first[0] == status, name
            assert not known, name
            assert first == one.ask(request) == other.ask(request) == one.ask(request), name
            assert known == [request.partition(b"\r\n\r\n")[2]] * 3, name
            del known[:]


def test_what_is_not_plain_is_parsed_each_time(kit: Any, live: Live, known: list[bytes]) -> None:
    with live() as port:
        for name, request in different(kit).items():
            for _ in range(3):
                with kit.Peer(port) as one:
                    status, *_ = one.ask(request)
                    assert (status if status != 100 else one.answer()[0]) == 200, name
            assert not known, name


def test_a_head_that_others_could_end_elsewhere_is_not_learnt(
    kit: Any,
) -> None:
    scope = {
        "http_version": "1.1",
        "method": "GET",
        "path": kit.newest,
        "headers": [(b"host", b"x")],
    }

    class Shortcut:
        def params(self, *_: str) -> dict[str, str]:
            return {"series": "feeder"}

        endpoint = type("Endpoint", (), {"limit": 100})()

    def learnt(data: bytes, **other: object) -> bool:
        heads = hot.Hot([Shortcut()])  # type: ignore[list-item]  # all that is asked of it
        heads.learn(data, {**scope, **other})
        return heads.find(data) is not None

    assert learnt(kit.get())
    assert not learnt(kit.get()[:-2])
    assert not learnt(b"\r\n" + kit.get())
    assert not learnt(kit.get().replace(b"host", b"a: b\nhost"))
    assert not learnt(kit.get().replace(b"host", b"a: b\rhost"))
    assert not learnt(kit.get() + b"G"), "the beginning of another request"
    for length, good in ((b"100", True), (b"101", False), (b"+1", False), (b"1_0", False)):
        headers = [(b"content-length", length)]
        assert learnt(kit.get(), headers=headers) is good


def test_the_heads_that_are_kept_are_bounded(
    kit: Any, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot, "_MOST", 5)
    sizes = []
    learn = hot.Hot.learn

    def seen(self: hot.Hot, *given: Any) -> None:
        learn(self, *given)
        sizes.append(len(self._known))

    monkeypatch.setattr(hot.Hot, "learn", seen)
    with live() as port, kit.Peer(port) as one:
        for number in range(12):
            assert one.ask(kit.get(kit.newest, f"x: {number}"))[0] == 200
    assert max(sizes) == 5


def test_of_two_requests_at_once_neither_is_taken_for_the_other(kit: Any, live: Live) -> None:
    long = kit.post(b" " * 5000)
    with live() as port:
        for _ in range(3):
            for first, second in (
                (kit.get(), long),
                (long, kit.get()),
                (kit.good, kit.get()),
                (kit.get(), kit.get()[:50]),
            ):
                with kit.Peer(port) as one:
                    one.send(first + second)
                    assert one.answer()[0] == (400 if first is long else 200)
        for request, status in ((kit.get(), 200), (kit.good, 200), (long, 400)):
            with kit.Peer(port) as one:
                assert one.ask(request)[0] == status


def in_pieces(choose: random.Random, requests: list[bytes]) -> list[bytes]:
    """Cut a stream of requests anywhere, and between some of them."""
    ends = [len(b"".join(requests[:i])) for i in range(1, len(requests))]
    stream = b"".join(requests)
    cuts = {*choose.sample(range(1, len(stream)), 25), *choose.sample(ends, len(ends) // 2)}
    return [stream[a:b] for a, b in itertools.pairwise([0, *sorted(cuts), len(stream)])]


def test_pieces_make_no_difference(kit: Any, live: Live, known: list[bytes]) -> None:
    with live() as port, kit.Peer(port) as alone:
        wanted = {request: alone.ask(request) for request, _ in requests_of(kit).values()}
        for seed in range(12):
            choose = random.Random(seed)
            requests = [request for request, _ in requests_of(kit).values()] * 3
            choose.shuffle(requests)
            pieces = in_pieces(choose, requests)
            with kit.Peer(port) as one:
                sender = threading.Thread(target=one.send, args=pieces, kwargs={"pause": 0.003})
                sender.start()
                for request in requests:
                    assert one.answer() == wanted[request], seed
                sender.join()
    assert known


def test_a_body_in_a_piece_of_its_own(kit: Any, live: Live, known: list[bytes]) -> None:
    head, end, body = kit.good.partition(b"\r\n\r\n")
    with live() as port, kit.Peer(port) as one:
        first = one.ask(kit.good)
        assert one.ask(head + end, body) == first
        assert len(known) == 1
        assert one.ask(head + end, body[:100], body[100:]) == first
        assert one.ask(head[:40], head[40:] + end + body) == first
        assert one.ask(kit.good) == first
        assert len(known) >= 2


def test_a_body_above_the_limit_is_never_known(kit: Any, live: Live, known: list[bytes]) -> None:
    with live(HttpSettings(max_body=2000)) as port:
        for _ in range(3):
            with kit.Peer(port) as one:
                assert one.ask(kit.post(b" " * 2001))[0] == 413
        assert not known


def test_a_token_that_is_removed_is_refused_in_a_known_request(
    kit: Any, live: Live, tmp_path: Path
) -> None:
    path = tmp_path / "tokens"
    token = add_token(path, "reader", ("read",))
    asked = kit.get(kit.newest, f"authorization: Bearer {token}")
    with live(HttpSettings(tokens=path)) as port, kit.Peer(port) as one:
        assert one.ask(kit.get())[0] == one.ask(kit.get())[0] == 401
        assert [one.ask(asked)[0] for _ in range(3)] == [200] * 3
        path.write_text("")
        time.sleep(1.1)
        status, headers, _ = one.ask(asked)
        assert status == 401
        assert headers["www-authenticate"].startswith("Bearer")


def test_an_operator_alone_may_not_forecast(kit: Any, live: Live, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    operate, read = (add_token(path, name, (name,)) for name in ("operate", "read"))
    with live(HttpSettings(tokens=path)) as port, kit.Peer(port) as one, kit.Peer(port) as other:
        kind = "content-type: application/json"
        may_not = kit.post(kit.asked, kit.stateless, kind, f"authorization: Bearer {operate}")
        may = kit.post(kit.asked, kit.stateless, kind, f"authorization: Bearer {read}")
        for _ in range(3):
            one.send(may_not)
            other.send(may)
            assert one.answer()[0] == 403
            assert other.answer()[0] == 200
