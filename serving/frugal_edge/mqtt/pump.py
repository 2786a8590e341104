"""From the outbox to the broker: in order, each deleted when the broker has it."""

import asyncio

from frugal_edge.gateway.gateway import Gateway
from frugal_edge.mqtt.client import SMALLER, Client, TooLargeError
from frugal_edge.mqtt.outgoing import Outgoing
from frugal_edge.store.outbox import Message

_BECAUSE_OF_IT = (130, 149)  # reason codes: protocol error, packet too large


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

    def lost(self, error: BaseException) -> None:
        """Drop the message that was on its way if it is why the broker ended the connection.

        mosquitto 2.0 answers a payload beyond its `message_size_limit` with a reason that MQTT does
        not have there, which paho takes for a protocol error.

        Raises
        ------
        StoreError
            If the outbox cannot be written.
        """
        message, self._sending = self._sending, None
        reason = getattr(getattr(error.__cause__ or error, "rc", None), "value", 0)
        if message is not None and reason in _BECAUSE_OF_IT:
            told = (
                f"{message.topic}: {message.size} bytes, after which the broker hung up: {SMALLER}"
            )
            self._outgoing.dropped(1, told)
            self._outgoing.outbox.done(message)
