"""Requests that come again: answered like the first time, whatever the pieces they come in."""

import itertools
import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from frugal_edge.gateway.config import HttpSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http import hot, server
from frugal_edge.http.tokens import add_token
from frugal_edge.runtime import Forecaster

Live = Callable[..., Any]
MODEL = "load-naive_day-0123456789ab"
STATELESS = f"/v1/models/{MODEL}/forecast"
NEWEST = "/v1/series/feeder/forecast"
ORIGIN = "2024-05-31T22:00:00Z"
HISTORY = [50.0 + i % 7 for i in range(96)]
TAG = '"2024-05-31T22:00:00Z/2024-05-31T22:01:00Z"'


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collect the bodies of the requests that were answered without being parsed."""
    found: list[bytes] = []
    ask = hot.Hot.ask

    def counted(self: Any, known: Any, body: bytes, *more: Any) -> None:
        found.append(body)
        ask(self, known, body, *more)

    monkeypatch.setattr(hot.Hot, "ask", counted)
    return found


def get(path: str = NEWEST, *lines: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "host: x", *lines, "", "")).encode()


def post(content: object, path: str = STATELESS, *lines: str) -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = lines or ("content-type: application/json",)
    head = (f"POST {path} HTTP/1.1", "host: x", *lines, f"content-length: {len(body)}", "", "")
    return "\r\n".join(head).encode() + body


ASKED = {"history": HISTORY, "origin": ORIGIN}
GOOD = post(ASKED)


class Peer:
    """A connection whose answers are taken one by one."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *pieces: bytes, pause: float = 0.02) -> None:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            self.socket.sendall(piece)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Take one answer: status, headers but the date, body."""
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        status = int(first.split()[1])
        assert status == 100 or headers.pop("date").endswith("GMT")
        length = int(headers.get("content-length", "0"))
        while len(self._data) < length:
            self._more()
        body, self._data = self._data[:length], self._data[length:]
        return status, headers, body

    def ask(self, *pieces: bytes) -> tuple[int, dict[str, str], bytes]:
        self.send(*pieces)
        return self.answer()

    def rest(self) -> bytes:
        while part := self.socket.recv(65536):
            self._data += part
        return self._data

    def _more(self) -> None:
        part = self.socket.recv(65536)
        assert part, f"closed after {self._data!r}"
        self._data += part


REQUESTS = {
    "newest": (get(), 200),
    "query": (get(NEWEST + "?a=b"), 200),
    "unchanged": (get(NEWEST, f"if-none-match: {TAG}"), 304),
    "changed": (get(NEWEST, 'if-none-match: "x"'), 200),
    "no series": (get("/v1/series/other/forecast"), 404),
    "forecast": (GOOD, 200),
    "no model": (post(ASKED, "/v1/models/other/forecast"), 404),
    "no json": (post(b"{"), 400),
    "deep": (post(b"[" * 900 + b"]" * 900), 422),
    "too little": (post({"origin": ORIGIN}), 422),
    "other type": (post(ASKED, STATELESS, "content-type: text/csv"), 415),
    "kept alive": (get(NEWEST, "connection: keep-alive"), 200),
}


def test_what_comes_again_is_answered_alike(live: Live, known: list[bytes]) -> None:
    with live() as port, Peer(port) as one, Peer(port) as other:
        for name, (request, status) in REQUESTS.items():
            first = one.ask(request)
            assert first[0] == status, name
            assert not known, name
            assert first == one.ask(request) == other.ask(request) == one.ask(request), name
            assert known == [request.partition(b"\r\n\r\n")[2]] * 3, name
            del known[:]


DIFFERENT = {
    "close": get(NEWEST, "connection: close"),
    "old": get().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "expect": post(ASKED, STATELESS, "expect: 100-continue"),
    "twice": get(NEWEST, "x-a: 1", "x-a: 2"),
    "long": get(NEWEST, "x-a: " + "a" * 1100),
    "other route": get("/livez"),
    "packed": post(ASKED, STATELESS, "content-encoding: identity"),
    "chunked": GOOD.partition(b"content-length")[0]
    + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    % (len(GOOD.partition(b"\r\n\r\n")[2]), GOOD.partition(b"\r\n\r\n")[2]),
}


