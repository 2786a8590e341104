"""What a series of intensities counts, as a pipeline declares it."""

from frugal_ai.cost.intensity.point import Base, Basis, Kind, Scope
from frugal_ai.settings import Settings


class Counts(Settings):
    """What the figures count that a pipeline learns to forecast.

    Attributes
    ----------
    kind, basis, scope
        As in `Base`.
    """

    kind: Kind
    basis: Basis
    scope: Scope

    @property
    def base(self) -> Base:
        """As what figures are compared by."""
        return Base(self.basis, self.kind, self.scope)
