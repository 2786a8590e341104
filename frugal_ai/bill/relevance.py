"""Does a use pay for its model in carbon? Avoided emissions beside the bill, never netted.

Footprint and avoided emissions stand side by side, after STERM, with what it takes to break even.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import Field, ValidationError, model_validator

from frugal_ai.bill.bill import Bill, Ranges
from frugal_ai.errors import CostError
from frugal_ai.settings import Settings, describe
from frugal_ai.wording import mass, percent
from frugal_ai.yaml_file import parse_yaml, read_text

Positive = Annotated[float, Gt(0)]
Amount = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]


class Estimate(Settings):
    """A figure with its range and where it is from; without a source it is refused."""

    value: Amount
    low: Amount | None = None
    high: Amount | None = None
    source: Annotated[str, MinLen(1)]

    @model_validator(mode="after")
    def _around(self) -> "Estimate":
        if (self.low is None) != (self.high is None):
            raise ValueError("expected low and high, or neither")
        low, high = self.ends
        if not low <= self.value <= high:
            raise ValueError(f"expected value between {low:g} and {high:g}, got {self.value:g}")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """Low and high; the value itself, twice, where there is no range."""
        return (
            self.value if self.low is None else self.low,
            self.value if self.high is None else self.high,
        )


class Balancing(Settings):
    """Reserve energy that a smaller forecast error saves.

    Attributes
    ----------
    effect
        Its name.
    error_mwh_per_year
        Sum of absolute errors without the model [MWh a year].
    reduction
        Share of them that the model takes away [1].
    g_per_kwh
        Emissions of a kWh of balancing over those of a kWh that was planned [gCO2e/kWh].
    """

    effect: Literal["balancing"]
    error_mwh_per_year: Amount
    reduction: Share
    g_per_kwh: Estimate


class Shifting(Settings):
    """Consumption that is moved to greener hours.

    Attributes
    ----------
    effect
        Its name.
    mwh_per_year
        Moved in a year [MWh].
    g_per_kwh
        Intensity before minus intensity after [gCO2e/kWh].
    """

    effect: Literal["shifting"]
    mwh_per_year: Amount
    g_per_kwh: Estimate


Effect = Annotated[Balancing | Shifting, Field(discriminator="effect")]


class Case(Settings):
    """A use of forecasts, as its owner describes it.

    Attributes
    ----------
    name
        Of the use.
    reference
        What would be done without the model; avoided emissions are against it.
    years
        Of the use; has to be those of the fleet.
    effects
        What the forecasts bring about.
    rebound
        Share of what is avoided that is taken back, as by consumption that grows; above 1 the use
        adds emissions.
    attribution
        Share of the effects that is due to the forecast, the rest being due to what acts on it.
    fleet
        File of the fleet that serves the use, relative to the folder of this one.
    """

    name: Annotated[str, MinLen(1)]
    reference: Annotated[str, MinLen(1)]
    years: Positive
    effects: Annotated[tuple[Effect, ...], MinLen(1)]
    rebound: Amount
    attribution: Share = 1.0
    fleet: Path | None = None


@dataclass(frozen=True)
class Avoided:
    """What one effect avoids over the years [gCO2e], rebound taken off, and its range."""

    effect: str
    gco2e: float
    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Relevance:
    """Two blocks side by side.

    Attributes
    ----------
    use, reference, years, rebound, attribution
        Of the case.
    bill_g, bill_ranges
        The whole bill [gCO2e], and its ranges by kind of uncertainty, never merged.
    avoided
        By effect.
    breakeven_years
        Of use after which what is avoided equals the bill of all years; None if never.
    breakeven_rebound
        Rebound at which nothing is won [1]; None where nothing is avoided without it.
    breakeven_share
        Share of the expected effects that is enough [1]; None if none is.
    """

    model: str
    use: str
    reference: str
    years: float
    rebound: float
    attribution: float
    bill_g: float
    bill_ranges: Ranges
    avoided: tuple[Avoided, ...]
    breakeven_years: float | None
    breakeven_rebound: float | None
    breakeven_share: float | None

    @property
    def avoided_g(self) -> float:
        """Of all effects [gCO2e]."""
        return sum(one.gco2e for one in self.avoided)

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain JSON; there is no difference of the two blocks."""
        return asdict(self) | {"avoided_g": self.avoided_g, "netted": False}

    def lines(self) -> list[str]:
        """Say it in lines for a terminal."""
        kept = (
            f"after a rebound of {percent(self.rebound)} and {percent(self.attribution)} of the"
            " effects due to the forecast"
        )
        said = [
            f"{self.use}: {self.model} over {self.years:g} years, against {self.reference}",
            f"bill      {mass(self.bill_g)}, the whole life cycle; {self._ranges()}",
            f"avoided   {mass(self.avoided_g)}, {kept}",
        ]
        said += [
            f"          {one.effect}: {mass(one.gco2e)} [{mass(one.low)}, {mass(one.high)}];"
            f" {one.source}"
            for one in self.avoided
        ]
        if self.breakeven_years is None or self.breakeven_share is None:
            said.append("break-even: never; nothing is avoided")
        else:
            said.append(
                f"break-even: after {self.breakeven_years:.3g} years of use, or with"
                f" {percent(self.breakeven_share)} of the expected effects"
            )
        if self.breakeven_rebound is not None:
            said.append(f"break-even: at a rebound of {percent(self.breakeven_rebound)}")
        said.append("note: the two blocks are never netted; what is avoided is an estimate")
        return said

    def _ranges(self) -> str:
        return ", ".join(
            f"{kind} [{mass(ends.low)}, {mass(ends.high)}]"
            for kind, ends in self.bill_ranges.items()
            if ends.low != ends.high
        )


