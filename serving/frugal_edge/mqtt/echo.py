"""The echo test: what is published comes back, or it did not arrive."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiomqtt
from paho.mqtt.subscribeoptions import SubscribeOptions

from frugal_edge.errors import TransportError
from frugal_edge.gateway.config import MqttSettings
from frugal_edge.mqtt.client import Client, DeniedError, client_of
from frugal_edge.mqtt.payload import packed
from frugal_edge.mqtt.together import first_of
from frugal_edge.mqtt.topics import Topics
from frugal_edge.mqtt.words import said


@dataclass(frozen=True, slots=True)
class Echo:
    """What became of a message.

    Attributes
    ----------
    topic
        Where it was published.
    trouble
        Why it did not come back, None if it did.
    """

    topic: str
    trouble: str | None


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Messages on their way out, by topic, each with whether it is retained; and what comes back.

    Attributes
    ----------
    denied
        Why a topic was refused.
    """

    out: Mapping[str, tuple[bytes, bool]]
    back: set[tuple[str, bytes]] = field(default_factory=set)
    denied: dict[str, str] = field(default_factory=dict)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, topic: str, payload: bytes) -> None:
        self.back.add((topic, payload))
        self.came.set()

    async def talk(self, client: Client, timeout_s: float) -> None:
        """Send everything, and wait until all that was not refused is back, or for so long."""
        for topic, (payload, retain) in self.out.items():
            try:
                await client.listen(topic, SubscribeOptions.RETAIN_DO_NOT_SEND)
                await client.send(topic, payload, retain=retain)
            except DeniedError as error:
                self.denied[topic] = str(error).removeprefix(f"{topic}: ")
        sent = {(topic, payload) for topic, (payload, _) in self.out.items()}
        expected = {one for one in sent if one[0] not in self.denied}
        try:
            async with asyncio.timeout(timeout_s):
                while expected - self.back:
                    self.came.clear()
                    await self.came.wait()
        except TimeoutError:
            return

    def echoes(self, silent: str) -> list[Echo]:
        """Say what became of each message, and ``silent`` of one that did not come back."""
        return [
            Echo(topic, self.denied.get(topic, None if (topic, payload) in self.back else silent))
            for topic, (payload, _) in self.out.items()
        ]


async def echo_test(
    settings: MqttSettings, gateway: str, forecasts: Mapping[str, bytes], timeout_s: float
) -> list[Echo]:
    """Publish to oneself, and wait for it: that a broker acknowledges does not say that it acts.

    Parameters
    ----------
    settings
        Of the gateway.
    gateway
        Its name.
    forecasts
        Newest forecast of each series that has one, JSON; it is published once more, which a
        consumer must be able to bear.
    timeout_s
        For all messages to come back [s].

    Returns
    -------
    list[Echo]
        The gateway's echo topic, then the topics of its forecasts.

    Raises
    ------
    TransportError
        If the broker cannot be reached, refuses, or is lost.
    """
    topics = Topics(settings.prefix, gateway)
    out = {topics.echo: (secrets.token_hex(16).encode(), False)}
    for series_id, body in forecasts.items():
        out[topics.forecast(series_id)] = (packed(body, deflate=settings.deflate), True)
    exchange = _Exchange(out)
    identifier = f"{settings.prefix}-{gateway}-echo"  # the gateway itself may be connected
    try:
        async with client_of(settings, identifier, exchange.take) as client:
            await first_of(client.lost(), exchange.talk(client, timeout_s))
    except aiomqtt.MqttError as error:
        raise TransportError(said(settings, error)) from error
    return exchange.echoes(
        f"acknowledged, but not back within {timeout_s:g} s:"
        " the broker does not let this device publish or read it, and does not say so"
    )
