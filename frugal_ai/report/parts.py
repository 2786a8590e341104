"""The parts of a run's report."""

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Lt, MinLen
from pydantic import AwareDatetime, Field, JsonValue, model_validator

from frugal_ai.report.figures import Amount, Bounds, Count, Figures, Share
from frugal_ai.report.leads import LeadReport
from frugal_ai.report.row import Outcome
from frugal_ai.settings import Settings


class LevelReport(Settings):
    """One quantile on the test origins: its pinball loss and what it was calibrated to.

    `share` is that of the observations which the quantile was not below [1], None where nothing was
    uncertain; `pinball` is in units of the series.
    """

    level: Annotated[float, Gt(0), Lt(1)]
    pinball: Amount
    share: Share | None = None


class RungReport(Figures):
    """One rung of a run: what it is, its figures and its verdict.

    `over` is the rung that the gain is over. `mae_by_lead` is its error in bands of lead time, from
    the first on; older runs have none. `params` are the rung's settings. `levels` are its
    quantiles one by one. `tuning` is None where the settings are the declared ones.
    """

    rung: Annotated[str, MinLen(1)]
    family: str
    params: dict[str, JsonValue] = Field(default_factory=dict)
    over: str | None = None
    verdict: Outcome | None = None
    chosen: bool = False
    mae_by_lead: tuple[LeadReport, ...] = ()
    levels: tuple[LevelReport, ...] = ()
    tuning: "TuningReport | None" = None
    ended: AwareDatetime


class NotRun(Settings):
    """A rung of the pipeline that was left out, and why.

    Attributes
    ----------
    why
        ``gain``: a trial let expect too little; ``unsupported``: data or settings do not support
        it; ``parity``: its exported graph disagrees with it.
    reason
        In words.
    gain, gain_ci, over, origins
        Expected over the best rung before it [1], on that many validation origins; None where there
        was no trial.
    expected_cpu_s, expected_co2e_g
        What it would have cost [CPU-s], [gCO2e].
    spent_cpu_s, spent_co2e_g
        What finding that out cost.
    """

    rung: Annotated[str, MinLen(1)]
    family: str
    why: Literal["gain", "unsupported", "parity"]
    reason: str
    gain: float | None = None
    gain_ci: Bounds | None = None
    over: str | None = None
    origins: Count | None = None
    expected_cpu_s: Amount | None = None
    expected_co2e_g: Amount | None = None
    spent_cpu_s: Amount = 0.0
    spent_co2e_g: Amount = 0.0

    @property
    def sentence(self) -> str:
        """One line for a reader."""
        return f"not run: {self.rung}, {self.reason}"


class TuningReport(Settings):
    """The search of a rung's settings: how many were tried, and what that cost."""

    trials: Count
    cpu_s: Amount
    co2e_g: Amount


class HardwareReport(Settings):
    """The machine: `tdp_w` [W] and `threads` of its processor, `ram_total_size` [GB].

    `default` is true where the power is an assumption for an unknown processor.
    """

    cpu_model: str
    cpu_count: int
    ram_total_size: float | None = None
    tdp_w: Annotated[float, Gt(0)]
    threads: Annotated[int, Ge(1)]
    default: bool
    os: str = ""
    python_version: str = ""

    @property
    def label(self) -> str:
        """What tells costs of two machines apart, in one line."""
        assumed = " assumed" if self.default else ""
        return f"{self.cpu_model}, {self.tdp_w / self.threads:.3g} W/thread{assumed}"


class ContextReport(Settings):
    """Where and how costs were obtained.

    Attributes
    ----------
    forecasts
        Number of forecasts that the choice weighs beside training.
    fleet
        Name and digest of the fleet whose life cycle the choice weighs instead; None without one.
    fleet_years
        Of service, which its bill is over.
    energy_spread
        Factor f: the true energy lies within 1/f and f times the figure in 90 % of cases, for all
        rungs alike; None where it was measured.
    """

    country: str
    intensity_g_per_kwh: Amount
    pue: Annotated[float, Ge(1)] = 1.0
    hardware: HardwareReport
    energy_method: str
    energy_spread: Annotated[float, Ge(1)] | None = None
    threads: Annotated[int, Ge(1)] = 1
    forecasts: Count = 0
    fleet: str | None = None
    fleet_years: Annotated[float, Gt(0)] | None = None


class OriginsReport(Settings):
    """How many origins a run was chosen and reported on."""

    validation: Count
    test: Count


class MlflowReport(Settings):
    """Whether a run is in MLflow, where, or why not."""

    uri: str
    logged: bool
    run_id: str | None = None
    experiment_id: str | None = None
    why: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        needed = ("run_id", "experiment_id") if self.logged else ("why",)
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"expected {' and '.join(missing)} where logged is {self.logged}")
        return self
