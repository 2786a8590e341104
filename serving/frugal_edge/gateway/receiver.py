"""Readings as they arrive: stored, or refused with the reason."""

from collections.abc import Callable
from dataclasses import dataclass

from frugal_edge.errors import InputError
from frugal_edge.gateway.installed import Installed
from frugal_edge.gateway.intake import Now, readings_of, rows_of
from frugal_edge.gateway.logs import log
from frugal_edge.gateway.stores import Stores
from frugal_edge.gateway.target import Target
from frugal_edge.store.quarantine import Refused
from frugal_edge.store.readings import Reading
from frugal_edge.strict_json import shown


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the rows of a message.

    Attributes
    ----------
    accepted
        How many were stored or were there already.
    refused
        Index and reason of each of the others.
    changed
        Whether a forecast may now come out different.
    """

    accepted: int
    refused: tuple[tuple[int, str], ...]
    changed: bool


class Receiver:
    """The door through which readings come, whatever brings them."""

    def __init__(self, stores: Stores, installed: Installed, clock: Callable[[], float]) -> None:
        self._stores = stores
        self._installed = installed
        self._clock = clock

    def observe(self, series_id: str, payload: object, source: str) -> Receipt:
        """Check and store the rows of a message; those that are refused go to quarantine.

        Parameters
        ----------
        series_id
            Whose readings they are.
        payload
            Parsed JSON, see `frugal_edge.gateway.intake.rows_of`.
        source
            What brought it: ``http`` or ``mqtt``.

        Raises
        ------
        InputError
            If the series is not one of the gateway's, or the message is no list of rows.
        StoreError
            If nothing can be stored.
        """
        now = int(self._clock())
        try:
            target = self._target(series_id)
            unit, rows = rows_of(payload)
        except InputError as error:
            self.refuse(series_id, source, str(error), payload)
            raise
        newest = self._stores.readings.newest(series_id)
        against = Now(now, self._installed.clock_trusted(), newest)
        kept: list[Reading] = []
        refused = []
        for index, row in enumerate(rows):
            try:
                kept += readings_of(target, row, unit, against)
            except InputError as error:
                refused.append((index, str(error)))
                self.refuse(series_id, source, str(error), row)
        changed = self._stores.readings.put(series_id, kept, now) if kept else 0
        self._stores.counters.add("observations_total", len(kept), series=series_id, source=source)
        return Receipt(len(rows) - len(refused), tuple(refused), bool(changed))

    def _target(self, series_id: str) -> Target:
        target = self._installed.targets.get(series_id)
        if target is None:
            raise InputError(f"no series {shown(series_id)} here")
        return target

    def refuse(self, series_id: str, source: str, reason: str, content: object) -> None:
        """Keep something that cannot be stored where an operator finds it.

        Raises
        ------
        StoreError
            If nothing can be stored.
        """
        self._stores.counters.add("observations_refused_total", source=source)
        log("warning", "refused", series=shown(series_id), source=source, reason=reason)
        self._stores.quarantine.put(
            Refused(int(self._clock()), shown(series_id), source, reason, shown(content))
        )
