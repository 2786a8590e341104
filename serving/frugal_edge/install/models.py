"""What is installed, for the forecast cycle: which bundle runs, and whether it stays."""

from dataclasses import dataclass, replace
from pathlib import Path

from frugal_edge.install import audit, floors, slots
from frugal_edge.install.slots import Entry, Record

_CRASHED = "a cycle of its trial began and did not end"


@dataclass(frozen=True, slots=True)
class Line:
    """What is installed for one series.

    Attributes
    ----------
    series_id
        The series.
    current, previous
        Folders of the bundle that runs and of the one before, if there is one.
    trial_left
        Cycles that the current bundle must still pass; 0 if it is committed.
    """

    series_id: str
    current: Path | None
    previous: Path | None
    trial_left: int


class Models:
    """The bundles of one gateway; nothing is kept in memory, other processes may change them.

    Parameters
    ----------
    state
        State folder of the gateway.

    Raises
    ------
    InstallError
        By every method: if a file of the state cannot be read, written or understood.
    """

    def __init__(self, state: Path) -> None:
        self._state = state

    def series(self) -> tuple[str, ...]:
        """Return every series for which something was ever installed, sorted."""
        return slots.series(self._state)

    def line(self, series_id: str) -> Line:
        """Return what is installed for a series."""
        return self._line(slots.read(self._state, series_id))

    def stamp(self, series_id: str) -> object:
        """Return what differs whenever another bundle runs, whatever process brought it."""
        return slots.read(self._state, series_id).changes

    def begin(self, series_id: str) -> None:
        """Record that a cycle starts, durably if it is one of a trial.

        A trial whose last cycle began and did not end has brought the process down, and is rolled
        back before this one.
        """
        record = slots.read(self._state, series_id)
        if record.in_cycle:
            self.failed(series_id, _CRASHED)
        elif record.trial_left:
            with slots.changing(self._state, series_id) as record:
                slots.write(self._state, replace(record, in_cycle=record.trial_left > 0))

    def passed(self, series_id: str) -> Line:
        """Count a usable forecast in time; the last one of a trial commits the bundle."""
        if not slots.read(self._state, series_id).trial_left:
            return self.line(series_id)
        with slots.changing(self._state, series_id) as before:
            now = replace(before, trial_left=max(0, before.trial_left - 1), in_cycle=False)
            if now != before:
                slots.write(self._state, now)
        if now.current is not None and before.trial_left and not now.trial_left:
            commit(self._state, series_id, now.current)
        return self._line(now)

    def undecided(self, series_id: str) -> None:
        """Record that a cycle ended which says nothing of the model, as when data are missing."""
        if not slots.read(self._state, series_id).in_cycle:
            return
        with slots.changing(self._state, series_id) as record:
            slots.write(self._state, replace(record, in_cycle=False))

    def failed(self, series_id: str, why: str) -> Line:
        """Count a forecast that did not come; a bundle on trial is rolled back, others stay."""
        if not slots.read(self._state, series_id).trial_left:
            return self.line(series_id)
        with slots.changing(self._state, series_id) as record:
            back = record.rolled_back(one_line(why)) if record.trial_left else record
            if back is not record:
                slots.write(self._state, back)
        if back is not record:
            self._audit_return(record, back, why)
        return self._line(back)

    def _audit_return(self, before: Record, after: Record, why: str) -> None:
        audit.append(
            self._state,
            "automatic-rollback",
            series=before.series_id,
            id=None if before.current is None else before.current.id,
            to=None if after.current is None else after.current.id,
            why=one_line(why),
        )

    def _line(self, record: Record) -> Line:
        return Line(
            record.series_id,
            slots.folder_of(self._state, record.series_id, record.current),
            slots.folder_of(self._state, record.series_id, record.previous),
            record.trial_left,
        )


def commit(state: Path, series_id: str, entry: Entry) -> None:
    """Raise the floor of a series to a bundle whose trial is over, and audit it."""
    floors.lift(state, series_id, entry)
    audit.append(
        state, "commit", series=series_id, id=entry.id, sequence=entry.sequence, key=entry.key
    )


def one_line(text: str) -> str:
    """Return a reason as one line of printable characters, not empty."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:500] or "unknown"
