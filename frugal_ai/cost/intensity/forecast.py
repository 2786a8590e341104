"""Our own forecast: a bundle of this project, asked as a gateway asks it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from frugal_edge.errors import EdgeError, InputError
from frugal_edge.manifest import Counts

from frugal_ai.cost.intensity.named import declared_base
from frugal_ai.cost.intensity.point import Base, Point, stamp
from frugal_ai.cost.intensity.provider import within
from frugal_ai.errors import CostError

UNIT = "gCO2e/kWh"
_LEVELS = (0.1, 0.9)


@dataclass(frozen=True)
class Forecast:
    """A bundle and what it has to know of the past.

    Attributes
    ----------
    bundle
        Its folder.
    history
        CSV of observations up to now, as ``frugal-edge forecast`` reads it.
    base
        What the intensity that was learnt counts, where the bundle does not say it.
    known
        CSV of what is known ahead, such as a weather forecast; None where the history holds it or
        the bundle reads none.
    clock_checked
        Refuse a time before the bundle was made: the clock of the machine is wrong then.
    """

    bundle: Path
    history: Path
    base: Base | None = None
    known: Path | None = None
    clock_checked: bool = True

    def points(self, start: datetime, end: datetime) -> tuple[Point, ...]:
        """Forecast from the last origin at or before the start.

        Raises
        ------
        CostError
            If the bundle cannot be trusted, is not of an intensity, or does not hold at the start,
            the history does not reach up to the origin, what is known ahead is missing, or nobody
            says what the figures count.
        """
        from frugal_edge.oneshot import forecast_files
        from frugal_edge.origin import latest_origin
        from frugal_edge.runtime import load

        try:
            forecaster = load(self.bundle)
            about = forecaster.manifest
            self._check(about.unit, about.created, start)
            base = self._base(about.counts)
            origin = latest_origin(about, int(start.timestamp()))
            answer = forecast_files(forecaster, self.history, self.known, origin)
        except InputError as error:
            raise CostError(f"{error}{self._hint(about.columns('known'))}") from error
        except EdgeError as error:
            raise CostError(str(error)) from error
        point, quantiles = answer.forecast.point, answer.forecast.quantiles
        ends = [about.quantiles.index(q) if q in about.quantiles else None for q in _LEVELS]
        first = datetime.fromtimestamp(origin, UTC)
        found = []
        for step, value in enumerate(point.tolist()):
            low, high = (None if at is None else float(quantiles[step, at]) for at in ends)
            found.append(
                Point(
                    first + timedelta(seconds=step * about.step_s),
                    about.step_s,
                    max(value, 0.0),
                    base,
                    estimated=True,
                    source=f"forecast by {about.id}",
                    low=low,
                    high=high,
                )
            )
        return within(tuple(found), start, end)

    def _base(self, counts: Counts | None) -> Base:
        """Return what the figures count, as the bundle or the user says."""
        if counts is None:
            return declared_base(self.base, str(self.bundle))
        found = Base(counts.basis, counts.kind, counts.scope)  # type: ignore[arg-type]  # read strictly
        if self.base not in {None, found}:
            raise CostError(
                f"--counts: expected what {self.bundle} says of itself, {found}; got {self.base}"
            )
        return found

    def _hint(self, ahead: tuple[str, ...]) -> str:
        if not ahead or self.known is not None:
            return ""
        return f"; the bundle reads {', '.join(ahead)} ahead: give them with --known FILE"

    def _check(self, unit: str, created: int, start: datetime) -> None:
        if unit != UNIT:
            raise CostError(f"{self.bundle}: expected a forecast in {UNIT}, got {unit}")
        if self.clock_checked and start.timestamp() < created:
            made = stamp(datetime.fromtimestamp(created, UTC))
            raise CostError(
                f"clock: expected a time after the bundle was made, {made}, got {stamp(start)};"
                " give the time with --now"
            )
