"""Readings as they arrive: stored, or refused with the reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from frugal_edge.errors import InputError
from frugal_edge.gateway.installed import Installed
from frugal_edge.gateway.intake import readings_of, rows_of
from frugal_edge.gateway.logs import log
from frugal_edge.gateway.stores import Stores, settle
from frugal_edge.gateway.target import Target
from frugal_edge.gateway.when import when
from frugal_edge.store.quarantine import Refused
from frugal_edge.store.readings import Reading
from frugal_edge.strict_json import shown

_LONGEST = 500  # characters of what was refused
_MOST = 100  # refused rows of a message that are kept


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
        try:
            target = self._target(series_id)
            unit, rows = rows_of(payload)
        except InputError as error:
            self.refuse(series_id, source, str(error), payload)
            raise
        settle(self._stores, target)
        readings, trusted = self._stores.readings, self._installed.clock_trusted()
        now = when(target, readings, self._clock(), trusted=trusted)
        kept: list[Reading] = []
        refused = []
        for index, row in enumerate(rows):
            try:
                kept += readings_of(target, row, unit, now)
            except InputError as error:
                refused.append((index, str(error)))
        changed = readings.put(series_id, kept, now.time) if kept else 0
        self._quarantine(series_id, source, [(reason, rows[index]) for index, reason in refused])
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
        self._quarantine(series_id, source, [(reason, content)])

    def _quarantine(
        self, series_id: str, source: str, refusals: Sequence[tuple[str, object]]
    ) -> None:
        """Keep reasons and what they are about; of a message with many one line is logged."""
        if not refusals:
            return
        count, (reason, _) = len(refusals), refusals[0]
        name = series_id if series_id in self._installed.targets else shown(series_id)
        self._stores.counters.add("observations_refused_total", count, source=source)
        log("warning", "refused", series=name, source=source, rows=count, reason=reason)
        now = int(self._clock())
        self._stores.quarantine.put(
            [
                Refused(now, name, source, why, shown(content, _LONGEST))
                for why, content in refusals[-_MOST:]
            ]
        )
