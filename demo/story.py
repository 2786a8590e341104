"""What goes wrong in the days of the demonstration."""

from dataclasses import dataclass

from demo.feeder import STEP

_DAY = 48  # steps


@dataclass(frozen=True)
class Trouble:
    """Something that is away for some steps.

    Attributes
    ----------
    what
        ``meter``: its readings come when it is back; ``broker``: nothing passes.
    since, until
        Steps from the beginning.
    told
        What a spectator reads.
    back
        The step at which readings of it come late; `until` for at once.
    """

    what: str
    since: int
    until: int
    told: str
    back: int


def _at(day: int, hour: float) -> int:
    return day * _DAY + round(hour * 3600 / STEP)


STORY = (
    Trouble("meter", _at(2, 10), _at(2, 11.5), "3 readings, a day late", _at(3, 12)),
    Trouble("meter", _at(5, 18), _at(6, 9), "meter silent until 9:00", _at(6, 9)),
    Trouble("broker", _at(8, 6), _at(10, 6), "broker away for 2 days", _at(10, 6)),
)


def away(step: int, what: str) -> Trouble | None:
    """Return the trouble of a kind at a step, if there is one."""
    for one in STORY:
        if one.what == what and one.since <= step < one.until:
            return one
    return None


def begins(step: int) -> Trouble | None:
    """Return the trouble that begins at a step, if one does."""
    return next((one for one in STORY if one.since == step), None)
