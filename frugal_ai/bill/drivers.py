"""What may be other than a bill takes it to be: factors with their ranges, settings to turn."""

from frugal_ai.bill.basis import Driver, Kind, Rates
from frugal_ai.bill.fleet import Fleet
from frugal_ai.cost.factors import Factor

HALF, DOUBLE = 0.5, 2.0
"""How far something without a range is turned, to see what depends on it."""

_SETTINGS = {
    "lifetime_years": ("lifetime of a gateway", "years"),
    "idle_w": ("power of a gateway at rest", "W"),
    "dynamic_w": ("power of a gateway's busy thread", "W"),
    "embodied_kg": ("manufacture of a gateway", "kgCO2e"),
    "reserved": ("share of the gateways that forecasting is charged", "1"),
    "forecasts_per_day": ("forecasts a day", "1/d"),
    "uplink_bytes_per_day": ("bytes that a gateway sends a day", "bytes"),
    "pushes_per_year": ("pushes a year", "1/year"),
    "stored_bytes": ("bytes kept for a gateway", "bytes"),
}
_RATES = {
    "bundle_bytes": ("bytes of a push", "bytes"),
    "cpu_s": ("CPU time of a forecast", "s"),
    "retrainings": ("retrainings a year", "1/year"),
    "replicas": ("copies that are kept", "1"),
    "server_vcpus": ("threads of the server", "1"),
}


def of_factor(names: tuple[str, ...], factor: Factor) -> tuple[Driver, ...]:
    """Return a factor as a driver: by its range, or turned to see what depends on it."""
    if not names:
        return ()
    known = factor.low is not None and factor.high is not None
    low = (factor.low or 0.0) / factor.value if known else HALF
    high = (factor.high or 0.0) / factor.value if known else DOUBLE
    return (
        Driver(
            key=f"{factor.key}:{factor.region}",
            label=f"{factor.key} ({factor.name})",
            names=names,
            kind="factors" if known else "declared",
            low=low,
            high=high,
            value=factor.value,
            unit=factor.unit,
            source=factor.source,
        ),
    )


def of_spread(
    name: str, label: str, kind: Kind, spread: float, key: str, source: str
) -> tuple[Driver, ...]:
    """Return a multiplier that is lognormal: 90 % of cases within a factor; none if that is 1."""
    if spread <= 1:
        return ()
    return (Driver(key, label, (name,), kind, 1 / spread, spread, 1.0, "1", source),)


def declared(fleet: Fleet, rates: Rates) -> tuple[Driver, ...]:
    """Return the settings of a fleet, each turned to half and to double.

    Size and length of the service are not among them: they are what the bill is for.
    """
    found = []
    for name, (label, unit) in {**_SETTINGS, **_RATES}.items():
        value = float(getattr(rates, name)) if name in _RATES else _mean(fleet, name)
        high = min(DOUBLE, 1 / value) if name == "reserved" and value > 0 else DOUBLE
        found.append(
            Driver(
                key=f"fleet:{name}", label=label, names=(name,), kind="declared", low=HALF,
                high=high, value=value, unit=unit, source="fleet",
            )
        )  # fmt: skip
    return tuple(found)


def _mean(fleet: Fleet, name: str) -> float:
    """Return a setting's mean over the gateways; 0 where the table of factors stands in."""
    if name == "reserved":
        return fleet.allocation.reserved
    said = [(one.count, getattr(one, name, None) or 0.0) for one in fleet.gateways]
    return sum(count * value for count, value in said) / fleet.count
