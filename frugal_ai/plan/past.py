"""What earlier runs on a machine took, by run and rung, from the project's ledger."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from frugal_ai.cost.hardware import HardwareRecord
from frugal_ai.cost.ledger import Size
from frugal_ai.cost.record import STORE_MADE, Record
from frugal_ai.plan.scaling import Point

COMMON = {
    "data": "data",
    "features": "start of libraries",
    "tuning": "comparison",
    "compression": "compression",
    "deployment": "bundle and report",
    "metering": "metering",
    "unattributed": "unattributed",
}
"""What no rung is charged with, by stage; which rung is compressed is not known beforehand."""

_NAMES = frozenset(COMMON.values())

_COMPRESSION = frozenset({"distillation", "quantization"})
_NO_SIZE = Size(rows=1, features=1)


@dataclass(frozen=True)
class Took:
    """What a rung, or something in common, took in one run.

    Attributes
    ----------
    pipeline, run_id
        Of the run.
    what
        Name of the rung, or one of the words of `COMMON`.
    point
        Size, CPU time and wall time; for what is common the size is of no meaning.
    """

    pipeline: str
    run_id: str
    what: str
    point: Point


def took(records: Iterable[Record], hardware: HardwareRecord, threads: int) -> tuple[Took, ...]:
    """Add up what whole runs on this machine took; a record that stands twice counts once.

    What is done once for all runs, as the store of MLflow is made, is left out.

    Parameters
    ----------
    records
        Of the project's ledger.
    hardware, threads
        The machine, and the threads that a run keeps to itself; runs on others are left out.
    """
    groups: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for one in dict.fromkeys(records):
        if one.note == STORE_MADE:
            continue
        here = (one.cpu_model, one.cpu_count) == (hardware.cpu_model, hardware.cpu_count)
        if here and one.n_threads == threads and not one.run_id.endswith("-compress"):
            groups[one.experiment_id, one.run_id, _what(one)].append(one)
    found = (_took(key, group) for key, group in groups.items())
    return tuple(one for one in found if one is not None)


def _what(record: Record) -> str:
    if record.stage in _COMPRESSION:
        return "compression"
    return record.rung or COMMON.get(record.stage, record.stage)


def _took(key: tuple[str, str, str], group: Sequence[Record]) -> Took | None:
    pipeline, run_id, what = key
    size: Size | None = _NO_SIZE
    if what not in _NAMES:
        size = next(
            (Size(r.n_rows, r.n_features) for r in group if r.n_rows and r.n_features), None
        )
    if size is None:  # a ledger of before sizes were booked
        return None
    point = Point(size, fsum(r.cpu_time_s for r in group), fsum(r.wall_s for r in group))
    return Took(pipeline, run_id, what, point)
