"""Forecasts on their way out: into the outbox first, where they survive whatever happens."""

from collections.abc import Sequence

from frugal_edge.errors import StoreError
from frugal_edge.gateway.config import MqttSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.issued import Issued, issued_from
from frugal_edge.gateway.logs import log
from frugal_edge.mqtt import deadband
from frugal_edge.mqtt.payload import packed
from frugal_edge.mqtt.topics import Topics
from frugal_edge.store.outbox import Message, Outbox
from frugal_edge.store.readings import VALUE
from frugal_edge.store.sent import Sent


class Outgoing:
    """The way of forecasts into the outbox.

    Attributes
    ----------
    outbox
        What waits for the broker.
    sent
        What was offered last, by topic.
    """

    def __init__(self, gateway: Gateway, settings: MqttSettings, topics: Topics) -> None:
        self._gateway = gateway
        self._settings = settings
        self._topics = topics
        database = gateway.stores.database
        self.outbox = Outbox(database, settings.outbox_messages, settings.outbox_bytes)
        self.sent = Sent(database)

    def offer(self, issued: Sequence[Issued]) -> None:
        """Let those forecasts that are news wait for the broker; what finds no room is counted."""
        try:
            self._put([one for one in issued if self._is_news(one)])
            self.gauge()
        except StoreError as error:
            log("error", "store_failed", reason=str(error), forecasts=len(issued))
            self.dropped(len(issued), "the outbox could not be written")

    def dropped(self, count: int, reason: str) -> None:
        """Count and tell of messages that nobody will get."""
        self._gateway.stores.counters.add("outbox_dropped_total", count)
        log("error", "outbox_dropped", messages=count, reason=reason)

    def gauge(self) -> None:
        """Tell how many messages wait.

        Raises
        ------
        StoreError
            If the database cannot be read.
        """
        self._gateway.stores.counters.set("outbox_messages", self.outbox.size())

    def _put(self, issued: Sequence[Issued]) -> None:
        if not issued:
            return
        bodies = [(self._topics.forecast(one.series_id), one.as_json()) for one in issued]
        deflate = self._settings.deflate
        messages = [
            Message(topic, packed(body, deflate=deflate), retain=True) for topic, body in bodies
        ]
        with self._gateway.stores.database.writing(durable=True):
            dropped = self.outbox.put(messages, int(self._gateway.clock()))
            if self._settings.deadband:
                for topic, body in bodies:
                    self.sent.put(topic, body)
            if dropped:  # what nobody got cannot stand for what comes next
                self.sent.clear()
        if dropped:
            self.dropped(dropped, "the outbox is full")

    def _is_news(self, one: Issued) -> bool:
        share = self._settings.deadband
        if not share:
            return True
        body = self.sent.get(self._topics.forecast(one.series_id))
        last = None if body is None else issued_from(body, one.step_s)
        loaded = self._gateway.installed.loaded.get(one.series_id)
        target = self._gateway.installed.targets.get(one.series_id)
        bounds = loaded.forecaster.manifest.bounds.history if loaded else None
        limits = (target.limits or {}).get(VALUE) if target else None
        if deadband.is_news(one, last, deadband.band(share, bounds, limits)):
            return True
        self._gateway.stores.counters.add("forecasts_suppressed_total", series=one.series_id)
        return False
