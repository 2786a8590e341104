"""The figures of a rung, nested as JSON has them and flat as MLflow and CSV want them."""

from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import field_validator

from frugal_ai.settings import Settings

Bounds = tuple[float, float]
Count = Annotated[int, Ge(0)]
Amount = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]


class Figures(Settings):
    """Figures of a rung; None where the run ended before one was known, or there are no quantiles.

    Attributes
    ----------
    mae, rmse
        On the test origins [unit of the series].
    nmae, mase, skill, gain
        Relative [1]; skill against the better seasonal naive, gain over the rung `over`.
    validation_mae
        What the choice was made on [unit of the series].
    mae_ci, rmse_ci, nmae_ci, mase_ci, skill_ci, gain_ci, pinball_ci, crps_ci, coverage_ci
        95 % intervals (low, high); older runs have those of MAE, skill, gain and coverage alone.
    pinball, crps, sharpness
        Of the quantiles on the test origins [unit of the series]: pinball loss, mean over levels;
        continuous ranked probability score; mean width of the central interval.
    npinball, nsharpness
        Both over the denominator of `nmae` [1].
    coverage, coverage_nominal
        Share of observations inside the central interval [1], and what it should be.
    fit_cpu_s
        CPU time of the final fit [s].
    energy_wh, co2e_g
        Training with all its trials [Wh], [gCO2e].
    co2e_g_per_1000
        Of a thousand forecasts [gCO2e].
    life_cycle_g
        What hangs on the rung over the life of the pipeline's fleet [gCO2e]; None without one.
    co2e_spread
        Relative standard deviation of the costs from one measurement to the next [1].
    bytes
        Size of the exported graph [bytes].
    latency_us
        Wall time of one forecast, warm [us].
    """

    mae: Amount | None = None
    mae_ci: Bounds | None = None
    rmse: Amount | None = None
    rmse_ci: Bounds | None = None
    nmae: Amount | None = None
    nmae_ci: Bounds | None = None
    mase: Amount | None = None
    mase_ci: Bounds | None = None
    skill: float | None = None
    skill_ci: Bounds | None = None
    validation_mae: Amount | None = None
    gain: float | None = None
    gain_ci: Bounds | None = None
    pinball: Amount | None = None
    pinball_ci: Bounds | None = None
    npinball: Amount | None = None
    crps: Amount | None = None
    crps_ci: Bounds | None = None
    coverage: Share | None = None
    coverage_ci: Bounds | None = None
    coverage_nominal: Share | None = None
    sharpness: Amount | None = None
    nsharpness: Amount | None = None
    fit_cpu_s: Amount | None = None
    energy_wh: Amount | None = None
    co2e_g: Amount | None = None
    co2e_g_per_1000: Amount | None = None
    life_cycle_g: Amount | None = None
    co2e_spread: Amount | None = None
    bytes: Count | None = None
    latency_us: Amount | None = None

    @field_validator(
        "mae_ci", "rmse_ci", "nmae_ci", "mase_ci", "skill_ci", "gain_ci", "pinball_ci", "crps_ci",
        "coverage_ci",
    )  # fmt: skip
    @classmethod
    def _ascending(cls, value: Bounds | None) -> Bounds | None:
        if value is not None and value[0] > value[1]:
            raise ValueError(f"expected [low, high], got {list(value)}")
        return value

    def flat(self) -> dict[str, float | int | None]:
        """Return one value a name: `skill_ci` becomes `skill_lo` and `skill_hi`."""
        values: dict[str, float | int | None] = {}
        for name in Figures.model_fields:
            value = getattr(self, name)
            if name.endswith("_ci"):
                low, high = value or (None, None)
                values |= {name.replace("_ci", "_lo"): low, name.replace("_ci", "_hi"): high}
            else:
                values[name] = value
        return values

    @staticmethod
    def unflat(values: Mapping[str, float]) -> dict[str, Any]:
        """Undo `flat`; names that are no figures are left out."""
        found: dict[str, Any] = {}
        for name, ends in _ENDS.items():
            if ends is None:
                if name in values:
                    found[name] = values[name]
            elif ends[0] in values and ends[1] in values:
                found[name] = (values[ends[0]], values[ends[1]])
        return found


_ENDS = {
    name: (name.replace("_ci", "_lo"), name.replace("_ci", "_hi")) if name.endswith("_ci") else None
    for name in Figures.model_fields
}
"""The two flat names of an interval; None where a figure has one name only."""
