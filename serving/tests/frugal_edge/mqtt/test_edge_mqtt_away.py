"""A broker that is away or hangs, or a full disk: what waits, what is lost, what is said."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from typing import Any

import aiomqtt
import pytest
from frugal_edge.clock import format_time
from frugal_edge.errors import StoreError
from frugal_edge.gateway.issued import issued_from

FORECAST = "frugal/gw/feeder%2F1/forecast"
READINGS = "frugal/gw/feeder%2F1/readings"


@pytest.fixture
def site(make_site: Callable[..., Any], broker: Any) -> Iterator[Any]:
    with make_site(broker) as made:
        yield made


def origins(payloads: list[bytes], step: int) -> list[int]:
    return [issued_from(payload, step).origin for payload in payloads]


def row(kit: Any, index: int, value: object) -> str:
    return json.dumps({"timestamp": format_time(kit.start + index * kit.step), "value": value})


def stored(site: Any) -> list[float]:
    table = site.gateway.stores.readings.table("feeder/1", ["value"], 0, 2**40)
    return [] if table is None else table.columns["value"].tolist()


def test_a_day_without_broker(site: Any, broker: Any, kit: Any, capsys: Any) -> None:
    """Every forecast of the day arrives once and in order."""

    async def talk() -> None:
        async with kit.running(site.link):
            await kit.until(lambda: site.link._trouble == "")
            broker.stop()
            await kit.until(lambda: site.count("mqtt_connected") == 0)
            for _ in range(100):
                site.forecast()
                await asyncio.sleep(0.005)  # tries to connect go on meanwhile
            assert site.count("outbox_messages") == 100
            broker.start()
            async with kit.listening(broker) as listener:
                await kit.until(lambda: site.count("outbox_messages") == 0)
                await kit.until(lambda: len(listener.on(FORECAST)) >= 100)
                await asyncio.sleep(0.2)  # for what comes twice
            steps = [kit.start + (n + 1) * kit.step for n in range(100)]
            found = [one.payload for one in listener.messages if one.topic.value == FORECAST]
            assert origins(found, kit.step) == steps

    kit.within(talk())
    assert site.count("outbox_dropped_total") == 0
    told = capsys.readouterr().err
    assert len(kit.events(told, "mqtt_failed")) <= 2  # lost, then refused; not once for each try
    assert len(kit.events(told, "mqtt_connected")) == 2


def test_what_finds_no_room_is_counted(
    make_site: Callable[..., Any], broker: Any, kit: Any, capsys: Any
) -> None:
    broker.stop()

    async def talk() -> None:
        with make_site(broker, outbox_messages=20) as site:
            site.forecast(100)
            assert site.count("outbox_dropped_total") == 80
            broker.start()
            async with kit.listening(broker) as listener:
                assert await site.link.deliver(10) == 20
                await kit.until(lambda: len(listener.on(FORECAST)) == 20)
            steps = [kit.start + (n + 1) * kit.step for n in range(80, 100)]
            assert origins(listener.on(FORECAST), kit.step) == steps

    kit.within(talk())
    assert len(kit.events(capsys.readouterr().err, "outbox_dropped")) == 80


def test_forecasts_outlive_the_process(
    make_site: Callable[..., Any], broker: Any, kit: Any
) -> None:
    broker.stop()
    with make_site(broker) as site:
        site.forecast(3)
    broker.start()

    async def talk() -> None:
        with make_site(broker) as again:
            async with kit.listening(broker) as listener:
                assert await again.link.deliver(10) == 3
                assert await again.link.deliver(10) == 0
                await kit.until(lambda: len(listener.on(FORECAST)) == 3)

    kit.within(talk())


def test_readings_wait_while_the_gateway_is_away(
    make_site: Callable[..., Any], broker: Any, kit: Any
) -> None:
    """The broker keeps them, also over a restart of its own."""

    async def send(*readings: str) -> None:
        async with aiomqtt.Client(kit.host, broker.port) as meter:
            for one in readings:
                await meter.publish(READINGS, one, qos=1)

    async def talk() -> None:
        clock = kit.Clock(kit.start + 10 * kit.step)
        with make_site(broker, clock=clock) as site:
            async with kit.running(site.link):
                await kit.until(lambda: site.count("mqtt_connected") == 1)
        await send(row(kit, 0, 1.0), row(kit, 1, 2.0))
        broker.stop()
        broker.start()
        await send(row(kit, 2, 3.0))
        with make_site(broker, clock=clock) as again:
            seen: list[list[float]] = []

            def look() -> list[Any]:
                seen.append(stored(again))
                return list(again.gateway.cycle())

            assert await again.link.deliver(10, look) == 1
            assert seen == [[1.0, 2.0, 3.0]]  # there before the look, which is once

    kit.within(talk())


def test_the_look_takes_place_without_a_broker(site: Any, broker: Any, kit: Any) -> None:
    broker.stop()
    looks: list[int] = []

    def look() -> list[Any]:
        looks.append(1)
        return list(site.gateway.cycle())

    assert asyncio.run(site.link.deliver(2, look)) == 0
    assert looks == [1]
    assert site.count("outbox_messages") == 1


def test_a_look_that_fails_is_not_blamed_on_the_broker(site: Any, broker: Any, kit: Any) -> None:
    looks: list[int] = []

    def look() -> list[Any]:
        looks.append(1)
        raise StoreError("database or disk is full")

    site.forecast()
    with pytest.raises(StoreError, match="is full"):
        asyncio.run(site.link.deliver(10, look))
    assert looks == [1]
    assert site.count("outbox_messages") == 0  # what waited went out all the same


def test_a_reading_that_cannot_be_stored_comes_again(
    site: Any, broker: Any, kit: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    put = site.gateway.stores.readings.put
    full = iter([True, True, False])

    def sometimes(*arguments: Any) -> int:
        if next(full, False):
            raise StoreError("database or disk is full")
        return int(put(*arguments))

    monkeypatch.setattr(site.gateway.stores.readings, "put", sometimes)

    async def talk() -> None:
        async with kit.running(site.link), kit.listening(broker) as listener:
            await kit.until(lambda: site.count("mqtt_connected") == 1)
            await listener.client.publish(READINGS, row(kit, 0, 4.5), qos=1)
            await kit.until(lambda: stored(site) == [4.5])

    kit.within(talk())
    reasons = [one["reason"] for one in kit.events(capsys.readouterr().err, "mqtt_failed")]
    assert any("database or disk is full" in reason for reason in reasons)


def test_a_broker_that_hangs(
    site: Any, broker: Any, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have a forecast that it never acknowledged: then that comes twice, and no other."""
    monkeypatch.setattr("frugal_edge.mqtt.client._REPLY_S", 0.3)

    async def talk() -> None:
        async with kit.listening(broker, FORECAST) as listener, kit.running(site.link):
            await kit.until(lambda: site.link._trouble == "")
            broker.process.send_signal(signal.SIGSTOP)
            site.forecast(3)
            await kit.until(lambda: site.link._trouble)
            await asyncio.sleep(1)  # some tries
            broker.process.send_signal(signal.SIGCONT)
            await kit.until(lambda: site.count("outbox_messages") == 0)
            await kit.until(lambda: len(set(listener.on(FORECAST))) == 3)
            found = [
                (origin - kit.start) // kit.step
                for origin in origins(listener.on(FORECAST), kit.step)
            ]
            assert sorted(found) == found
            assert found.count(2) == found.count(3) == 1

    kit.within(talk())


