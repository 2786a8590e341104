"""A fleet, a model and a table of factors, put together into what a bill is computed from."""

import math
from datetime import timedelta

import numpy as np

from frugal_ai.bill.basis import Basis, Driver, Rates
from frugal_ai.bill.drivers import declared, of_factor, of_spread
from frugal_ai.bill.fleet import Fleet, Gateways
from frugal_ai.bill.model import Model
from frugal_ai.bill.park import Park
from frugal_ai.bill.stages import DAYS_PER_YEAR
from frugal_ai.cost.factors import Factor, Factors

_Q95 = 1.6448536269514722  # of the standard normal distribution


def compose(fleet: Fleet, model: Model, factors: Factors) -> Basis:
    """Put together everything that a bill is computed from.

    Raises
    ------
    CostError
        If a country has no carbon intensity, or a factor that the fleet needs is not there.
    """
    region = factors.intensity(fleet.country).region
    found = _factors(fleet, region, factors)
    run = factors.intensity(model.country)
    server = factors.intensity(fleet.server.country or fleet.country)
    price = {name: factor.value if factor else math.nan for name, factor in found.items()}
    rates = Rates(
        years=fleet.years,
        retrainings=per_year(fleet.retrain_every) * fleet.models,
        cpu_s=model.cpu_s,
        bundle_bytes=model.bundle_bytes if fleet.bundle_bytes is None else fleet.bundle_bytes,
        replicas=float(fleet.replicas),
        server_vcpus=fleet.server.vcpus * fleet.server.share,
        run_pue=model.pue,
        server_pue=price["server_pue"] if fleet.server.pue is None else fleet.server.pue,
        run_intensity=run.value,
        server_intensity=server.value,
        intensity=factors.intensity(region).value,
        kwh_per_gb=price["kwh_per_gb"] if fleet.network == "fixed" else 0.0,
        g_per_gb=price["g_per_gb"] if fleet.network == "mobile" else 0.0,
        **{name: price[name] for name in _PLAIN},
    )
    drivers = (
        *of_spread("repeat", "CPU time from one measurement to the next", "repeatability",
                   math.exp(_Q95 * model.repeat_std), f"repeat:{model.name}", "the run"),
        *of_spread("run_power", "power model of the run's machine", "power", model.power_spread,
                   "power:run", "the run"),
        *of_spread("gateway_power", "power model of the gateways", "power", 2.0, "power:gateway",
                   "docs/methodology.md, section 2"),
        *_intensities(fleet, model, factors),
        *(driver for name, factor in found.items() if factor is not None
          for driver in of_factor(_used(name, fleet), factor)),
        *declared(fleet, rates),
    )  # fmt: skip
    return Basis(park_of(fleet, factors), rates, model.run, model.retraining, drivers)


_PLAIN = (
    "g_per_line_month", "wh_per_tb_h", "w_per_vcpu", "g_per_vcpu_h", "eur_per_kwh", "eur_per_gb",
    "eur_per_vcpu_h", "eur_per_gb_month",
)  # fmt: skip


def _factors(fleet: Fleet, region: str, factors: Factors) -> dict[str, Factor | None]:
    """Look up what each field of `Rates` rests on; a price may be missing, nothing else."""
    keys = {
        "kwh_per_gb": "network_fixed",
        "g_per_gb": "network_mobile",
        "g_per_line_month": "network_fixed_line",
        "wh_per_tb_h": f"storage_{fleet.disk}",
        "w_per_vcpu": "server_vcpu_power",
        "g_per_vcpu_h": "server_embodied",
        "server_pue": "pue",
    }
    prices = {
        "eur_per_kwh": "electricity_price",
        "eur_per_gb": f"data_price_{fleet.network}",
        "eur_per_vcpu_h": "server_price",
        "eur_per_gb_month": "storage_price",
    }
    needed = {name: factors.of(key, region) for name, key in keys.items()}
    return needed | {name: factors.find(key, region) for name, key in prices.items()}


def _used(name: str, fleet: Fleet) -> tuple[str, ...]:
    """Return the fields that a factor stands behind in this fleet."""
    if name == "server_pue" and fleet.server.pue is not None:
        return ()
    return () if name == {"fixed": "g_per_gb", "mobile": "kwh_per_gb"}[fleet.network] else (name,)


def _intensities(fleet: Fleet, model: Model, factors: Factors) -> tuple[Driver, ...]:
    """One driver a country, so that the same grid is wrong in the same way everywhere."""
    countries = {
        "run_intensity": model.country,
        "server_intensity": fleet.server.country or fleet.country,
        "intensity": fleet.country,
    }
    names: dict[str, list[str]] = {}
    for name, country in countries.items():
        names.setdefault(factors.intensity(country).region, []).append(name)
    return tuple(
        driver
        for region, fields in names.items()
        for driver in of_factor(tuple(fields), factors.intensity(region))
    )


def park_of(fleet: Fleet, factors: Factors) -> Park:
    """Lay the kinds of gateways side by side [G]."""
    region = factors.intensity(fleet.country).region
    rows = [_row(one, fleet, factors, region) for one in fleet.gateways]
    return Park(**{name: np.array([row[name] for row in rows]) for name in rows[0]})


def _row(one: Gateways, fleet: Fleet, factors: Factors, region: str) -> dict[str, float]:
    idle = factors.of("gateway_idle_power", region).value if one.idle_w is None else one.idle_w
    busy = factors.of("gateway_busy_power", region).value if one.busy_w is None else one.busy_w
    kg = one.embodied_kg
    return {
        "gateways": float(one.count),
        "idle_w": idle,
        "dynamic_w": (busy - idle) / one.cores,
        "slowdown": one.slowdown,
        "forecasts_per_day": one.forecasts_per_day,
        "reserved": fleet.allocation.reserved,
        "embodied_kg": factors.of(f"embodied_{one.device}", region).value if kg is None else kg,
        "lifetime_years": one.lifetime_years,
        "pushes_per_year": per_year(fleet.pushes_every),
        "uplink_bytes_per_day": one.uplink_bytes_per_day,
        "stored_bytes": one.stored_bytes,
        "lines": one.lines,
        "price_eur": one.price_eur or 0.0,
    }


def per_year(every: timedelta | None) -> float:
    """Return how often something happens in a year; never where there is no interval."""
    return 0.0 if every is None else DAYS_PER_YEAR / (every / timedelta(days=1))
