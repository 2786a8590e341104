"""The echo test: what is published comes back, or it did not arrive."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

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
    back: set[tuple[str, bytes]] = set()
    came = asyncio.Event()

    def take(topic: str, payload: bytes) -> None:
        back.add((topic, payload))
        came.set()

    out = {topics.echo: (secrets.token_hex(16).encode(), False)}
    for series_id, body in forecasts.items():
        out[topics.forecast(series_id)] = (packed(body, deflate=settings.deflate), True)
    denied: dict[str, str] = {}

    async def talk(client: Client) -> None:
        for topic, (payload, retain) in out.items():
            try:
                await client.listen(topic, SubscribeOptions.RETAIN_DO_NOT_SEND)
                await client.send(topic, payload, retain=retain)
            except DeniedError as error:
                denied[topic] = str(error).removeprefix(f"{topic}: ")
        expected = {(topic, payload) for topic, (payload, _) in out.items() if topic not in denied}
        try:
            async with asyncio.timeout(timeout_s):
                while expected - back:
                    came.clear()
                    await came.wait()
        except TimeoutError:
            return

    identifier = f"{settings.prefix}-{gateway}-echo"  # the gateway itself may be connected
    try:
        async with client_of(settings, identifier, take) as client:
            await first_of(client.lost(), talk(client))
    except aiomqtt.MqttError as error:
        raise TransportError(said(settings, error)) from error
    silent = (
        f"acknowledged, but not back within {timeout_s:g} s:"
        " the broker does not let this device publish or read it, and does not say so"
    )
    return [
        Echo(topic, denied.get(topic, None if (topic, payload) in back else silent))
        for topic, (payload, _) in out.items()
    ]
