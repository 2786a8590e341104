"""``serve`` and ``once`` with a broker, as processes of their own."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from frugal_edge.clock import format_time

STATUS = "frugal/gw/status"
FORECAST = "frugal/gw/feeder/forecast"
READINGS = "frugal/gw/feeder/readings"
STEP = 900


@pytest.fixture
def configure(tmp_path: Path) -> Callable[[Any], Path]:
    """Write the configuration of a gateway without a model."""

    def write(broker: Any) -> Path:
        lines = ["gateway: gw", "state: state", "series:", "  feeder:"]
        lines += ["    unit: MW", "    step: 15min", "    horizon: 96"]
        lines += ["mqtt:", "  host: 127.0.0.1", f"  port: {broker.port}"]
        path = tmp_path / "gateway.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@contextmanager
def serving(config: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "frugal_edge", "serve", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def last_interval() -> dict[str, object]:
    now = int(time.time())
    return {"timestamp": format_time(now - now % STEP - STEP), "value": 4.5}


def test_the_last_will_tells_of_a_gateway_that_was_killed(
    configure: Any, broker: Any, kit: Any
) -> None:
    config = configure(broker)

    async def talk() -> None:
        async with kit.listening(broker, "frugal/#") as listener:
            with serving(config) as process:
                await kit.until(lambda: listener.on(STATUS) == [b"online"])
                await kit.until(lambda: listener.on(FORECAST))
                assert json.loads(listener.on(FORECAST)[0])["quality"] == "unavailable"
                process.kill()
                await kit.until(lambda: listener.on(STATUS)[-1] == b"offline")
        async with kit.listening(broker, STATUS) as late:
            await kit.until(lambda: late.on(STATUS) == [b"offline"])  # retained

    kit.within(talk())


def test_a_service_that_is_stopped_says_so(configure: Any, broker: Any, kit: Any) -> None:
    config = configure(broker)

    async def talk() -> None:
        async with kit.listening(broker, STATUS) as listener:
            with serving(config) as process:
                await kit.until(lambda: listener.on(STATUS) == [b"online"])
                process.send_signal(signal.SIGTERM)
                _, told = await asyncio.to_thread(process.communicate, timeout=60)
                assert process.returncode == 0
                assert listener.on(STATUS) == [b"online", b"offline"]
                assert [json.loads(line)["event"] for line in told.splitlines()][-1] == "stopped"

    kit.within(talk())


def test_once_takes_what_waits_and_delivers(configure: Any, broker: Any, kit: Any) -> None:
    config = configure(broker)
    command = [sys.executable, "-m", "frugal_edge", "once", "--config", str(config)]

    async def once() -> Any:
        return await asyncio.to_thread(
            subprocess.run, command, check=True, capture_output=True, text=True, timeout=60
        )

    async def talk() -> None:
        await once()  # the broker knows it from now on
        async with aiomqtt.Client(kit.host, broker.port) as meter:
            await meter.publish(READINGS, json.dumps(last_interval()), qos=1)
        done = await once()
        (issued,) = map(json.loads, done.stdout.splitlines())
        assert issued["values"] == [4.5] * 96
        async with kit.listening(broker, FORECAST) as listener:
            await kit.until(lambda: listener.messages)
            assert json.loads(listener.on(FORECAST)[0]) == issued

    kit.within(talk())
