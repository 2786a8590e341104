"""The link between a gateway and its broker, which may be away."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import aiomqtt

from frugal_edge.errors import EdgeError, StoreError
from frugal_edge.gateway.config import MqttSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.issued import Issued
from frugal_edge.gateway.logs import log
from frugal_edge.mqtt.announcer import Announcer
from frugal_edge.mqtt.backoff import Backoff
from frugal_edge.mqtt.client import Client, DeniedError, client_of
from frugal_edge.mqtt.inbox import Inbox
from frugal_edge.mqtt.outgoing import Outgoing
from frugal_edge.mqtt.pump import Pump
from frugal_edge.mqtt.together import first_of
from frugal_edge.mqtt.topics import Topics
from frugal_edge.mqtt.words import said

_QUIET_S = 0.5  # without a message: none waits at the broker any more
_TROUBLES = (aiomqtt.MqttError, EdgeError)


class _Once:
    """A look that takes place once, with a broker or without; what it raises waits till the end."""

    def __init__(
        self,
        look: Callable[[], Sequence[Issued]] | None,
        offer: Callable[[Sequence[Issued]], None],
    ) -> None:
        self._look = look
        self._offer = offer
        self.failure: EdgeError | None = None

    def __call__(self) -> None:
        look, self._look = self._look, None
        if look is None:
            return
        try:
            self._offer(look())
        except EdgeError as error:
            self.failure = error


class Link:
    """Readings in and forecasts out.

    Parameters
    ----------
    gateway
        Whose.
    settings
        The broker, and what is said to it.
    backoff
        Pauses between tries.
    """

    def __init__(
        self, gateway: Gateway, settings: MqttSettings, backoff: Backoff | None = None
    ) -> None:
        topics = Topics(settings.prefix, gateway.config.name)
        self._settings = settings
        self._topics = topics
        self._identifier = f"{settings.prefix}-{gateway.config.name}"
        self._counters = gateway.stores.counters
        self._inbox = Inbox(gateway, topics)
        self._outgoing = Outgoing(gateway, settings, topics)
        self._pump = Pump(gateway, self._outgoing)
        self._announcer = Announcer(gateway, settings, topics, self._outgoing.sent)
        self._backoff = backoff or Backoff()
        self._wake = asyncio.Event()
        self._trouble: str | None = None
        self._counters.set("mqtt_connected", 0)

    def offer(self, issued: Sequence[Issued]) -> None:
        """Let forecasts wait for the broker, those that say something new."""
        self._outgoing.offer(issued)
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the connection and carry what comes, until a stop is asked for.

        A broker that is away, refuses or lies about its name is told in one line of the log for
        each change, and tried again.
        """
        while not stop.is_set():
            since = time.monotonic()
            try:
                async with self._connection() as client:
                    await first_of(client.lost(), self._carry(client, stop))
            except _TROUBLES as error:
                self._ended(error)
            finally:
                self._counters.set("mqtt_connected", 0)
            if time.monotonic() - since > self._backoff.most:
                self._backoff.reset()
            if not stop.is_set():
                await self._rest(stop)

    async def deliver(
        self, timeout_s: float, look: Callable[[], Sequence[Issued]] | None = None
    ) -> int:
        """Take the readings that wait at the broker, deliver the forecasts that do, disconnect.

        One connection does it, unless a message ended it that is then given up.

        Parameters
        ----------
        timeout_s
            For all of it [s].
        look
            Makes forecasts from the readings, between the two; called even if there is no broker.

        Returns
        -------
        int
            How many messages the broker took.

        Raises
        ------
        EdgeError
            If the look does.
        """
        before = self._pump.delivered
        once = _Once(look, self.offer)
        try:
            async with asyncio.timeout(timeout_s):
                while not await self._exchanged(once):
                    pass
        except TimeoutError:
            self._tell(f"{self._settings.host}:{self._settings.port}: not done in {timeout_s:g} s")
        once()
        if once.failure is not None:
            raise once.failure
        return self._pump.delivered - before

    async def _exchanged(self, look: Callable[[], None]) -> bool:
        """Connect and exchange what waits; false, after a pause, if it pays to do so again."""
        try:
            async with self._connection() as client:
                await first_of(client.lost(), self._exchange(client, look))
        except _TROUBLES as error:
            if not self._ended(error):
                return True
        else:
            return True
        finally:
            self._counters.set("mqtt_connected", 0)
        await asyncio.sleep(self._backoff.pause())
        return False

    def _connection(self) -> Client:
        return client_of(
            self._settings, self._identifier, self._inbox.take, status=self._topics.status
        )

    async def _carry(self, client: Client, stop: asyncio.Event) -> None:
        await self._begin(client)
        self._announcer.forget()
        while not stop.is_set():
            self._wake.clear()
            await self._announcer.announce(client)
            try:
                await self._pump.drain(client, stop)
            except DeniedError as error:
                self._tell(said(self._settings, error))
                await self._rest(stop)
                continue
            self._settled()
            if not stop.is_set():
                await first_of(_set(self._wake), _set(stop))
        await self._announcer.goodbye(client)

    async def _exchange(self, client: Client, look: Callable[[], None]) -> None:
        await self._begin(client)
        seen = -1
        while seen != self._inbox.messages:
            seen = self._inbox.messages
            await asyncio.sleep(_QUIET_S)
        look()
        await self._announcer.announce(client)
        await self._pump.drain(client, asyncio.Event())

    async def _begin(self, client: Client) -> None:
        self._counters.set("mqtt_connected", 1)
        await self._announcer.hello(client)

    async def _rest(self, stop: asyncio.Event) -> None:
        """Pause before the next try."""
        try:
            await asyncio.wait_for(stop.wait(), self._backoff.pause())
        except TimeoutError:
            return

    def _settled(self) -> None:
        """Tell that all is well, if it was not before."""
        if self._trouble != "":
            log("info", "mqtt_connected", broker=f"{self._settings.host}:{self._settings.port}")
        self._trouble = ""

    def _ended(self, error: BaseException) -> bool:
        """Tell why the connection ended, and say whether it pays to connect again at once."""
        self._tell(said(self._settings, error))
        with suppress(StoreError):  # then it is tried again
            return self._pump.lost(error)
        return False

    def _tell(self, trouble: str) -> None:
        """Tell of a trouble, unless it was the last thing that was told."""
        if trouble != self._trouble:
            log("error", "mqtt_failed", reason=trouble, outbox=self._waiting())
        self._trouble = trouble

    def _waiting(self) -> int | None:
        try:
            return self._outgoing.outbox.size()
        except StoreError:
            return None


async def _set(event: asyncio.Event) -> None:
    await event.wait()
