"""How long the bill of a million gateways takes over a thousand scenarios.

    python benchmarks/bill.py [--gateways 1000000] [--scenarios 1000]

Every gateway is of a kind of its own (power, lifetime, use, data), every scenario has its own grid,
lifetime, pushes and price. Prints CPU and wall time, and the largest difference to the sum over all
gateways taken one scenario after the other.
"""

import argparse
import time
from dataclasses import replace

import numpy as np

from frugal_ai.bill.amount import Value
from frugal_ai.bill.basis import Basis, Work
from frugal_ai.bill.compose import compose
from frugal_ai.bill.evaluate import evaluate, summed
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.bill.park import Park
from frugal_ai.bill.uncertainty import FloatArray
from frugal_ai.cost.factors import load_factors

_CHECKED = 5  # scenarios that are computed once more, gateway by gateway


def basis_of(gateways: int) -> Basis:
    """Return the bill of so many different gateways."""
    fleet = Fleet.model_validate(
        {
            "country": "FR",
            "years": 5,
            "allocation": {"rule": "share", "resources": 0.5},
            "gateways": {"count": 1, "lifetime_years": 5, "forecasts_per_day": 96},
            "retrain_every": "1d",
            "network": "mobile",
        }
    )
    model = Model("boosting", {"training": Work(1e-4, 0.01)}, Work(1e-4, 0.01), 2e-5, 200_000,
                  "FRA", 1.0)  # fmt: skip
    rng = np.random.default_rng(0)
    park = Park(
        gateways=np.ones(gateways),
        idle_w=rng.uniform(0.5, 4, gateways),
        dynamic_w=rng.uniform(0.2, 1, gateways),
        slowdown=rng.uniform(1, 5, gateways),
        forecasts_per_day=rng.integers(1, 97, gateways).astype(float),
        reserved=rng.uniform(0, 1, gateways),
        embodied_kg=rng.uniform(0.8, 37, gateways),
        lifetime_years=rng.uniform(3, 12, gateways),
        pushes_per_year=rng.uniform(0, 366, gateways),
        uplink_bytes_per_day=rng.uniform(0, 1e5, gateways),
        stored_bytes=rng.uniform(0, 1e7, gateways),
        lines=np.zeros(gateways),
        price_eur=rng.uniform(20, 80, gateways),
    )
    return replace(compose(fleet, model, load_factors()), park=park)


def scenarios_of(count: int) -> dict[str, Value]:
    """Return multipliers of so many scenarios."""
    rng = np.random.default_rng(1)
    names = ("intensity", "lifetime_years", "pushes_per_year", "idle_w", "eur_per_kwh", "years")
    return {name: np.exp(rng.normal(0, 0.4, count)) for name in names}


def main() -> None:
    """Print times, and how far the result is from the long way round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gateways", type=int, default=1_000_000)
    parser.add_argument("--scenarios", type=int, default=1000)
    asked = parser.parse_args()
    basis, changes = basis_of(asked.gateways), scenarios_of(asked.scenarios)
    wall, cpu = time.perf_counter(), time.process_time()
    grams = np.asarray(summed(evaluate(basis, changes)).gco2e)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    worst = max(_error(basis, changes, grams, at) for at in range(min(_CHECKED, len(grams))))
    print(f"{asked.gateways:,} gateways x {asked.scenarios:,} scenarios: "
          f"{wall:.3f} s wall, {cpu:.3f} CPU-s")  # fmt: skip
    print(f"median {np.median(grams) / 1e6:,.0f} tCO2e; largest relative difference to gateway by "
          f"gateway in {_CHECKED} scenarios: {worst:.1e}")  # fmt: skip


def _error(basis: Basis, changes: dict[str, Value], grams: FloatArray, at: int) -> float:
    """Change every gateway by a scenario, and compare."""
    one = {name: float(np.asarray(value)[at]) for name, value in changes.items()}
    of_park = {name: one.pop(name) for name in list(one) if name in Park.__dataclass_fields__}
    park = replace(basis.park, **{n: getattr(basis.park, n) * v for n, v in of_park.items()})
    alone = float(summed(evaluate(replace(basis, park=park), one)).gco2e)
    return abs(alone - float(grams[at])) / alone


if __name__ == "__main__":
    main()
