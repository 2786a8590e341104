"""A rung as a row of a leaderboard: its figures, and what they may be compared with."""

from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import AwareDatetime, StringConstraints, field_validator
from pydantic_core import from_json

from frugal_ai.report.figures import Amount, Count, Figures
from frugal_ai.report.leads import LeadReport
from frugal_ai.settings import Settings

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
PipelineName = Annotated[str, StringConstraints(pattern=r"^\w[\w .-]*$")]
Outcome = Literal["baseline", "worth it", "not proven", "dominated"]
Weather = Literal["perfect", "as_known", "none"]
"""How covariates of the future were known: taken as they came, though no forecast is perfect; as
they were known at each origin; or there are none but those that are certain."""


class Circumstances(Settings):
    """What must be equal before the figures of two runs may be compared.

    `targets_digest` stands for the test origins and what was observed after them: errors on other
    targets are other errors, and costs from other hardware or factors are other costs. `weather` is
    None where an older run did not say.
    """

    pipeline: PipelineName
    kind: str
    unit: str
    simulated: bool
    weather: Weather | None = None
    targets_digest: str
    origins_test: Count
    hardware: str
    energy_method: str
    country: str
    intensity_g_per_kwh: Amount
    pue: Annotated[float, Ge(1)]
    forecasts: Count
    fleet: str | None = None


class RungRow(Circumstances, Figures):
    """One row of a leaderboard."""

    rung: str
    family: str
    over: str | None = None
    verdict: Outcome | None = None
    chosen: bool
    mae_by_lead: tuple[LeadReport, ...] = ()
    ended: AwareDatetime
    run_id: Identifier
    git_revision: str | None = None
    data_digest: str
    energy_spread: Annotated[float, Ge(1)] | None = None
    mlflow_run_id: str | None = None

    @field_validator("mae_by_lead", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        """Read what a tag says."""
        return from_json(value) if isinstance(value, str) else value

    @property
    def circumstances(self) -> Circumstances:
        """What this row may be compared under."""
        return Circumstances(**{name: getattr(self, name) for name in Circumstances.model_fields})

    @property
    def life_g(self) -> float | None:
        """Emissions that the choice weighs [gCO2e]: the life cycle, or training and forecasts."""
        if self.life_cycle_g is not None:
            return self.life_cycle_g
        if self.co2e_g is None or self.co2e_g_per_1000 is None:
            return None
        return self.co2e_g + self.co2e_g_per_1000 * self.forecasts / 1000
