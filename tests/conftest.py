"""A pipeline on the simulated feeder that is small enough for tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

SMALL: dict[str, Any] = {
    "name": "small",
    "title": "Small pipeline",
    "kind": "load",
    "unit": "MW",
    "source": {"name": "sample", "first": "2022-10-01", "last": "2023-05-10"},
    "series": ["feeder_load"],
    "step": "30min",
    "horizon": "1d",
    "timezone": "Europe/Paris",
    "holidays": "FR",
    "covariates": {"known": ["temperature", "wind_speed"], "assume": "perfect"},
    "recipe": {
        "features": [
            {"feature": "lag", "at": ["1d", "7d"], "minus_mean": "7d"},
            {"feature": "rolling", "window": ["7d"]},
            {"feature": "fourier", "period": "day"},
            {"feature": "known", "names": ["temperature"]},
        ],
        "basis": [{"feature": "weekday"}],
    },
    "rungs": [
        "persistence",
        {"rung": "seasonal_naive", "season": "1d"},
        "basis_ridge",
        {"rung": "residual_boosting", "trees": 10, "leaves": 7},
    ],
    "periods": {
        "train": "2022-10-01T00:00:00Z",
        "validation": {"first": "2023-03-01", "last": "2023-03-28"},
        "test": {"first": "2023-04-01", "last": "2023-04-28"},
    },
    "cost": {"country": "FRA", "block_cpu_s": 0.002},
    "selection": {"resamples": 200},
}


@pytest.fixture(scope="session")
def small_settings() -> dict[str, Any]:
    """Content of the small pipeline."""
    return SMALL


@pytest.fixture
def write_small(tmp_path: Path) -> Callable[..., Path]:
    """Write the small pipeline, with some sections replaced, and return its path."""

    def write(**changes: Any) -> Path:
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(SMALL | changes))
        return path

    return write
