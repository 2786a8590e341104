"""What a broker does not take whenever it is sent, and what merely looks so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from frugal_edge.store.outbox import Message

FORECAST = "frugal/gw/feeder%2F1/forecast"
TOO_LARGE = ["max_packet_size 3000", "message_size_limit 3000"]
LARGE = Message("frugal/gw/large/forecast", b"x" * 3100, retain=True)
TOLD = "set deflate: true here, or raise its limit"
UNKNOWN = b"\xf0\x00"  # a packet that no broker sends


@pytest.mark.parametrize("limit", TOO_LARGE)
def test_what_is_too_large_for_the_broker_does_not_hold_up_the_rest(
    make_site: Callable[..., Any], start_broker: Any, kit: Any, capsys: Any, limit: str
) -> None:
    broker = start_broker(limit)

    async def talk() -> None:
        with make_site(broker, discovery=None) as site:
            site.forecast()
            site.link._outgoing.outbox.put([LARGE], 0)
            site.forecast()
            async with kit.listening(broker, "frugal/gw/+/forecast") as listener:
                async with kit.running(site.link):
                    await kit.until(lambda: len(listener.on(FORECAST)) == 2)
                    await kit.until(lambda: site.count("outbox_messages") == 0)
                assert [str(one.topic) for one in listener.messages] == [FORECAST] * 2
            assert site.count("outbox_dropped_total") == 1

    kit.within(talk())
    (told,) = kit.events(capsys.readouterr().err, "outbox_dropped")
    assert told["messages"] == 1
    assert told["reason"].startswith("frugal/gw/large/forecast: ")
    assert told["reason"].endswith(TOLD)


@pytest.mark.parametrize("limit", TOO_LARGE)
def test_by_a_timer_the_rest_goes_out_in_the_same_look(
    make_site: Callable[..., Any], start_broker: Any, kit: Any, limit: str
) -> None:
    broker = start_broker(limit)

    async def talk() -> None:
        with make_site(broker, discovery=None) as site:
            site.link._outgoing.outbox.put([LARGE], 0)
            site.forecast(2)
            looks: list[int] = []

            def look() -> list[Any]:
                looks.append(1)
                return []

            assert await site.link.deliver(20, look) == 2
            assert looks == [1]
            assert site.count("outbox_messages") == 0
            assert site.count("outbox_dropped_total") == 1

    kit.within(talk())


@dataclass
class Middle:
    """Something between gateway and broker that spoils some connections at the first forecast.

    Attributes
    ----------
    port
        Where the gateway finds it.
    spoil
        How many connections it will still spoil.
    spoilt
        How many it has.
    """

    target: int
    spoil: int
    spoilt: int = 0
    port: int = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", self.target)
        back = asyncio.create_task(self._copy(inner, writer))
        try:
            while data := await reader.read(65536):
                if self.spoil and FORECAST.encode() in data:
                    self.spoil, self.spoilt = self.spoil - 1, self.spoilt + 1
                    writer.write(UNKNOWN)
                    await writer.drain()
                    break
                outer.write(data)
                await outer.drain()
        finally:
            back.cancel()
            for one in (writer, outer):
                one.close()
                with suppress(OSError):
                    await one.wait_closed()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def between(broker: Any, spoil: int) -> AsyncIterator[Middle]:
    """Stand before a broker."""
    middle = Middle(broker.port, spoil)
    server = await asyncio.start_server(middle.carry, "127.0.0.1", 0)
    middle.port = server.sockets[0].getsockname()[1]
    try:
        yield middle
    finally:
        server.close()


@pytest.mark.parametrize("timer", [False, True])
def test_a_connection_that_breaks_twice_at_a_forecast_costs_none(
    make_site: Callable[..., Any], broker: Any, kit: Any, *, timer: bool
) -> None:
    async def talk() -> None:
        async with between(broker, 2) as middle, kit.listening(broker, FORECAST) as listener:
            with make_site(replace(broker, port=middle.port)) as site:
                site.forecast(3)
                if timer:
                    assert await site.link.deliver(20) == 3
                else:
                    async with kit.running(site.link):
                        await kit.until(lambda: site.count("outbox_messages") == 0)
                assert middle.spoilt == 2
                assert site.count("outbox_dropped_total") == 0
                await kit.until(lambda: len(listener.messages) == 3)

    kit.within(talk())


def test_a_forecast_that_always_ends_the_connection_is_counted_and_the_rest_goes_on(
    make_site: Callable[..., Any], broker: Any, kit: Any, capsys: Any
) -> None:
    async def talk() -> None:
        async with between(broker, 3) as middle, kit.listening(broker, FORECAST) as listener:
            with make_site(replace(broker, port=middle.port)) as site:
                site.forecast(3)
                async with kit.running(site.link):
                    await kit.until(lambda: site.count("outbox_messages") == 0)
                assert middle.spoilt == 3
                assert site.count("outbox_dropped_total") == 1
                await kit.until(lambda: len(listener.messages) == 2)

    kit.within(talk())
    (told,) = kit.events(capsys.readouterr().err, "outbox_dropped")
    assert told["reason"].endswith(TOLD)
