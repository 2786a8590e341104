"""Readings that a broker brings: stored, or refused and counted; nothing that comes can crash."""

from contextlib import suppress

from frugal_edge.errors import InputError
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.mqtt.topics import Topics
from frugal_edge.strict_json import parse

LARGEST = 1 << 20  # bytes of a message
_SOURCE = "mqtt"
_SHOWN = 200  # bytes of a message that is kept in quarantine


class Inbox:
    """The way of readings into a gateway.

    Attributes
    ----------
    messages
        How many came.
    """

    def __init__(self, gateway: Gateway, topics: Topics) -> None:
        self._gateway = gateway
        self._topics = topics
        self.messages = 0

    def take(self, topic: str, payload: bytes) -> None:
        """Store the readings of a message; what cannot be stored goes to quarantine.

        Raises
        ------
        StoreError
            If nothing can be stored now; the broker must keep the message.
        """
        self.messages += 1
        self._gateway.stores.counters.add("downlink_bytes_total", len(topic) + len(payload))
        series_id = topic
        try:
            series_id = self._topics.series_of(topic)
            content = _content(payload)
        except InputError as error:
            refuse = self._gateway.receiver.refuse
            refuse(series_id, _SOURCE, str(error), payload[:_SHOWN])
            return
        with suppress(InputError):  # the gateway has it in quarantine
            self._gateway.observe(series_id, content, _SOURCE)


def _content(payload: bytes) -> object:
    if len(payload) > LARGEST:
        raise InputError(f"payload: expected at most {LARGEST} bytes, got {len(payload)}")
    return parse(payload, "payload", InputError)
