"""The gateway itself: readings in, forecasts out, whatever happens to data and models."""

import time
from collections.abc import Callable

from frugal_edge.errors import StoreError
from frugal_edge.gateway import energy
from frugal_edge.gateway.config import GatewayConfig
from frugal_edge.gateway.cycle import Cycle
from frugal_edge.gateway.gauges import gauge
from frugal_edge.gateway.installed import Installed
from frugal_edge.gateway.issued import Issued
from frugal_edge.gateway.logs import log
from frugal_edge.gateway.receiver import Receipt, Receiver
from frugal_edge.gateway.stores import Stores


class Gateway:
    """All series of a gateway, over one folder of state; for one thread.

    Parameters
    ----------
    config
        Of the gateway.
    clock
        Returns the time [unix s].

    Attributes
    ----------
    stores
        What it keeps: readings, forecasts, counters.
    installed
        Its series and their models.

    Raises
    ------
    StoreError
        If the database cannot be opened.
    """

    def __init__(self, config: GatewayConfig, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.clock = clock
        self.stores = Stores(config.state)
        self.installed = Installed(config, self.stores.counters, clock)
        self.receiver = Receiver(self.stores, self.installed, clock)
        self._cycle = Cycle(config, self.stores, self.installed, clock)
        self._changed = set(self.installed.refresh())
        self._charged = time.monotonic()

    def observe(self, series_id: str, payload: object, source: str) -> Receipt:
        """Check and store the rows of a message, see `Receiver.observe`."""
        receipt = self.receiver.observe(series_id, payload, source)
        if receipt.changed:
            self._changed.add(series_id)
        return receipt

    def cycle(self) -> list[Issued]:
        """Forecast every series for which there is something new, and return what was issued."""
        self._changed |= set(self.installed.refresh())
        changed, self._changed = self._changed, set()
        issued = []
        for series_id, target in sorted(self.installed.targets.items()):
            try:
                found = self._cycle.look(target, changed=series_id in changed)
            except StoreError as error:
                log("error", "store_failed", series=series_id, reason=str(error))
                found = self._cycle.without_readings(target, str(error))
                self._changed.add(series_id)  # the next look may find the disk well again
            if found is not None:
                issued.append(found)
        self._charge_idle()
        if self.installed.clock_trusted():
            self.stores.counters.begin(self.clock())
        try:
            gauge(self.stores, self.installed, self.clock())
        except StoreError as error:
            log("error", "store_failed", reason=str(error))
        self.stores.flush()
        return issued

    def body(self, series_id: str) -> bytes | None:
        """Return the newest forecast of a series as JSON, None before there is one."""
        return self._cycle.body(series_id)

    def close(self) -> None:
        """Write what is left and close the database."""
        self._charge_idle()
        self.stores.close()

    def _charge_idle(self) -> None:
        before, self._charged = self._charged, time.monotonic()
        if self.config.power is not None:
            rest = energy.idle(self.config.power, self._charged - before)
            energy.book(self.stores.counters, rest, "idle")
