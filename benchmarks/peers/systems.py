"""The peers, how each is configured, and which tasks it takes."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.task import HOLIDAY, Task

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Library:
    """An environment with a peer in it.

    Attributes
    ----------
    name
        Of its environment and of its requirements file.
    since
        Oldest Python that the peer runs on.
    configured
        What was chosen where the library leaves a choice, in a sentence or two.
    """

    name: str
    configured: str
    since: tuple[int, int] = (3, 11)

    @property
    def requirements(self) -> Path:
        """Every package with its version and digests."""
        return HERE / "requirements" / f"{self.name}.txt"


@dataclass(frozen=True)
class System:
    """One row of the tables: a library's script with its arguments; no library is numpy alone.

    ``univariate`` systems use no covariates and are fitted anew at every origin, which is
    worthwhile on load without weather only.
    """

    key: str
    label: str
    script: str
    library: Library | None
    arguments: tuple[str, ...] = ()
    univariate: bool = False

    @property
    def trained(self) -> bool:
        """Whether the system learns once, before the first test origin."""
        return self.library is not None and not self.univariate

    @property
    def module(self) -> str:
        """What Python runs in the environment."""
        return f"benchmarks.peers.workers.{self.script}"

    def takes(self, task: Task) -> bool:
        """Whether the system is run on a task."""
        if not self.univariate:
            return True
        return task.kind == "load" and set(task.known_names) <= {HOLIDAY}


_MLFORECAST = Library(
    "mlforecast",
    "One recursive model for all series of a task, with the series as a category. Features: the "
    "last three values, the same time 1 to 7 days ago, local hour, weekday and day of the year, "
    "and the covariates. On load also means of the last day and week, the change from one value "
    "to the next as the target (`Differences`), and 500 trees at a learning rate of 0.05; on "
    "production the neighbours of the lags of days and LightGBM's defaults. Lags, differences and "
    "trees were chosen among some ten settings on validation origins of the tasks; the seasonal "
    "differences of its tutorial did worse there. New observations reach it by `update`.",
)
_SKFORECAST = Library(
    "skforecast",
    "One `ForecasterRecursive` per series with the same features, trees and change as the target "
    "on load (`differentiation`). Each forecast has the observations before its origin as "
    "`last_window`.",
)
_STATSFORECAST = Library(
    "statsforecast",
    "MSTL with seasons of a day and a week and an ETS trend, and DynamicOptimizedTheta with a "
    "season of a day, each fitted to the last 8 weeks at every origin. They take no covariates, so "
    "they run on load without weather alone.",
)
_OPENSTEF = Library(
    "openstef",
    "The presets `xgboost` and `gblinear` with their own settings, one workflow per series, three "
    "quantiles, 14 days of history for the lags; temperature, wind speed, humidity, "
    "pressure and irradiance under the names and units that it makes features of. The refusal of "
    "a standing zero is switched off, because wind farms have calm weeks. Where a task does not "
    "say where its series is, the preset's own place stays.",
    since=(3, 12),
)

LIBRARIES = (_MLFORECAST, _SKFORECAST, _STATSFORECAST, _OPENSTEF)

NAIVE = (
    System("naive_day", "seasonal naive (day)", "seasonal_naive", None, ("1",)),
    System("naive_week", "seasonal naive (week)", "seasonal_naive", None, ("7",)),
)

PEERS = (
    System(
        "statsforecast_mstl", "statsforecast MSTL", "statsforecast_load", _STATSFORECAST,
        ("mstl",), univariate=True,
    ),
    System("mlforecast", "mlforecast + LightGBM", "mlforecast_lightgbm", _MLFORECAST),
    System("openstef_xgboost", "OpenSTEF xgboost", "openstef_preset", _OPENSTEF, ("xgboost",)),
    System("openstef_gblinear", "OpenSTEF gblinear", "openstef_preset", _OPENSTEF, ("gblinear",)),
    System("skforecast", "skforecast + LightGBM", "skforecast_lightgbm", _SKFORECAST),
    System(
        "statsforecast_theta", "statsforecast DynamicOptimizedTheta", "statsforecast_load",
        _STATSFORECAST, ("theta",), univariate=True,
    ),
)  # fmt: skip
"""Longest first, so that two at a time end together."""
