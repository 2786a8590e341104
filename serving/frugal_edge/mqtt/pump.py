"""From the outbox to the broker: in order, each deleted when the broker has it."""

import asyncio
from dataclasses import dataclass

from frugal_edge.gateway.gateway import Gateway
from frugal_edge.mqtt.client import SMALLER, Client, TooLargeError
from frugal_edge.mqtt.outgoing import Outgoing
from frugal_edge.store.outbox import Message

_TOO_LARGE, _PROTOCOL = 149, 130  # reason codes
_TRIES = 3  # that must end alike before a message is given up


@dataclass(frozen=True, slots=True)
class _Ended:
    """How many connections in a row ended with a message."""

    message: int = 0
    tries: int = 0


class Pump:
    """Empties the outbox of a gateway.

    Attributes
    ----------
    delivered
        How many messages the broker took.
    """

    def __init__(self, gateway: Gateway, outgoing: Outgoing) -> None:
        self._counters = gateway.stores.counters
        self._outgoing = outgoing
        self._taken = 0  # the broker has all up to this one
        self._sending: Message | None = None
        self._ended = _Ended()
        self.delivered = 0

    async def drain(self, client: Client, stop: asyncio.Event) -> None:
        """Publish what waits, one after the other, until nothing does or a stop is asked for.

        What is too large for the broker is dropped, counted and told.

        One message at a time is on its way: they cannot overtake each other, and one at most comes
        twice, if the process or the connection ends between its publication and its deletion.

        Raises
        ------
        DeniedError
            If the broker does not take a message; it stays, and all that come after it.
        aiomqtt.MqttError
            If the connection is lost.
        StoreError
            If the outbox cannot be read or written.
        """
        while waiting := self._outgoing.outbox.head():
            try:
                for message in waiting:
                    if stop.is_set():
                        return
                    await self._deliver(client, message)
            finally:
                self._outgoing.gauge()

    async def _deliver(self, client: Client, message: Message) -> None:
        if message.id > self._taken:  # or it is there and could not be deleted the last time
            self._sending = message
            try:
                sent = await client.send(message.topic, message.payload, retain=message.retain)
            except TooLargeError as error:  # else all that come after it would wait for ever
                self._outgoing.dropped(1, str(error))
            else:
                self.delivered += 1
                self._counters.add("uplink_bytes_total", sent)
            self._taken, self._sending = message.id, None
        self._outgoing.outbox.done(message)

    def lost(self, error: BaseException) -> bool:
        """Take note that the connection ended while a message was on its way.

        A broker that says that the packet is too large does not take it later either: it is
        dropped. mosquitto 2.0 answers a payload beyond its `message_size_limit` with a reason that
        MQTT does not have there, which paho takes for a protocol error. That may have another cause
        and pass, so the message is dropped when it has ended several connections in a row, all of
        which had worked until it was sent.

        Returns
        -------
        bool
            Whether it pays to connect again at once: it was the message, or may have been.

        Raises
        ------
        StoreError
            If the outbox cannot be written.
        """
        message, self._sending = self._sending, None
        reason = getattr(getattr(error.__cause__ or error, "rc", None), "value", 0)
        if message is None or reason not in (_TOO_LARGE, _PROTOCOL):
            return False
        before = self._ended.tries if self._ended.message == message.id else 0
        self._ended = _Ended(message.id, before + 1)
        if reason == _TOO_LARGE or self._ended.tries >= _TRIES:
            told = (
                f"{message.topic}: {message.size} bytes, after which the broker hung up: {SMALLER}"
            )
            self._outgoing.dropped(1, told)
            self._outgoing.outbox.done(message)
        return True
