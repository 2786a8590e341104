"""statsforecast's MSTL and DynamicOptimizedTheta, fitted anew at every origin as they must be."""

import sys

import numpy as np

from benchmarks.peers.task import Task
from benchmarks.peers.workers.measure import Forecast, Peer, main

_HISTORY_DAYS = 56


class Statsforecast:
    """A model of the last eight weeks before each origin; covariates are not used."""

    distribution = "statsforecast"

    def __init__(self, name: str) -> None:
        from statsforecast import models

        self._models, self._name = models, name

    def fit(self, task: Task) -> None:
        """Set up; the library learns from the window before an origin."""
        day = task.day
        if self._name == "mstl":
            trend = self._models.AutoETS(model="ZZN")
            self._model = self._models.MSTL(season_length=[day, 7 * day], trend_forecaster=trend)
        else:
            self._model = self._models.DynamicOptimizedTheta(season_length=day)

    def forecast(self, task: Task, origin: int) -> Forecast:
        points, quantiles = [], []
        for history in task.history(origin, _HISTORY_DAYS * task.day):
            found = self._model.forecast(y=history, h=task.horizon, level=[80])
            points.append(found["mean"])
            quantiles.append(np.stack([found["lo-80"], found["mean"], found["hi-80"]], axis=-1))
        return Forecast(np.stack(points), np.stack(quantiles))


def make() -> Peer:
    return Statsforecast(sys.argv[3])


if __name__ == "__main__":
    main(make)
