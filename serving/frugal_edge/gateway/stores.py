"""All that a gateway keeps, over one database."""

from pathlib import Path

from frugal_edge.errors import StoreError
from frugal_edge.gateway.logs import log
from frugal_edge.gateway.target import Target
from frugal_edge.store.counters import Counters
from frugal_edge.store.database import Database
from frugal_edge.store.forecasts import Forecasts
from frugal_edge.store.quarantine import Quarantine
from frugal_edge.store.readings import Readings


class Stores:
    """The tables of a gateway.

    Parameters
    ----------
    state
        Folder of the gateway's state.

    Raises
    ------
    StoreError
        If the database cannot be opened.
    """

    def __init__(self, state: Path) -> None:
        self.database = Database(state)
        if self.database.set_aside:
            log("error", "database_damaged", set_aside=str(self.database.set_aside))
        self.readings = Readings(self.database)
        self.quarantine = Quarantine(self.database)
        self.forecasts = Forecasts(self.database)
        self.counters = Counters(self.database)

    def flush(self) -> None:
        """Write the counters; where that fails they are kept for the next time."""
        try:
            self.counters.flush()
        except StoreError as error:
            log("error", "store_failed", reason=str(error))

    def close(self) -> None:
        """Write what is left and close the database."""
        self.flush()
        self.database.close()


def settle(stores: Stores, target: Target) -> None:
    """Let nothing but readings in the unit of a series be read and written.

    Raises
    ------
    StoreError
        If the database cannot be read or written.
    """
    before = stores.readings.in_unit(target.series_id, target.unit)
    if before is not None:
        log(
            "warning",
            "unit_changed",
            series=target.series_id,
            before=before,
            now=target.unit,
            reason=f"readings in {before} are not used for it; send the history in {target.unit}",
        )
