"""The days go by: readings in, forecasts out, and what goes wrong in between."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from frugal_edge.gateway.config import GatewayConfig, MqttSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.mqtt.backoff import Backoff
from frugal_edge.mqtt.link import Link
from frugal_edge.mqtt.topics import Topics

from demo import story
from demo.broker import HOST, Broker
from demo.feeder import DAY, HISTORY_DAYS, SERIES, STEP, Feeder
from demo.meter import Meter
from demo.spectator import Arrival, watch
from demo.view import View

NAME = "demo"
_STEPS = DAY // STEP
_SHOWN = 4  # steps between two pictures
_PATIENCE_S = 10.0


@dataclass
class Clock:
    """The simulated time [unix s]."""

    now: float

    def __call__(self) -> float:
        """Return it."""
        return self.now


@dataclass
class Outcome:
    """What came of the days."""

    arrivals: list[Arrival] = field(default_factory=list)
    issued: int = 0
    until: int = 0
    dropped: int = 0
    up: int = 0
    down: int = 0


class Days:
    """The simulated days of a gateway.

    Parameters
    ----------
    state
        Folder of the gateway, with a bundle installed.
    broker
        A broker that runs.
    feeder
        What is measured.
    view
        Who watches.
    """

    def __init__(self, state: Path, broker: Broker, feeder: Feeder, view: View) -> None:
        self._broker = broker
        self._feeder = feeder
        self._view = view
        self._clock = Clock(float(feeder.first))
        settings = MqttSettings(host=HOST, port=broker.port)
        config = GatewayConfig(name=NAME, state=state, mqtt=settings)
        self._gateway = Gateway(config, self._clock)
        self._link = Link(self._gateway, settings, Backoff(0.05, 0.2))
        self._topics = Topics(settings.prefix, NAME)
        self._meter = Meter(broker, self._topics.readings(SERIES))
        self._outcome = Outcome()

    async def pass_by(self, days: int, seconds: float) -> Outcome:
        """Let days pass, each in some seconds of real time."""
        stop = asyncio.Event()
        topic = self._topics.forecast(SERIES)
        spectator = asyncio.create_task(
            watch(self._broker, topic, STEP, self._clock, self._arrived)
        )
        link = asyncio.create_task(self._link.run(stop))
        counters = self._gateway.stores.counters
        try:
            await self._until(lambda: counters.get("mqtt_connected") == 1)
            first = self._feeder.first
            self._meter.give(self._feeder.readings(first - HISTORY_DAYS * DAY, first))
            self._meter.give(self._feeder.forecast(first - HISTORY_DAYS * DAY, first))
            for step in range(days * _STEPS):
                due = time.monotonic() + seconds / _STEPS
                await self._step(step)
                await asyncio.sleep(max(due - time.monotonic(), 0))
        finally:
            stop.set()
            spectator.cancel()
            await asyncio.gather(link, spectator, return_exceptions=True)
            self._outcome.until = int(self._clock.now)
            self._outcome.dropped = int(counters.get("outbox_dropped_total"))
            self._outcome.up = int(counters.get("uplink_bytes_total"))
            self._outcome.down = int(counters.get("downlink_bytes_total"))
            self._gateway.close()
        return self._outcome

    async def _step(self, step: int) -> None:
        """Let a step pass: what is known of it arrives, and the gateway looks."""
        now = int(self._clock.now)
        self._mind_the_story(step)
        if not step % _STEPS:
            self._meter.give(self._feeder.forecast(now, now + 2 * DAY))
        await self._send(step)
        issued = self._gateway.cycle()
        self._outcome.issued += len(issued)
        self._link.offer(issued)
        if self._broker.up:
            await self._until(lambda: len(self._outcome.arrivals) >= self._outcome.issued)
        rows = self._feeder.readings(now, now + STEP)
        silent = story.away(step, "meter")
        if silent:
            self._meter.keep(rows, silent.back)
        else:
            self._meter.give(rows)
        self._clock.now += STEP
        if issued or not step % _SHOWN:
            self._view.refresh(self._state())

    def _mind_the_story(self, step: int) -> None:
        if trouble := story.begins(step):
            self._view.tell(self._clock.now, trouble.told)
        gone = story.away(step, "broker") is not None
        if gone and self._broker.up:
            self._broker.stop()
        elif not gone and not self._broker.up:
            self._broker.start()

    async def _send(self, step: int) -> None:
        counters = self._gateway.stores.counters
        before = counters.get("downlink_bytes_total")
        if await self._meter.send(step):
            await self._until(lambda: counters.get("downlink_bytes_total") > before)

    def _arrived(self, arrival: Arrival) -> None:
        self._outcome.arrivals.append(arrival)
        self._view.arrived(arrival)

    def _state(self) -> str:
        waiting = int(self._gateway.stores.counters.get("outbox_messages"))
        broker = "there" if self._broker.up else "away"
        return f"broker {broker}, {waiting} forecasts wait, {len(self._outcome.arrivals)} arrived"

    async def _until(self, ready: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while not ready():  # noqa: ASYNC110 - other tasks count, none tells
                    await asyncio.sleep(0.002)
