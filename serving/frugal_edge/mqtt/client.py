"""A client of the broker that keeps what the broker says, and readings until they are stored."""

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from frugal_edge.errors import ConfigError, TransportError
from frugal_edge.gateway.config import MqttSettings
from frugal_edge.mqtt.tls import context_of
from frugal_edge.mqtt.topics import OFFLINE

_QOS = 1
_REPLY_S = 10.0  # for the broker to acknowledge something
_SESSION_S = 86400  # that the broker keeps readings for a gateway that is away
_AROUND = 12  # bytes of a packet beside topic and payload, at most
SMALLER = "set deflate: true here, or raise its limit"
_PACKET = 4 << 20  # bytes; the broker must not send more at a time

# What matters is raised and told in the gateway's own log.
_SILENT = logging.getLogger("frugal_edge.mqtt")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_HUNG_UP = (
    "the broker ended the connection before it answered:"
    " check port, ca, and whether it asks for a certificate"
)

Take = Callable[[str, bytes], None]


class DeniedError(TransportError):
    """The broker is there and does not let this device do something."""


class TooLargeError(TransportError):
    """The broker takes no message of this size, now or later."""


class Client(aiomqtt.Client):
    """A connection, MQTT 5, in which everything is acknowledged.

    aiomqtt passes over the reason in an acknowledgement, acknowledges what it has merely put in its
    queue, and waits for the answer of a broker that hung up. Here a refused message raises; one
    that arrives is acknowledged when `take` returned: where it raises, the connection ends and the
    broker brings the message again; and who hangs up is told at once.
    """

    _refusal: ReasonCode | None = None
    _largest: int | None = None  # packet that the broker takes [bytes], if it said so

    async def send(self, topic: str, payload: bytes | str, *, retain: bool = False) -> int:
        """Publish, wait until the broker has it, and return how many bytes that took.

        Raises
        ------
        TooLargeError
            If it is larger than the broker takes.
        DeniedError
            If the broker says that it does not take it.
        aiomqtt.MqttError
            If it does not answer.
        """
        size = len(topic.encode()) + len(payload) + _AROUND
        if self._largest is not None and size > self._largest:
            raise TooLargeError(
                f"{topic}: a packet of {size} bytes, and the broker takes {self._largest}:"
                f" {SMALLER}"
            )
        self._refusal = None
        await self.publish(topic, payload, qos=_QOS, retain=retain)
        if self._refusal is not None:
            raise DeniedError(
                f"{topic}: the broker does not let this device publish: {self._refusal}:"
                " check its access control list"
            )
        return len(topic) + len(payload)

    async def listen(
        self, topic: str, retained: int = SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
    ) -> None:
        """Subscribe.

        Parameters
        ----------
        topic
            What to.
        retained
            When the broker sends what it keeps of the topic, see paho's `SubscribeOptions`.

        Raises
        ------
        DeniedError
            If the broker says that it does not allow it.
        aiomqtt.MqttError
            If it does not answer.
        """
        options = SubscribeOptions(qos=_QOS, retainHandling=retained)
        for code in await self.subscribe(topic, options=options):
            if isinstance(code, ReasonCode) and code.is_failure:
                raise DeniedError(
                    f"{topic}: the broker does not let this device subscribe: {code}:"
                    " check its access control list"
                )

    async def lost(self) -> None:
        """Wait until the connection is lost, which raises.

        Raises
        ------
        aiomqtt.MqttError
            Always.
        """
        async for _ in self.messages:  # none: `take` has them all
            pass

    def _on_connect(
        self,
        client: Any,
        userdata: Any,
        flags: Any,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self._largest = getattr(properties, "MaximumPacketSize", None)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(
        self,
        client: Any,
        userdata: Any,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        if reason_code.is_failure:
            self._refusal = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_disconnect(
        self,
        client: Any,
        userdata: Any,
        flags: Any,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if self._connected.cancelled():
            return
        if not self._connected.done():  # aiomqtt would go on waiting for the answer
            self._connected.set_exception(aiomqtt.MqttError(_HUNG_UP))
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await super().__aexit__(exc_type, exc, tb)
        if self._client.socket() is not None:  # left open after an error in `take`
            self._client.disconnect()


def client_of(
    settings: MqttSettings, identifier: str, take: Take, *, status: str | None = None
) -> Client:
    """Prepare a connection.

    Parameters
    ----------
    settings
        Of the gateway.
    identifier
        By which the broker knows it, and its session.
    take
        Is called with topic and payload of each message that arrives.
    status
        Topic of the last will; without one there is no session to come back to either.

    Raises
    ------
    ConfigError
        If a file of the settings cannot be used.
    """

    class Door(asyncio.Queue[aiomqtt.Message]):
        """aiomqtt's queue, through which nothing has to wait."""

        def put_nowait(self, item: aiomqtt.Message) -> None:
            take(item.topic.value, item.payload)

    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
    properties.SessionExpiryInterval = _SESSION_S if status else 0
    properties.MaximumPacketSize = _PACKET
    return Client(
        settings.host,
        settings.port,
        username=settings.username,
        password=_password(settings),
        logger=_SILENT,
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=status is None,
        properties=properties,
        keepalive=settings.keepalive_s,
        timeout=_REPLY_S,
        tls_context=context_of(settings),
        will=aiomqtt.Will(status, OFFLINE, qos=_QOS, retain=True) if status else None,
        queue_type=Door,
    )


def _password(settings: MqttSettings) -> str | None:
    if settings.password_file is None:
        return None
    try:
        text = settings.password_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"mqtt: password_file: {settings.password_file}: cannot be read: {reason}"
        ) from error
    return text.rstrip("\r\n")