def test_what_is_not_plain_is_parsed_each_time(live: Live, known: list[bytes]) -> None:
    with live() as port:
        for name, request in DIFFERENT.items():
            for _ in range(3):
                with Peer(port) as one:
                    status, *_ = one.ask(request)
                    assert (status if status != 100 else one.answer()[0]) == 200, name
            assert not known, name


def test_a_head_that_others_could_end_elsewhere_is_not_learnt() -> None:
    scope = {"http_version": "1.1", "method": "GET", "path": NEWEST, "headers": [(b"host", b"x")]}

    class Shortcut:
        def params(self, *_: str) -> dict[str, str]:
            return {"series": "feeder"}

        endpoint = type("Endpoint", (), {"limit": 100})()

    def learnt(data: bytes, **other: object) -> bool:
        heads = hot.Hot([Shortcut()])  # type: ignore[list-item]  # all that is asked of it
        heads.learn(data, {**scope, **other})
        return heads.find(data) is not None

    assert learnt(get())
    assert not learnt(get()[:-2])
    assert not learnt(b"\r\n" + get())
    assert not learnt(get().replace(b"host", b"a: b\nhost"))
    assert not learnt(get().replace(b"host", b"a: b\rhost"))
    assert not learnt(get() + b"G"), "the beginning of another request"
    for length, good in ((b"100", True), (b"101", False), (b"+1", False), (b"1_0", False)):
        headers = [(b"content-length", length)]
        assert learnt(get(), headers=headers) is good


def test_the_heads_that_are_kept_are_bounded(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot, "_MOST", 5)
    sizes = []
    learn = hot.Hot.learn

    def seen(self: hot.Hot, *given: Any) -> None:
        learn(self, *given)
        sizes.append(len(self._known))

    monkeypatch.setattr(hot.Hot, "learn", seen)
    with live() as port, Peer(port) as one:
        for number in range(12):
            assert one.ask(get(NEWEST, f"x: {number}"))[0] == 200
    assert max(sizes) == 5


def test_of_two_requests_at_once_neither_is_taken_for_the_other(live: Live) -> None:
    long = post(b" " * 5000)
    with live() as port:
        for _ in range(3):
            for first, second in ((get(), long), (long, get()), (GOOD, get()), (get(), get()[:50])):
                with Peer(port) as one:
                    one.send(first + second)
                    assert one.answer()[0] == (400 if first is long else 200)
        for request, status in ((get(), 200), (GOOD, 200), (long, 400)):
            with Peer(port) as one:
                assert one.ask(request)[0] == status


