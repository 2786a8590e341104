"""What each rung of a run costs, booked while it is measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from frugal_ai.backtest.evaluate import Stage
from frugal_ai.cost.context import Cost, CostContext, total_cost
from frugal_ai.cost.ledger import Finding, Ledger, Size
from frugal_ai.cost.meter import Meter
from frugal_ai.cost.record import Stage as RecordStage
from frugal_ai.report import RunReport

T = TypeVar("T")

_FUNCTIONAL_UNIT = 1000  # forecasts; one forecast is all steps from one origin
_ORIGINAL = "original"  # among the candidates of compression: what the rung itself became


@dataclass(frozen=True)
class RungCost:
    """What a rung costs.

    Attributes
    ----------
    fit_cpu_s
        CPU time of the final fit [s].
    training
        Features, the trial for the choice, and the final fit.
    per_1000
        A thousand forecasts with the exported graph.
    latency_us
        Wall time of one of them, warm [us].
    spread
        Relative standard deviation of the measured CPU times [1], weighted by their cost.
    """

    fit_cpu_s: float
    training: Cost
    per_1000: Cost
    latency_us: float
    spread: float

    def life_g(self, forecasts: int) -> float:
        """Return the emissions of training and of a number of forecasts [gCO2e]."""
        return self.training.co2e_g + self.per_1000.co2e_g * forecasts / _FUNCTIONAL_UNIT

    def dynamic_g(self, forecasts: int) -> float:
        """Return the dynamic part of `life_g` [gCO2e], which rungs are ranked by.

        The idle share follows wall time, which a busy neighbour stretches.
        """
        use = self.per_1000.co2e_dynamic_g * forecasts / _FUNCTIONAL_UNIT
        return self.training.co2e_dynamic_g + use


class Common:
    """Measures work that no rung is charged with, and books it in the run's ledger."""

    def __init__(self, meter: Meter, ledger: Ledger) -> None:
        self._meter = meter
        self._ledger = ledger

    def __call__(self, stage: RecordStage, note: str, work: Callable[[], T]) -> T:
        """Measure work once and book it."""
        result, measurement = self._meter.measure(work, repeat=False)
        self._ledger.add(stage, measurement, note=note)
        return result


class Account:
    """Measures the work of one rung and books it in the run's ledger.

    Attributes
    ----------
    size
        Of what the rung learns from, where it is known.
    """

    def __init__(self, rung: str, meter: Meter, ledger: Ledger) -> None:
        self._rung = rung
        self._meter = meter
        self._ledger = ledger
        self._costs: list[tuple[str, Cost, float | None]] = []
        self.size: Size | None = None

    def __call__(self, stage: Stage, work: Callable[[], T], *, note: str = "") -> T:
        """Measure work and book it; short work is repeated, but for trial fits and what has a note.

        What has a note is done once, and quicker if it were done again.
        """
        result, measurement = self._meter.measure(work, repeat=stage != "tuning" and not note)
        self._ledger.add(stage, measurement, rung=self._rung, note=note, size=self.size)
        self._costs.append((stage, self._context.cost(measurement), measurement.rel_std))
        return result

    def attempt(self, work: Callable[[], T], note: str) -> tuple[T, Cost]:
        """Book a trial of the rung, or of one that it is compared with, as tuning."""
        result, measurement = self._meter.measure(work, repeat=False)
        self._ledger.add("tuning", measurement, rung=self._rung, note=note, size=self.size)
        cost = self._context.cost(measurement)
        self._costs.append(("tuning", cost, measurement.rel_std))
        return result, cost

    @property
    def spent(self) -> Cost:
        """Everything so far but forecasts."""
        return total_cost(cost for _, cost, _ in self._costs)

    def replay(self, work: Callable[[], T]) -> T:
        """Book forecasts that the run itself makes with the exported graph."""
        return self._aside("inference", work)

    def export(self, work: Callable[[], T]) -> T:
        """Book making the graph, which a gateway needs and a comparison of rungs does not."""
        return self._aside("deployment", work)

    def _aside(self, stage: RecordStage, work: Callable[[], T]) -> T:
        """Book work that the rung is not judged by."""
        result, measurement = self._meter.measure(work, repeat=False)
        self._ledger.add(stage, measurement, rung=self._rung, size=self.size)
        return result

    def close(self, forecast: Callable[[], object]) -> RungCost:
        """Measure one forecast with the exported graph and sum up.

        Its repeats are the meter's own cost, not the rung's.
        """
        _, one = self._meter.measure(forecast)
        known = [(cost.co2e_dynamic_g, std) for _, cost, std in self._costs if std is not None]
        weight = sum(grams for grams, _ in known)
        return RungCost(
            fit_cpu_s=sum(cost.cpu_s for stage, cost, _ in self._costs if stage == "training"),
            training=self.spent,
            per_1000=self._context.cost(one.times(_FUNCTIONAL_UNIT)),
            latency_us=one.wall_s * 1e6,
            spread=sum(grams * std for grams, std in known) / weight if weight else 0.0,
        )

    @property
    def _context(self) -> CostContext:
        return self._ledger.context


def findings(report: RunReport) -> dict[str, Finding]:
    """Return what a finished run says of its rungs, for their lines in the ledger."""
    candidates = report.compression.candidates if report.compression else ()
    cold_ms = next((one.cold_ms for one in candidates if one.kind == _ORIGINAL), None)
    return {
        one.rung: Finding(
            metric_name=f"test MAE [{report.unit}]",
            metric_value=one.mae,
            metric_ci=one.mae_ci,
            cold_start_cpu_s=cold_ms / 1000 if one.chosen and cold_ms is not None else None,
        )
        for one in report.rungs
    }
