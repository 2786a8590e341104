"""The process ends between a publication and its deletion."""

import asyncio
import signal
import subprocess
import sys
from typing import Any

from frugal_edge.gateway.issued import issued_from

FORECAST = "frugal/gw/feeder%2F1/forecast"

CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
from frugal_edge.gateway.config import GatewayConfig, MqttSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.mqtt.link import Link
from frugal_edge.store.outbox import Outbox

done, last = Outbox.done, int(sys.argv[3])

def die(self, message):
    if message.id == last:
        os.kill(os.getpid(), signal.SIGKILL)
    done(self, message)

Outbox.done = die
settings = MqttSettings(host="127.0.0.1", port=int(sys.argv[2]), discovery=None)
gateway = Gateway(GatewayConfig(name="gw", state=Path(sys.argv[1]), mqtt=settings))
asyncio.run(Link(gateway, settings).deliver(10))
"""


def test_one_forecast_at_most_comes_twice_and_can_be_told(
    broker: Any, make_site: Any, kit: Any
) -> None:
    with make_site(broker) as site:
        site.forecast(6)
        state = site.gateway.config.state

    async def talk() -> None:
        async with kit.listening(broker, FORECAST) as listener:
            child = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-c", CHILD, str(state), str(broker.port), "3"],
                check=False,
                timeout=120,
            )
            assert child.returncode == -signal.SIGKILL
            with make_site(broker) as again:
                assert await again.link.deliver(10) == 4
            await kit.until(lambda: len(listener.messages) == 7)
        payloads = listener.on(FORECAST)
        steps = [(issued_from(one, kit.step).origin - kit.start) // kit.step for one in payloads]
        assert steps == [1, 2, 3, 3, 4, 5, 6]
        assert payloads[2] == payloads[3]  # the same forecast, byte for byte

    kit.within(talk())
