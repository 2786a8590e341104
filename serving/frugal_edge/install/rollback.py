"""An operator's return to the bundle before."""

from collections.abc import Sequence
from pathlib import Path

from frugal_edge.bundle import open_bundle
from frugal_edge.errors import InstallError
from frugal_edge.install import audit, slots
from frugal_edge.install.installer import LOCK, recover
from frugal_edge.install.lock import sole
from frugal_edge.install.slots import Record
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_folder


def roll_back(
    state: Path, series_id: str, store: TrustStore, why: str, by: str | None = None
) -> Record:
    """Let the bundle before run again, or none where a first one is on trial.

    Parameters
    ----------
    state
        State folder of the gateway.
    series_id
        The series.
    store
        The keys that are trusted.
    why, by
        For the audit: the reason, and who asked, if that is not the user of the process.

    Raises
    ------
    InstallError
        If nothing is installed, or there is nothing to return to.
    BundleError
        If the bundle before is not complete any more.
    SignatureError
        If its key is not trusted any more: it would not start.
    """
    with sole(state / LOCK, f"rollback {series_id}"):
        recover(state)
        if slots.read(state, series_id).current is None:
            raise InstallError(f"{series_id}: {_nothing(series_id, slots.series(state))}")
        with slots.changing(state, series_id) as record:
            back = _checked(state, record, store, why)
            audit.append(
                state,
                "rollback",
                series=series_id,
                id=None if record.current is None else record.current.id,
                to=None if back.current is None else back.current.id,
                why=why,
                by=by,
            )
            slots.write(state, back)
        return back


def _checked(state: Path, record: Record, store: TrustStore, why: str) -> Record:
    if record.previous is None and not record.trial_left:
        running = None if record.current is None else record.current.id
        raise InstallError(f"{record.series_id}: no bundle is kept from before {running}")
    folder = slots.folder_of(state, record.series_id, record.previous)
    if folder is not None:
        open_bundle(folder, verify_folder(folder, store).digests)
    return record.rolled_back(why)


def _nothing(series_id: str, known: Sequence[str]) -> str:
    if series_id in known:
        return "no bundle runs, and none is kept from before"
    return "nothing is installed" + (f"; there is {', '.join(known)}" if known else "")
