"""A fleet and a model with round figures."""

from collections.abc import Callable
from typing import Any

import pytest

from frugal_ai.bill.basis import Basis, Work
from frugal_ai.bill.compose import compose
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.cost.factors import Factors, load_factors

SETTINGS: dict[str, Any] = {
    "name": "test",
    "country": "FR",
    "years": 5,
    "allocation": {"rule": "share", "time": 1, "resources": 0.5},
    "gateways": {
        "count": 100,
        "lifetime_years": 10,
        "forecasts_per_day": 24,
        "idle_w": 2,
        "busy_w": 6,
        "cores": 4,
        "slowdown": 2,
        "uplink_bytes_per_day": 1e6,
        "stored_bytes": 1e9,
        "lines": 0.1,
        "price_eur": 50,
    },
    "retrain_every": "30d",
    "network": "fixed",
    "replicas": 3,
    "server": {"vcpus": 2, "share": 0.5, "pue": 1.2, "country": "DEU"},
}


def _settings_of(**changes: Any) -> dict[str, Any]:
    """Replace some settings; ``section__name`` reaches into one, ... leaves a key out."""
    settings = {key: dict(one) if isinstance(one, dict) else one for key, one in SETTINGS.items()}
    for key, value in changes.items():
        section, _, name = key.partition("__")
        place = settings[section] if name else settings
        place[name or section] = value
    return {key: one for key, one in settings.items() if one is not ...}


def _fleet_of(**changes: Any) -> Fleet:
    return Fleet.model_validate(_settings_of(**changes))


def _model_of(**changes: Any) -> Model:
    figures: dict[str, Any] = {
        "name": "ridge",
        "run": {"data": Work(1e-6, 0.001), "training": Work(4e-6, 0.002)},
        "retraining": Work(2e-6, 0.0015),
        "cpu_s": 1e-3,
        "bundle_bytes": 100_000,
        "country": "FRA",
        "pue": 1.5,
        "power_spread": 2.5,
        "repeat_std": 0.05,
    }
    return Model(**(figures | changes))


@pytest.fixture(scope="session")
def settings_of() -> Callable[..., dict[str, Any]]:
    """Return the settings of a fleet with some of them replaced."""
    return _settings_of


@pytest.fixture(scope="session")
def fleet_of() -> Callable[..., Fleet]:
    """Return a fleet with some settings replaced."""
    return _fleet_of


@pytest.fixture(scope="session")
def model_of() -> Callable[..., Model]:
    """Return a model with some figures replaced."""
    return _model_of


@pytest.fixture(scope="session")
def factors() -> Factors:
    """Return the table of the package."""
    return load_factors()


@pytest.fixture(scope="session")
def basis(factors: Factors) -> Basis:
    """Return the bill of the fleet and the model, ready to be evaluated."""
    return compose(_fleet_of(), _model_of(), factors)
