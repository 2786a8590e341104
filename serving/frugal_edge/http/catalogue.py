"""``GET /v1/models`` and ``GET /v1/series``: what runs here."""

from frugal_edge.clock import format_time, iso_duration
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.loaded import Loaded
from frugal_edge.gateway.target import Target
from frugal_edge.http.call import Answer, Call, json_answer
from frugal_edge.http.models import OpenModels
from frugal_edge.manifest import Tensor


class Catalogue:
    """Lists of models and series."""

    def __init__(self, gateway: Gateway, models: OpenModels) -> None:
        self._installed = gateway.installed
        self._readings = gateway.stores.readings
        self._models = models

    def models(self, _call: Call) -> Answer:
        """List the open models."""
        loaded = self._installed.loaded
        return json_answer({"models": [self._model(loaded[name]) for name in sorted(loaded)]})

    def model(self, call: Call) -> Answer:
        """Describe one model."""
        return json_answer(self._model(self._models.find(call.params["model"])))

    def series(self, _call: Call) -> Answer:
        """List the series."""
        targets = self._installed.targets
        return json_answer({"series": [self._series(targets[name]) for name in sorted(targets)]})

    def _model(self, loaded: Loaded) -> dict[str, object]:
        about = loaded.forecaster.manifest
        return {
            "id": about.id,
            "sequence": about.sequence,
            "series_id": about.series_id,
            "kind": about.kind,
            "rung": about.rung,
            "simulated": about.simulated,
            "created": format_time(about.created),
            "unit": about.unit,
            "step": iso_duration(about.step_s),
            "horizon": about.horizon,
            "quantile_levels": about.quantiles,
            "history_steps": about.history_steps if "history" in about.inputs else 0,
            "inputs": [_tensor(one) for one in about.inputs.values()],
            "origins": {
                "valid_from": format_time(about.origins.valid_from),
                "valid_until": format_time(about.origins.valid_until),
                "local_time": about.origins.local_time,
                "timezone": about.timezone,
            },
            "bytes": loaded.bytes,
            "on_trial": self._installed.on_trial(about.series_id),
        }

    def _series(self, target: Target) -> dict[str, object]:
        series_id = target.series_id
        loaded = self._installed.loaded.get(series_id)
        newest = self._readings.newest(series_id)
        return {
            "series_id": series_id,
            "unit": target.unit,
            "step": iso_duration(target.step_s),
            "horizon": target.horizon,
            "simulated": target.simulated,
            "columns": {"observed": target.observed, "known": target.known},
            "model": None if loaded is None else loaded.forecaster.manifest.id,
            "trouble": self._installed.broken.get(series_id),
            "newest_reading": None if newest is None else format_time(newest),
        }


def _tensor(tensor: Tensor) -> dict[str, object]:
    return {
        "name": tensor.name,
        "axes": tensor.axes[1:],
        "shape": tensor.shape[1:],
        "columns": tensor.columns,
        "lookback": tensor.lookback,
    }
