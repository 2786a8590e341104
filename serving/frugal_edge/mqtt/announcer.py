"""What a gateway says of itself to a broker, and what it asks for."""

import hashlib

from frugal_edge.gateway.config import MqttSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.logs import log
from frugal_edge.mqtt.client import Client, DeniedError
from frugal_edge.mqtt.discovery import configurations
from frugal_edge.mqtt.topics import OFFLINE, ONLINE, Topics
from frugal_edge.store.sent import Sent


class Announcer:
    """Status, subscription and discovery of a gateway.

    What a broker does not allow of it is told once and does without: forecasts matter more.
    """

    def __init__(
        self, gateway: Gateway, settings: MqttSettings, topics: Topics, sent: Sent
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._topics = topics
        self._sent = sent
        self._told: dict[str, bytes] = {}
        self._anew = False
        self._denied: dict[str, str] = {}
        if settings.deflate and settings.discovery:
            log(
                "info",
                "mqtt_no_discovery",
                reason="Home Assistant does not read deflated forecasts",
            )

    async def hello(self, client: Client) -> None:
        """Ask for readings, and say that the gateway is there."""
        try:
            await client.listen(self._topics.all_readings)
            self._denied.pop(self._topics.all_readings, None)
        except DeniedError as error:
            self._tell(self._topics.all_readings, error)
        await self._say(client, self._topics.status, ONLINE.encode())

    async def goodbye(self, client: Client) -> None:
        """Say that the gateway goes."""
        await self._say(client, self._topics.status, OFFLINE.encode())

    def forget(self) -> None:
        """Announce every series anew: the broker may have lost what it kept."""
        self._anew = True
        self._told.clear()

    async def announce(self, client: Client) -> None:
        """Let Home Assistant know of each series that it was not yet told of.

        Raises
        ------
        aiomqtt.MqttError
            If the connection is lost.
        StoreError
            If the database cannot be read or written.
        """
        first = self._settings.discovery
        if first is None or self._settings.deflate:
            return
        for target in list(self._gateway.installed.targets.values()):
            name = self._gateway.config.name
            for topic, payload in configurations(first, name, self._topics, target).items():
                digest = hashlib.sha256(payload).digest()
                known = self._told.get(topic) if self._anew else self._sent.get(topic)
                if known == digest:
                    continue
                self._told[topic] = digest
                if await self._say(client, topic, payload):
                    self._sent.put(topic, digest)

    async def _say(self, client: Client, topic: str, payload: bytes) -> bool:
        try:
            sent = await client.send(topic, payload, retain=True)
        except DeniedError as error:
            self._tell(topic, error)
            return False
        self._denied.pop(topic, None)
        self._gateway.stores.counters.add("uplink_bytes_total", sent)
        return True

    def _tell(self, topic: str, error: DeniedError) -> None:
        if self._denied.get(topic) != str(error):
            log("error", "mqtt_denied", reason=str(error))
        self._denied[topic] = str(error)
