"""A pipeline on the simulated feeder that is small enough for tests."""

import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

# how long an example takes says more of the machine than of the code
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")

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


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of MLflow without runs: to create one takes seconds, to copy it nothing."""
    from frugal_ai.tracking.store import open_store

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    with open_store(f"sqlite:///{path}", writing=True):
        return path


@pytest.fixture
def store_beside(tmp_path: Path, empty_store: Path) -> None:
    """Put a store where a run whose folder lies in ``tmp_path`` looks for one."""
    shutil.copy(empty_store, tmp_path)


@pytest.fixture
def command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of `frugal-ai` in ``tmp_path``, and in this process: to start one is slow."""
    from frugal_ai.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def start(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = ["frugal-ai", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", words)
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return start


INTENSITY: dict[str, Any] = {
    "name": "intensity",
    "title": "Carbon intensity of a small grid",
    "kind": "intensity",
    "unit": "gCO2e/kWh",
    "source": {"name": "file", "path": "grid.csv"},
    "series": ["grid"],
    "step": "1h",
    "horizon": "27h",
    "timezone": "UTC",
    "covariates": {"past": ["gas"]},
    "rungs": ["persistence", {"rung": "seasonal_naive", "season": "1d"}, "ridge"],
    "climb": "full",
    "periods": {
        "train": "2023-01-01T00:00:00Z",
        "validation": {"first": "2023-02-10", "last": "2023-03-10", "at": ["00:00", "12:00"]},
        "test": {"first": "2023-03-13", "last": "2023-03-30", "at": ["00:00", "12:00"]},
    },
    "compress": False,
    "cost": {"country": "FRA", "block_cpu_s": 0.002},
    "selection": {"resamples": 200},
}


@dataclass(frozen=True)
class IntensityRun:
    """A finished run on a made-up grid, greenest at 14:00 UTC every day.

    Attributes
    ----------
    pipeline, history, folder
        Its file, all its observations, its run folder.
    """

    pipeline: Path
    history: Path
    folder: Path

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"


def grid_intensity(at: datetime) -> float:
    """Intensity of the made-up grid [gCO2e/kWh]."""
    slow = 15 * math.sin(at.timestamp() / 400_000)
    return 60 + slow - 25 * math.cos(math.tau * (at.hour - 14) / 24)


@pytest.fixture(scope="session")
def intensity_run(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> IntensityRun:
    """Run a small pipeline that forecasts carbon intensity, once."""
    from frugal_ai.pipeline import read_pipeline
    from frugal_ai.run import Order, run

    class Silent:
        def tell(self, sentence: str) -> None:
            pass

        def climb(self, rung: str, done: int, total: int) -> None:
            pass

        def step(self, what: str, done: int, total: int) -> None:
            pass

    folder = tmp_path_factory.mktemp("intensity")
    shutil.copy(empty_store, folder)
    times = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(24 * 95)]
    rows = [
        f"grid,{at:%Y-%m-%dT%H:%MZ},{grid_intensity(at):.4f},{grid_intensity(at) * 50:.2f}"
        for at in times
    ]
    history = folder / "grid.csv"
    history.write_text("\n".join(["series_id,timestamp,value,gas", *rows]) + "\n")
    path = folder / "intensity.yaml"
    path.write_text(yaml.safe_dump(INTENSITY))
    run(read_pipeline(path), Order(path, folder / "run", {}), Silent())
    return IntensityRun(path, history, folder / "run")