def test_a_full_disk_is_counted_and_does_not_raise(
    site: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any, kit: Any
) -> None:
    def full(*_: object) -> int:
        raise StoreError("gateway.db: database or disk is full")

    monkeypatch.setattr(site.link._outgoing.outbox, "put", full)
    site.forecast(2)
    assert site.count("outbox_dropped_total") == 2
    assert len(kit.events(capsys.readouterr().err, "store_failed")) == 2


def test_a_message_that_cannot_be_deleted_is_not_sent_again(
    site: Any, broker: Any, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = site.link._outgoing.outbox
    done = outbox.done
    full = iter([True, True, False])

    def sometimes(message: Any) -> None:
        if next(full, False):
            raise StoreError("database or disk is full")
        done(message)

    monkeypatch.setattr(outbox, "done", sometimes)
    site.forecast(2)

    async def talk() -> None:
        async with kit.listening(broker, FORECAST) as listener:
            async with kit.running(site.link):
                await kit.until(lambda: site.count("outbox_messages") == 0)
            await kit.until(lambda: len(listener.messages) >= 2)
            await asyncio.sleep(0.1)
        assert origins(listener.on(FORECAST), kit.step) == [
            kit.start + kit.step,
            kit.start + 2 * kit.step,
        ]

    kit.within(talk())
