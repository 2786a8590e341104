"""The gateways of a fleet, one by one or in groups, and what they ask for together."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from frugal_ai.bill.amount import Value


@dataclass(frozen=True)
class Park:
    """Gateways, as many groups as the arrays have entries [G]; a number stands for all of them.

    Attributes
    ----------
    gateways
        Gateways in the group.
    idle_w, dynamic_w
        Power at rest, and what one busy thread draws on top [W].
    slowdown
        CPU time of a forecast there over that where it was measured [1].
    forecasts_per_day
        Of one gateway.
    reserved
        Share of the device that the allocation rule charges to forecasting [1]: 0 if marginal,
        else time share x resource share.
    embodied_kg
        Manufacture of one device [kgCO2e].
    lifetime_years
        Of a device.
    pushes_per_year
        Bundles that a gateway fetches.
    uplink_bytes_per_day, stored_bytes
        Sent by a gateway, and kept for it.
    lines
        Share of a fixed line that is kept for one gateway [1].
    price_eur
        Of a device.
    """

    gateways: Value
    idle_w: Value
    dynamic_w: Value
    slowdown: Value
    forecasts_per_day: Value
    reserved: Value
    embodied_kg: Value
    lifetime_years: Value
    pushes_per_year: Value
    uplink_bytes_per_day: Value
    stored_bytes: Value
    lines: Value
    price_eur: Value

    @classmethod
    def ones(cls) -> Self:
        """Return the multipliers that change nothing."""
        return cls(**dict.fromkeys((field.name for field in fields(cls)), 1.0))


@dataclass(frozen=True)
class Demand:
    """What gateways ask for together; each figure is a product of powers of a park's.

    So the demand of a park times multipliers is the demand of the park times that of the
    multipliers, and a million gateways are summed once, whatever the number of scenarios.

    Attributes
    ----------
    gateways
        Their number.
    idle_w
        Power at rest that is charged to forecasting [W].
    busy_w
        Dynamic power x slowdown x forecasts a day [W/d]: times the CPU time of a forecast [s] it is
        the energy of a day [J].
    forecasts_per_day, pushes_per_year, uplink_bytes_per_day, stored_bytes, lines
        Of all gateways.
    embodied_kg_per_year, price_eur_per_year
        Manufacture and price that are charged, over the lifetime.
    """

    gateways: Value
    idle_w: Value
    busy_w: Value
    forecasts_per_day: Value
    embodied_kg_per_year: Value
    price_eur_per_year: Value
    pushes_per_year: Value
    uplink_bytes_per_day: Value
    stored_bytes: Value
    lines: Value

    @classmethod
    def of(cls, park: Park) -> Self:
        """Return the demand of each group [G], or of each scenario's multipliers [N]."""
        n, charged = park.gateways, park.gateways * park.reserved
        return cls(
            gateways=n,
            idle_w=charged * park.idle_w,
            busy_w=n * park.dynamic_w * park.slowdown * park.forecasts_per_day,
            forecasts_per_day=n * park.forecasts_per_day,
            embodied_kg_per_year=charged * park.embodied_kg / park.lifetime_years,
            price_eur_per_year=charged * park.price_eur / park.lifetime_years,
            pushes_per_year=n * park.pushes_per_year,
            uplink_bytes_per_day=n * park.uplink_bytes_per_day,
            stored_bytes=n * park.stored_bytes,
            lines=n * park.lines,
        )

    def total(self) -> "Demand":
        """Add the groups up."""
        size = np.broadcast_shapes(*(np.shape(getattr(self, f.name)) for f in fields(self)))
        return Demand(
            **{f.name: float(np.broadcast_to(getattr(self, f.name), size).sum())
               for f in fields(self)}
        )  # fmt: skip

    def times(self, other: "Demand") -> "Demand":
        """Multiply figure by figure."""
        return Demand(
            **{f.name: getattr(self, f.name) * getattr(other, f.name) for f in fields(self)}
        )
