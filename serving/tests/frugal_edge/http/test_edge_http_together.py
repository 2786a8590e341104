"""Stateless forecasts that arrive in one turn of the loop: one batch, each as if it were alone."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from frugal_edge.runtime import Forecaster

Live = Callable[..., Any]


def test_what_arrives_at_once_is_answered_each_for_itself(
    kit: Any, live: Live, known: list[bytes]
) -> None:
    bodies: list[object] = [{"history": [50.0 + n] * 96, "origin": kit.origin} for n in range(12)]
    bodies[3] = {"history": [50.0] * 95, "origin": kit.origin}
    bodies[5] = {"history": [5000.0] * 96, "origin": kit.origin}
    bodies[7] = b"{" + b" " * 50
    with live() as port:
        peers = [kit.Peer(port) for _ in bodies]
        wanted = [one.ask(kit.post(body)) for one, body in zip(peers, bodies, strict=True)]
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
                one.send(kit.post(body))
            assert [one.answer() for one in peers] == wanted
        assert len(known) == 5 * len(bodies)
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
