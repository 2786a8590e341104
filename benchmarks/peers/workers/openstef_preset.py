"""OpenSTEF's own presets: a forecasting workflow with XGBoost or with a boosted linear model."""

import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peers.task import Task
from benchmarks.peers.workers import table
from benchmarks.peers.workers.measure import Forecast, main

_HISTORY = timedelta(days=14)  # the preset's longest lag
_NEVER = timedelta(days=3650)
_WEATHER = {
    "temp_mean": ("temperature", 1.0),
    "temperature_2m": ("temperature", 1.0),
    "t2m_c": ("temperature", 1.0),
    "wind_mean": ("windspeed", 1 / 3.6),
    "wind_speed_10m": ("windspeed", 1 / 3.6),
    "ws10": ("windspeed", 1.0),
    "rh_mean": ("relative_humidity", 1.0),
    "relative_humidity_2m": ("relative_humidity", 1.0),
    "r": ("relative_humidity", 1.0),
    "SP": ("pressure", 0.01),
    "ghi_w_m2": ("radiation", 1.0),
}
"""Covariates of the tasks under the preset's names, with the factor to its units: m/s, hPa."""


class Openstef:
    """A workflow for each series."""

    distribution = "openstef-models"

    def __init__(self, model: str) -> None:
        logging.disable(logging.WARNING)
        from openstef_core import datasets, types
        from openstef_models import presets
        from openstef_models.presets import forecasting_workflow

        self._datasets, self._types, self._presets = datasets, types, presets
        self._locations, self._model = forecasting_workflow, model

    def fit(self, task: Task) -> None:
        self._workflows = []
        for series in range(len(task.series)):
            workflow = self._presets.create_forecasting_workflow(self._config(task, series))
            workflow.fit(self._dataset(task, series, slice(0, task.trained_until)))
            self._workflows.append(workflow)

    def forecast(self, task: Task, origin: int) -> Forecast:
        at = task.at(origin)
        part = slice(at - 14 * task.day, at + task.horizon)
        start = datetime.fromtimestamp(origin, UTC)
        names = [self._types.Q(level).format() for level in task.levels]
        quantiles = []
        for series, workflow in enumerate(self._workflows):
            data = self._dataset(task, series, part, known_until=at)
            found = workflow.predict(data, forecast_start=start).data
            quantiles.append(found.loc[start:, names].to_numpy()[: task.horizon])
        stacked = np.stack(quantiles)  # [S, H, Q]
        return Forecast(stacked[:, :, task.levels.index(0.5)], stacked)

    def _config(self, task: Task, series: int) -> Any:
        place: dict[str, Any] = {"country_code": task.country} if task.country else {}
        if task.coordinate is not None:
            latitude, longitude = task.coordinate
            place["coordinate"] = {"latitude": latitude, "longitude": longitude}
        return self._presets.ForecastingWorkflowConfig(
            model_id=f"series-{series}",
            model=self._model,
            quantiles=[self._types.Q(level) for level in task.levels],
            horizons=[self._types.LeadTime(timedelta(seconds=task.step_s * task.horizon))],
            sample_interval=timedelta(seconds=task.step_s),
            location=self._locations.LocationConfig(**place),
            predict_history=_HISTORY,
            cutoff_history=_HISTORY,
            flatliner_threshold=_NEVER,  # days without wind are no fault
            mlflow_storage=None,
        )

    def _dataset(self, task: Task, series: int, part: slice, known_until: int | None = None) -> Any:
        frame = pd.DataFrame({"load": task.values[series, part].copy()})
        if known_until is not None:
            frame.loc[known_until - part.start :, "load"] = np.nan
        frame.index = table.index(task, part).tz_localize("UTC")
        for i, name in enumerate(task.known_names):
            column, factor = _WEATHER.get(name, (name, 1.0))
            frame[column] = task.known[series, part, i] * factor
        return self._datasets.TimeSeriesDataset(
            frame, sample_interval=timedelta(seconds=task.step_s)
        )


if __name__ == "__main__":
    main(lambda: Openstef(sys.argv[3]))
