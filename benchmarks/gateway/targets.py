"""What the gateway is to keep within, beside what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

COLUMNS = ("what", "target", "measured", "reached")


@dataclass(frozen=True)
class Bound:
    """A figure and its bound, both as the page writes them.

    Attributes
    ----------
    what, target, shown
        As the page says them.
    reached
        None where it was not measured.
    """

    what: str
    target: str
    shown: str
    reached: bool | None

    def row(self) -> tuple[str, ...]:
        """Write it."""
        said = {True: "yes", False: "no", None: "-"}[self.reached]
        return self.what, self.target, self.shown, said


def most(what: str, value: float | None, bound: float, unit: str, digits: int = 1) -> Bound:
    """Bound a figure from above; None was not measured."""
    shown = "-" if value is None else f"{value:,.{digits}f} {unit}".rstrip()
    return Bound(
        what, f"≤ {bound:g} {unit}".rstrip(), shown, None if value is None else value <= bound
    )


def least(what: str, value: float | None, bound: float, unit: str) -> Bound:
    """Bound a figure from below; None was not measured."""
    shown = "-" if value is None else f"{value:,.0f} {unit}"
    return Bound(what, f"≥ {bound:,g} {unit}", shown, None if value is None else value >= bound)


def rows(bounds: Sequence[Bound]) -> list[tuple[str, ...]]:
    """Write all."""
    return [one.row() for one in bounds]
