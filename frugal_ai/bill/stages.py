"""The formula of each stage of the life cycle; numbers, or arrays with one entry a scenario [N].

Energies are at the meter of the site unless a PUE is among the arguments.
"""

from frugal_ai.bill.amount import Amount, Value
from frugal_ai.units import J_PER_KWH

DAYS_PER_YEAR = 365.25
HOURS_PER_YEAR = 24 * DAYS_PER_YEAR
MONTHS_PER_YEAR = 12
_GB, _TB = 1e9, 1e12


def work(
    kwh: Value, vcpu_h: Value, intensity: Value, eur_per_vcpu_h: Value, times: Value = 1.0
) -> Amount:
    """Return what work on a server comes to: training, its trials, retraining, compression.

    Parameters
    ----------
    kwh, vcpu_h
        Of one execution: electricity at the site's meter [kWh], threads x wall time [h].
    intensity
        [gCO2e/kWh].
    eur_per_vcpu_h
        Price of a server's thread, its electricity included [EUR/h].
    times
        Executions.
    """
    energy = times * kwh
    return Amount(energy, energy * intensity, times * vcpu_h * eur_per_vcpu_h)


def inference(
    busy_w: Value, cpu_s: Value, years: Value, intensity: Value, eur_per_kwh: Value
) -> Amount:
    """Return the dynamic energy of forecasts on the gateways.

    Parameters
    ----------
    busy_w
        Of `Demand` [W/d].
    cpu_s
        CPU time of one forecast where it was measured [s].
    years
        How long the fleet is in service.
    intensity
        [gCO2e/kWh].
    eur_per_kwh
        Price of electricity.
    """
    return electricity(busy_w * cpu_s * DAYS_PER_YEAR * years / J_PER_KWH, intensity, eur_per_kwh)


def idle(idle_w: Value, years: Value, intensity: Value, eur_per_kwh: Value) -> Amount:
    """Return what gateways draw at rest [W], as far as it is charged to forecasting."""
    return electricity(idle_w / 1000 * HOURS_PER_YEAR * years, intensity, eur_per_kwh)


def server(
    vcpus: Value, w_per_vcpu: Value, pue: Value, years: Value, intensity: Value,
    eur_per_vcpu_h: Value,
) -> Amount:  # fmt: skip
    """Return the server that the fleet reports to; vcpus is the share of it, in threads."""
    kwh = vcpus * w_per_vcpu / 1000 * HOURS_PER_YEAR * years * pue
    return Amount(kwh, kwh * intensity, vcpus * HOURS_PER_YEAR * years * eur_per_vcpu_h)


def traffic(
    size: Value, kwh_per_gb: Value, g_per_gb: Value, intensity: Value, eur_per_gb: Value
) -> Amount:
    """Return what bytes over a network come to: bundles that are pushed, readings that are sent.

    Parameters
    ----------
    size
        [bytes].
    kwh_per_gb, g_per_gb
        Of the network, where its source gives electricity, or emissions of its whole life.
    intensity
        Of the network's electricity [gCO2e/kWh].
    eur_per_gb
        Price.
    """
    gb = size / _GB
    kwh = gb * kwh_per_gb
    return Amount(kwh, gb * g_per_gb + kwh * intensity, gb * eur_per_gb)


def lines(number: Value, g_per_month: Value, years: Value) -> Amount:
    """Return fixed lines that are kept for the gateways; their subscription is not priced."""
    return Amount(0.0 * number, number * g_per_month * MONTHS_PER_YEAR * years, 0.0 * number)


def storage(
    size: Value, replicas: Value, wh_per_tb_h: Value, pue: Value, years: Value, intensity: Value,
    eur_per_gb_month: Value,
) -> Amount:  # fmt: skip
    """Return what keeping so many bytes comes to, each of the replicas counted."""
    kept = size * replicas
    kwh = kept / _TB * wh_per_tb_h / 1000 * HOURS_PER_YEAR * years * pue
    eur = kept / _GB * eur_per_gb_month * MONTHS_PER_YEAR * years
    return Amount(kwh, kwh * intensity, eur)


def embodied_gateways(kg_per_year: Value, eur_per_year: Value, years: Value) -> Amount:
    """Return manufacture and price of the gateways, spread over their lifetime."""
    return Amount(0.0 * kg_per_year, kg_per_year * 1000 * years, eur_per_year * years)


def embodied_servers(vcpu_h: Value, g_per_vcpu_h: Value) -> Amount:
    """Return manufacture of servers, by the thread and hour; the price per hour holds it, too."""
    return Amount(0.0 * vcpu_h, vcpu_h * g_per_vcpu_h, 0.0 * vcpu_h)


def electricity(kwh: Value, intensity: Value, eur_per_kwh: Value) -> Amount:
    """Return what electricity [kWh] comes to."""
    return Amount(kwh, kwh * intensity, kwh * eur_per_kwh)
