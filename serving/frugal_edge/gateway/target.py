"""What a gateway knows of a series that it forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass

from frugal_edge.gateway.config import SeriesSettings
from frugal_edge.manifest import Manifest, Range
from frugal_edge.store.readings import VALUE

_DAY_S = 86400
_BEYOND = 1.0  # ranges of what the manifest still calls usual: farther out it is another unit


@dataclass(frozen=True, slots=True)
class Target:
    """A series, with a model or without.

    Attributes
    ----------
    series_id, unit, simulated
        As in the manifest.
    step_s
        Length of an interval [s].
    horizon
        Steps that are forecast.
    phase_s
        Where the grid of steps lies in Unix time [s].
    observed
        Columns that are known when they are over: the value and past covariates.
    known
        Columns that are known ahead.
    limits
        Lowest and highest reading that is stored, by column.
    history_s
        How far before an origin readings matter [s].
    season_s
        Season of the fallback [s].
    """

    series_id: str
    unit: str
    step_s: int
    horizon: int
    phase_s: int = 0
    simulated: bool = False
    observed: tuple[str, ...] = (VALUE,)
    known: tuple[str, ...] = ()
    limits: Mapping[str, Range] | None = None
    history_s: int = 0
    season_s: int = _DAY_S

    @property
    def horizon_s(self) -> int:
        """How far it is forecast [s]."""
        return self.horizon * self.step_s

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read."""
        return (*self.observed, *self.known)


def target_of(manifest: Manifest, settings: SeriesSettings, season_s: int, seasons: int) -> Target:
    """Describe a series by its model; the settings say limits of their own."""
    lookback = manifest.inputs["known"].lookback if "known" in manifest.inputs else 0
    reach = (max(manifest.history_steps, lookback) + manifest.gap_policy.max_gap_steps) + 1
    return Target(
        series_id=manifest.series_id,
        unit=manifest.unit,
        step_s=manifest.step_s,
        horizon=manifest.horizon,
        phase_s=manifest.origins.valid_from % manifest.step_s,
        simulated=manifest.simulated,
        observed=(VALUE, *manifest.columns("past")),
        known=manifest.columns("known"),
        limits=_limits(manifest, settings),
        history_s=max(reach * manifest.step_s, seasons * season_s),
        season_s=season_s,
    )


def declared_target(series_id: str, settings: SeriesSettings, seasons: int) -> Target | None:
    """Describe a series by the settings alone, None if they do not say enough."""
    if settings.unit is None or settings.step_s is None or settings.horizon is None:
        return None
    low, high = _own_limits(settings)
    return Target(
        series_id=series_id,
        unit=settings.unit,
        step_s=settings.step_s,
        horizon=settings.horizon,
        limits={VALUE: (low, high)},
        history_s=seasons * _DAY_S,
    )


def _own_limits(settings: SeriesSettings) -> Range:
    low, high = settings.minimum, settings.maximum
    return (float("-inf") if low is None else low, float("inf") if high is None else high)


def _limits(manifest: Manifest, settings: SeriesSettings) -> dict[str, Range]:
    bounds = manifest.bounds
    usual = {**bounds.known, **bounds.past}
    if bounds.history is not None:
        usual[VALUE] = bounds.history
    found = {}
    for name, (low, high) in usual.items():
        margin = _BEYOND * (high - low)
        found[name] = (low - margin, high + margin)
    own = _own_limits(settings)
    low, high = found.get(VALUE, own)
    found[VALUE] = (
        low if settings.minimum is None else own[0],
        high if settings.maximum is None else own[1],
    )
    return found
