"""A meter that sends its rows through the broker, and keeps them while that is away."""

import json
from collections.abc import Sequence

import aiomqtt

from demo.broker import HOST, Broker
from demo.feeder import UNIT, Row


class Meter:
    """What is on its way to the gateway.

    Parameters
    ----------
    broker
        Through which it goes.
    topic
        Where the gateway expects readings.
    """

    def __init__(self, broker: Broker, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        self._late: dict[int, list[Row]] = {}
        self._rows: list[Row] = []

    def give(self, rows: Sequence[Row]) -> None:
        """Have rows sent with the next message."""
        self._rows += rows

    def keep(self, rows: Sequence[Row], until: int) -> None:
        """Have rows sent at a later step."""
        self._late.setdefault(until, []).extend(rows)

    async def send(self, step: int) -> bool:
        """Send what is due, all in one message; say whether anything went."""
        self._rows += self._late.pop(step, [])
        if not self._rows or not self._broker.up:
            return False
        payload = json.dumps({"unit": UNIT, "observations": self._rows})
        async with aiomqtt.Client(HOST, self._broker.port) as client:
            await client.publish(self._topic, payload, qos=1)
        self._rows.clear()
        return True
