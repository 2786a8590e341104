"""mlforecast's recursive forecasts with LightGBM."""

import numpy as np
import pandas as pd

from benchmarks.peers.task import FloatArray, Task
from benchmarks.peers.workers import recursive, table
from benchmarks.peers.workers.measure import Forecast, main

_KEEP_DAYS = 15  # more than any lag or window needs


class Mlforecast:
    """One model for all series of a task."""

    distribution = "mlforecast"

    def __init__(self) -> None:
        from lightgbm import LGBMRegressor
        from mlforecast import MLForecast
        from mlforecast.lag_transforms import RollingMean
        from mlforecast.target_transforms import Differences

        self._regressor, self._forecaster = LGBMRegressor, MLForecast
        self._mean, self._differences = RollingMean, Differences

    def fit(self, task: Task) -> None:
        self._seen = task.trained_until
        means = [self._mean(window) for window in recursive.windows(task)]
        self._model = self._forecaster(
            models={"y_hat": self._regressor(**recursive.lightgbm(task))},
            freq=table.frequency(task),
            lags=recursive.lags(task),
            lag_transforms={1: means} if means else None,
            target_transforms=[self._differences([1])] if recursive.differenced(task) else None,
            num_threads=1,
        )
        observed = self._observed(task, slice(0, self._seen))
        self._model.fit(
            observed.assign(series=observed["unique_id"].astype("category")),
            static_features=["series"],
            keep_last_n=_KEEP_DAYS * task.day,
        )

    def forecast(self, task: Task, origin: int) -> Forecast:
        at, ahead = task.at(origin), task.ahead(origin)
        if at > self._seen:
            new = self._observed(task, slice(self._seen, at))
            self._model.update(new[["unique_id", "ds", "y"]])
            self._seen = at
        found = self._model.predict(h=task.horizon, X_df=_long(task, ahead))
        return Forecast(_wide(found, task))

    def _observed(self, task: Task, part: slice) -> pd.DataFrame:
        return _long(task, part).assign(y=task.values[:, part].ravel())


def _long(task: Task, part: slice) -> pd.DataFrame:
    """Covariates of all series, one below the other."""
    frames = [
        table.known(task, series, part).rename_axis("ds").reset_index().assign(unique_id=name)
        for series, name in enumerate(task.series)
    ]
    return pd.concat(frames, ignore_index=True)


def _wide(found: pd.DataFrame, task: Task) -> FloatArray:
    by_series = dict(iter(found.groupby("unique_id")["y_hat"]))
    return np.stack([by_series[name].to_numpy() for name in task.series])


if __name__ == "__main__":
    main(Mlforecast)