def in_pieces(choose: random.Random, requests: list[bytes]) -> list[bytes]:
    """Cut a stream of requests anywhere, and between some of them."""
    ends = [len(b"".join(requests[:i])) for i in range(1, len(requests))]
    stream = b"".join(requests)
    cuts = {*choose.sample(range(1, len(stream)), 25), *choose.sample(ends, len(ends) // 2)}
    return [stream[a:b] for a, b in itertools.pairwise([0, *sorted(cuts), len(stream)])]


def test_pieces_make_no_difference(live: Live, known: list[bytes]) -> None:
    with live() as port, Peer(port) as alone:
        wanted = {request: alone.ask(request) for request, _ in REQUESTS.values()}
        for seed in range(12):
            choose = random.Random(seed)
            requests = [request for request, _ in REQUESTS.values()] * 3
            choose.shuffle(requests)
            pieces = in_pieces(choose, requests)
            with Peer(port) as one:
                sender = threading.Thread(target=one.send, args=pieces, kwargs={"pause": 0.003})
                sender.start()
                for request in requests:
                    assert one.answer() == wanted[request], seed
                sender.join()
    assert known


def test_a_body_in_a_piece_of_its_own(live: Live, known: list[bytes]) -> None:
    head, end, body = GOOD.partition(b"\r\n\r\n")
    with live() as port, Peer(port) as one:
        first = one.ask(GOOD)
        assert one.ask(head + end, body) == first
        assert len(known) == 1
        assert one.ask(head + end, body[:100], body[100:]) == first
        assert one.ask(head[:40], head[40:] + end + body) == first
        assert one.ask(GOOD) == first
        assert len(known) >= 2


def test_a_known_head_whose_body_does_not_come_is_408(live: Live) -> None:
    head, end, body = GOOD.partition(b"\r\n\r\n")
    with live(HttpSettings(receive_s=0.6)) as port:
        for begun in (head + end, head + end + body[:10], get()[:30]):
            with Peer(port) as one:
                one.ask(GOOD)
                one.ask(get())
                began = time.monotonic()
                one.send(begun)
                assert b" 408 Request Timeout\r\n" in one.rest()
                assert time.monotonic() - began < 3


def test_a_connection_that_rests_is_closed(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_KEEP_ALIVE_S", 1)
    with live() as port, Peer(port) as one:
        for _ in range(6):
            one.ask(get())
            time.sleep(0.3)  # longer in all than it may rest
        began = time.monotonic()
        assert one.rest() == b""
        assert 0.4 < time.monotonic() - began < 4


def test_a_token_that_is_removed_is_refused_in_a_known_request(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    token = add_token(path, "reader", ("read",))
    asked = get(NEWEST, f"authorization: Bearer {token}")
    with live(HttpSettings(tokens=path)) as port, Peer(port) as one:
        assert one.ask(get())[0] == one.ask(get())[0] == 401
        assert [one.ask(asked)[0] for _ in range(3)] == [200] * 3
        path.write_text("")
        time.sleep(1.1)
        status, headers, _ = one.ask(asked)
        assert status == 401
        assert headers["www-authenticate"].startswith("Bearer")


def test_an_operator_alone_may_not_forecast(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    operate, read = (add_token(path, name, (name,)) for name in ("operate", "read"))
    with live(HttpSettings(tokens=path)) as port, Peer(port) as one, Peer(port) as other:
        kind = "content-type: application/json"
        may_not = post(ASKED, STATELESS, kind, f"authorization: Bearer {operate}")
        may = post(ASKED, STATELESS, kind, f"authorization: Bearer {read}")
        for _ in range(3):
            one.send(may_not)
            other.send(may)
            assert one.answer()[0] == 403
            assert other.answer()[0] == 200


def test_one_connection_too_many_is_503_for_a_known_request_too(live: Live) -> None:
    with live(HttpSettings(max_concurrency=1)) as port, Peer(port) as one:
        assert one.ask(get())[0] == one.ask(get())[0] == 200
        with Peer(port) as other:
            assert other.ask(get())[0] == 503
        assert one.ask(get())[0] == 200


def test_a_body_above_the_limit_is_never_known(live: Live, known: list[bytes]) -> None:
    with live(HttpSettings(max_body=2000)) as port:
        for _ in range(3):
            with Peer(port) as one:
                assert one.ask(post(b" " * 2001))[0] == 413
        assert not known


def test_who_does_not_read_takes_no_memory_and_is_closed(live: Live) -> None:
    with live(HttpSettings(receive_s=1.0)) as port, Peer(port) as one:
        one.ask(get())
        one.socket.settimeout(0.5)
        asked, sent = get() * 100, 0
        with pytest.raises(OSError, match=r"timed out|reset|[Bb]roken pipe"):  # noqa: PT012  # any
            while sent < 200_000_000:
                one.socket.sendall(asked)
                sent += len(asked)
        assert httpx.get(f"http://127.0.0.1:{port}{NEWEST}").status_code == 200
        one.socket.settimeout(10)
        time.sleep(2.5)
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):  # noqa: PT012  # either
            for _ in range(40):
                one.socket.sendall(b"x")
                time.sleep(0.1)


def test_a_fault_of_the_program_is_500(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError("secret")

    with live() as port, Peer(port) as one, Peer(port) as other:
        one.ask(get())
        other.ask(GOOD)
        monkeypatch.setattr(Gateway, "body", broken)
        monkeypatch.setattr(Forecaster, "together", broken)
        for status, headers, body in (one.ask(get()), other.ask(GOOD)):
            assert status == 500
            assert headers["content-type"] == "application/problem+json"
            assert b"secret" not in body
        monkeypatch.undo()
        assert httpx.get(f"http://127.0.0.1:{port}{NEWEST}").status_code == 200
    assert caplog.text.count("ZeroDivisionError: secret") == 2


def test_what_arrives_at_once_is_answered_each_for_itself(live: Live, known: list[bytes]) -> None:
    bodies: list[object] = [{"history": [50.0 + n] * 96, "origin": ORIGIN} for n in range(12)]
    bodies[3] = {"history": [50.0] * 95, "origin": ORIGIN}
    bodies[5] = {"history": [5000.0] * 96, "origin": ORIGIN}
    bodies[7] = b"{" + b" " * 50
    with live() as port:
        peers = [Peer(port) for _ in bodies]
        wanted = [one.ask(post(body)) for one, body in zip(peers, bodies, strict=True)]
        assert [found[0] for found in wanted] == [
            200,
            200,
            200,
            422,
            200,
            200,
            200,
            400,
            *[200] * 4,
        ]
        del known[:]
        for _ in range(5):
            for one, body in zip(peers, bodies, strict=True):
                one.send(post(body))
            assert [one.answer() for one in peers] == wanted
        assert len(known) == 5 * len(bodies)
        for one in peers:
            one.socket.close()


def test_who_goes_away_before_the_answer_disturbs_nobody(live: Live) -> None:
    with live() as port, Peer(port) as stays:
        wanted = stays.ask(GOOD)
        for _ in range(10):
            gone = Peer(port)
            stays.send(GOOD)
            gone.send(GOOD)
            gone.socket.close()
            assert stays.answer() == wanted


def test_a_stop_answers_what_has_begun(live: Live) -> None:
    head, end, body = GOOD.partition(b"\r\n\r\n")
    peers = []
    with live() as port:
        peers = [Peer(port) for _ in range(3)]
        for one in peers:
            one.ask(GOOD)
        peers[0].send(head + end)
        time.sleep(0.1)
        late = threading.Timer(0.3, peers[0].send, (body,))
        late.start()
    assert peers[0].answer()[0] == 200
    assert peers[1].rest() == peers[2].rest() == b""
    for one in peers:
        one.socket.close()


@pytest.fixture
def forecaster(make_site: Callable[..., Any]) -> Iterator[Forecaster]:
    gateway = make_site(offsets={0.1: -1.0, 0.5: 0.0, 0.9: 1.0}).gateway()
    yield gateway.installed.loaded["feeder"].forecaster
    gateway.close()


def test_together_each_is_as_alone(forecaster: Forecaster, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = 1_717_192_800
    rows = [[50.0 + n] * 96 for n in range(5)] + [[5000.0] * 96]
    asked = [forecaster.checked(row, origin) for row in rows]
    alone = [forecaster.together([one])[0] for one in asked]

    def same(found: list[Any], wanted: list[Any]) -> bool:
        return all(
            re.sub(r"\s+", " ", repr(a)) == re.sub(r"\s+", " ", repr(b))
            for a, b in zip(found, wanted, strict=True)
        )

    together = forecaster.together(asked)
    assert same(together, alone)
    assert [bool(one[1]) for one in together if isinstance(one, tuple)] == [False] * 5 + [True]
    run = forecaster._run

    def sick(inputs: Any) -> Any:
        found = run(inputs)
        found["forecast"][inputs["history"][:, 0] == 52.0] = float("nan")
        return found

    monkeypatch.setattr(forecaster, "_run", sick)
    some = forecaster.together(asked)
    assert str(some[2]) == "the model gave nan for step 0 of the horizon"
    del some[2], alone[2]
    assert same(some, alone)