def read_case(path: Path) -> Case:
    """Read and check a file.

    Raises
    ------
    CostError
        If it cannot be read, or a key or value is not valid; says file and key.
    """
    declared = parse_yaml(read_text(path, CostError), path, CostError)
    try:
        return Case.model_validate(declared)
    except ValidationError as error:
        raise CostError(f"{path}: {describe(error)}") from error


def relevance(case: Case, bill: Bill, years: float) -> Relevance:
    """Put what a use avoids beside a bill.

    Parameters
    ----------
    case
        The use.
    bill
        Of the model under a fleet.
    years
        Of the fleet's service.

    Raises
    ------
    CostError
        If both are not of the same years.
    """
    if case.years != years:
        raise CostError(
            f"years: expected those of the fleet, {years:g}, got {case.years:g} in the use"
        )
    kept = case.attribution * (1 - case.rebound)
    avoided = tuple(_avoided(one, case.years, kept) for one in case.effects)
    whole, bill_g = sum(one.gco2e for one in avoided), bill.whole.gco2e
    without = sum(_gross(one, case.years) for one in case.effects) * case.attribution
    return Relevance(
        model=bill.model,
        use=case.name,
        reference=case.reference,
        years=case.years,
        rebound=case.rebound,
        attribution=case.attribution,
        bill_g=bill_g,
        bill_ranges=bill.whole.gco2e_ranges,
        avoided=avoided,
        breakeven_years=case.years * bill_g / whole if whole > 0 else None,
        breakeven_rebound=1 - bill_g / without if without > 0 else None,
        breakeven_share=bill_g / whole if whole > 0 else None,
    )


def _avoided(one: Balancing | Shifting, years: float, kept: float) -> Avoided:
    gross = _gross(one, years)
    low, high = one.g_per_kwh.ends
    ends = (low, high) if kept >= 0 else (high, low)
    below, above = (_kwh(one, years) * end * kept for end in ends)
    return Avoided(one.effect, gross * kept, below, above, one.g_per_kwh.source)


def _gross(one: Balancing | Shifting, years: float) -> float:
    """Emissions that an effect avoids by itself [gCO2e]."""
    return _kwh(one, years) * one.g_per_kwh.value


def _kwh(one: Balancing | Shifting, years: float) -> float:
    """Electricity that an effect is about [kWh]."""
    if isinstance(one, Balancing):
        return one.error_mwh_per_year * one.reduction * years * 1000
    return one.mwh_per_year * years * 1000
