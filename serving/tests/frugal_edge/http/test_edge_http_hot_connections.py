"""Connections on which known requests come: deadlines, bounds, a stop, and who goes away."""

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from frugal_edge.gateway.config import HttpSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http import server
from frugal_edge.runtime import Forecaster

Live = Callable[..., Any]


def test_a_known_head_whose_body_does_not_come_is_408(kit: Any, live: Live) -> None:
    head, end, body = kit.good.partition(b"\r\n\r\n")
    with live(HttpSettings(receive_s=0.6)) as port:
        for begun in (head + end, head + end + body[:10], kit.get()[:30]):
            with kit.Peer(port) as one:
                one.ask(kit.good)
                one.ask(kit.get())
                began = time.monotonic()
                one.send(begun)
                assert b" 408 Request Timeout\r\n" in one.rest()
                assert time.monotonic() - began < 3


def test_a_connection_that_rests_is_closed(
    kit: Any, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_KEEP_ALIVE_S", 1)
    with live() as port, kit.Peer(port) as one:
        for _ in range(6):
            one.ask(kit.get())
            time.sleep(0.3)  # longer in all than it may rest
        began = time.monotonic()
        assert one.rest() == b""
        assert 0.4 < time.monotonic() - began < 4


def test_one_connection_too_many_is_503_for_a_known_request_too(kit: Any, live: Live) -> None:
    with live(HttpSettings(max_concurrency=1)) as port, kit.Peer(port) as one:
        assert one.ask(kit.get())[0] == one.ask(kit.get())[0] == 200
        with kit.Peer(port) as other:
            assert other.ask(kit.get())[0] == 503
        assert one.ask(kit.get())[0] == 200


def test_who_does_not_read_takes_no_memory_and_is_closed(kit: Any, live: Live) -> None:
    with live(HttpSettings(receive_s=1.0)) as port, kit.Peer(port) as one:
        one.ask(kit.get())
        one.socket.settimeout(10)  # a busy machine is slow to take it, which is no refusal
        asked, sent = kit.get() * 100, 0
        with pytest.raises(OSError, match=r"timed out|reset|[Bb]roken pipe"):  # noqa: PT012  # any
            while sent < 200_000_000:
                one.socket.sendall(asked)
                sent += len(asked)
        assert httpx.get(f"http://127.0.0.1:{port}{kit.newest}").status_code == 200
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):  # noqa: PT012  # either
            for _ in range(200):
                one.socket.sendall(b"x")
                time.sleep(0.1)


def test_who_goes_away_before_the_answer_disturbs_nobody(kit: Any, live: Live) -> None:
    with live() as port, kit.Peer(port) as stays:
        wanted = stays.ask(kit.good)
        for _ in range(10):
            gone = kit.Peer(port)
            stays.send(kit.good)
            gone.send(kit.good)
            gone.socket.close()
            assert stays.answer() == wanted


def test_a_fault_of_the_program_is_500(
    kit: Any, live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError("secret")

    with live() as port, kit.Peer(port) as one, kit.Peer(port) as other:
        one.ask(kit.get())
        other.ask(kit.good)
        monkeypatch.setattr(Gateway, "body", broken)
        monkeypatch.setattr(Forecaster, "together", broken)
        for status, headers, body in (one.ask(kit.get()), other.ask(kit.good)):
            assert status == 500
            assert headers["content-type"] == "application/problem+json"
            assert b"secret" not in body
        monkeypatch.undo()
        assert httpx.get(f"http://127.0.0.1:{port}{kit.newest}").status_code == 200
    assert caplog.text.count("ZeroDivisionError: secret") == 2


def test_a_stop_answers_what_has_begun(kit: Any, live: Live) -> None:
    head, end, body = kit.good.partition(b"\r\n\r\n")
    peers = []
    with live() as port:
        peers = [kit.Peer(port) for _ in range(3)]
        for one in peers:
            one.ask(kit.good)
        peers[0].send(head + end)
        time.sleep(0.1)
        late = threading.Timer(0.3, peers[0].send, (body,))
        late.start()
    assert peers[0].answer()[0] == 200
    assert peers[1].rest() == peers[2].rest() == b""
    for one in peers:
        one.socket.close()
