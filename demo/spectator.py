"""Another client of the broker, which knows nothing of the gateway but its topic."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiomqtt
from frugal_edge.gateway.issued import Issued, issued_from

from demo.broker import HOST, Broker

_PAUSE_S = 0.05


@dataclass(frozen=True)
class Arrival:
    """A forecast that arrived at a time of the simulated clock [unix s]."""

    issued: Issued
    time: float
    bytes: int


async def watch(
    broker: Broker,
    topic: str,
    step_s: int,
    clock: Callable[[], float],
    arrived: Callable[[Arrival], None],
) -> None:
    """Tell of every forecast, until cancelled; the broker keeps them for a while."""
    while True:
        try:
            async with aiomqtt.Client(
                HOST, broker.port, identifier="spectator", clean_session=False
            ) as client:
                await client.subscribe(topic, qos=1)
                async for message in client.messages:
                    if message.retain:  # kept by the broker, sent for the subscription
                        continue
                    size = len(message.topic.value) + len(message.payload)
                    arrived(Arrival(issued_from(message.payload, step_s), clock(), size))
        except aiomqtt.MqttError:
            await asyncio.sleep(_PAUSE_S)
