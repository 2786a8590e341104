"""skforecast's recursive forecaster with LightGBM."""

import numpy as np
import pandas as pd

from benchmarks.peers.task import Task
from benchmarks.peers.workers import recursive, table
from benchmarks.peers.workers.measure import Forecast, main


class Skforecast:
    """A recursive forecaster for each series."""

    distribution = "skforecast"

    def __init__(self) -> None:
        from lightgbm import LGBMRegressor
        from skforecast.preprocessing import RollingFeatures
        from skforecast.recursive import ForecasterRecursive

        self._regressor, self._recursive = LGBMRegressor, ForecasterRecursive
        self._rolling = RollingFeatures

    def fit(self, task: Task) -> None:
        part, windows = slice(0, task.trained_until), recursive.windows(task)
        self._models = []
        for series in range(len(task.series)):
            means = self._rolling(["mean"] * len(windows), windows) if windows else None
            model = self._recursive(
                estimator=self._regressor(**recursive.lightgbm(task)),
                lags=recursive.lags(task),
                window_features=means,
                differentiation=1 if recursive.differenced(task) else None,
            )
            y = pd.Series(task.values[series, part], index=table.index(task, part), name="y")
            model.fit(y=y, exog=table.known(task, series, part))
            self._models.append(model)

    def forecast(self, task: Task, origin: int) -> Forecast:
        at, ahead = task.at(origin), task.ahead(origin)
        points = []
        for series, model in enumerate(self._models):
            part = slice(at - model.window_size, at)
            last = pd.Series(task.values[series, part], index=table.index(task, part), name="y")
            points.append(
                model.predict(
                    steps=task.horizon, last_window=last, exog=table.known(task, series, ahead)
                ).to_numpy()
            )
        return Forecast(np.stack(points))


if __name__ == "__main__":
    main(Skforecast)
