import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from frugal_edge.clock import format_time
from frugal_edge.mqtt.payload import unpacked

FORECAST = "frugal/gw/feeder%2F1/forecast"
READINGS = "frugal/gw/feeder%2F1/readings"
STATUS = "frugal/gw/status"


@pytest.fixture
def site(make_site: Callable[..., Any], broker: Any) -> Iterator[Any]:
    with make_site(broker) as made:
        yield made


def row(kit: Any, index: int, value: object) -> str:
    return json.dumps({"timestamp": format_time(kit.start + index * kit.step), "value": value})


def stored(site: Any) -> list[float]:
    table = site.gateway.stores.readings.table("feeder/1", ["value"], 0, 2**40)
    return [] if table is None else table.columns["value"].tolist()


def test_readings_in_and_forecasts_out(site: Any, broker: Any, kit: Any, capsys: Any) -> None:
    async def talk() -> None:
        async with kit.listening(broker) as listener, kit.running(site.link):
            await kit.until(lambda: listener.on(STATUS) == [b"online"])
            await listener.client.publish(READINGS, row(kit, 0, 4.5), qos=1)
            await kit.until(lambda: stored(site) == [4.5])
            site.clock.now += kit.step
            site.link.offer(site.gateway.cycle())
            await kit.until(lambda: len(listener.on(FORECAST)) == 1)
            assert site.count("mqtt_connected") == 1
            await kit.until(lambda: site.count("outbox_messages") == 0)  # its receipt comes after
        assert listener.on(FORECAST) == [site.gateway.body("feeder/1")]
        assert json.loads(listener.on(FORECAST)[0])["values"] == [4.5] * 96

    kit.within(talk())
    out = len(FORECAST) + len(site.gateway.body("feeder/1"))
    out += 2 * len(STATUS) + len("online") + len("offline")
    assert site.count("uplink_bytes_total") == out
    assert site.count("downlink_bytes_total") == len(READINGS) + len(row(kit, 0, 4.5))
    assert site.count("mqtt_connected") == 0
    assert len(kit.events(capsys.readouterr().err, "mqtt_connected")) == 1


def test_a_late_subscriber_finds_forecast_and_status(site: Any, broker: Any, kit: Any) -> None:
    site.forecast(2)

    async def talk() -> None:
        assert await site.link.deliver(10) == 2
        async with kit.listening(broker) as listener:
            await kit.until(lambda: len(listener.messages) == 2)
        assert listener.on(FORECAST) == [site.gateway.body("feeder/1")]
        assert listener.on(STATUS) == [b"online"]  # of a gateway that comes and goes by a timer
        assert all(one.retain for one in listener.messages)

    kit.within(talk())


def test_deflated_forecasts(make_site: Callable[..., Any], broker: Any, kit: Any) -> None:
    async def talk() -> None:
        with make_site(broker, deflate=True) as site:
            site.forecast()
            assert await site.link.deliver(10) == 1
            async with kit.listening(broker, FORECAST) as listener:
                await kit.until(lambda: listener.messages)
            body = site.gateway.body("feeder/1")
            assert unpacked(listener.on(FORECAST)[0]) == json.loads(body)
            assert len(listener.on(FORECAST)[0]) < len(body)

    kit.within(talk())


def test_malformed_messages_do_not_end_the_connection(site: Any, broker: Any, kit: Any) -> None:
    bad = [b"", b"{", b"\xff", b"1e999", b"[" * 10_000, bytes(2 << 20), b'{"value": NaN}']

    async def talk() -> None:
        async with kit.running(site.link), kit.listening(broker, STATUS) as listener:
            await kit.until(lambda: site.count("mqtt_connected") == 1)
            for payload in bad:
                await listener.client.publish(READINGS, payload, qos=1)
            await listener.client.publish("frugal/gw/unknown/readings", row(kit, 0, 1), qos=1)
            await listener.client.publish(READINGS, bytes(5 << 20), qos=1)  # beyond any packet
            await listener.client.publish(READINGS, row(kit, 0, 4.5), qos=1)
            await kit.until(lambda: stored(site) == [4.5])
            assert listener.on(STATUS) == [b"online"]

    kit.within(talk())
    assert site.count("observations_refused_total", source="mqtt") == len(bad) + 1


def test_a_stop_is_told_and_prompt(site: Any, broker: Any, kit: Any) -> None:
    async def talk() -> None:
        async with kit.listening(broker, STATUS) as listener:
            async with kit.running(site.link):
                await kit.until(lambda: site.count("mqtt_connected") == 1)
            await kit.until(lambda: listener.on(STATUS) == [b"online", b"offline"])

    kit.within(talk())


def test_home_assistant_is_told_at_every_connection_and_of_new_series(
    make_site: Callable[..., Any], broker: Any, kit: Any
) -> None:
    from frugal_edge.gateway.target import Target

    async def talk() -> None:
        with make_site(broker, discovery="homeassistant") as site:
            async with kit.listening(broker, "homeassistant/#") as listener:
                async with kit.running(site.link):
                    await kit.until(lambda: len(listener.messages) == 2)
                    target = Target(series_id="new", unit="MW", step_s=900, horizon=96)
                    site.gateway.installed.targets["new"] = target
                    site.link.offer([])
                    await kit.until(lambda: len(listener.messages) == 4)
                async with kit.running(site.link):
                    await kit.until(lambda: len(listener.messages) == 8)
                assert await site.link.deliver(10) == 0  # by a timer: only what changed
                await asyncio.sleep(0.1)
            assert len(listener.messages) == 8
            assert len({one.topic.value for one in listener.messages}) == 4
            for one in listener.messages:
                content = json.loads(one.payload)
                assert content["state_topic"].startswith("frugal/gw/")
                assert content["availability_topic"] == STATUS

    kit.within(talk())


def test_report_by_exception_saves_messages(
    make_site: Callable[..., Any], broker: Any, kit: Any
) -> None:
    with make_site(broker, deadband=0.01) as site:  # of -500 to 500: 10
        site.forecast(1, lambda _: 100.0)
        assert site.count("outbox_messages") == 1
        site.forecast(40, lambda _: 104.0)
        assert site.count("outbox_messages") == 1
        assert site.count("forecasts_suppressed_total", series="feeder/1") == 40
        site.forecast(1, lambda _: 115.0)
        assert site.count("outbox_messages") == 2
    with make_site(broker, deadband=0.01, clock=site.clock) as again:  # another process
        again.forecast(1, lambda _: 116.0)
        assert again.count("outbox_messages") == 2
        assert again.count("forecasts_suppressed_total", series="feeder/1") == 41


def test_what_was_dropped_does_not_stand_for_what_comes(
    make_site: Callable[..., Any], broker: Any
) -> None:
    with make_site(broker, deadband=0.01, outbox_bytes=10) as site:  # nothing fits
        site.forecast(3, lambda _: 100.0)
        assert site.count("outbox_dropped_total") == 3
        assert site.count("forecasts_suppressed_total", series="feeder/1") == 0
