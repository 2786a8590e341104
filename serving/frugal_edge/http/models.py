"""The models that are open on this gateway, by their identity."""

from frugal_edge.gateway.gateway import Gateway
from frugal_edge.gateway.loaded import Loaded
from frugal_edge.http.problems import ProblemError
from frugal_edge.strict_json import shown


class OpenModels:
    """A way from the identity of a bundle to its model."""

    def __init__(self, gateway: Gateway) -> None:
        self._loaded = gateway.installed.loaded
        self._series: dict[str, str] = {}

    def find(self, model_id: str) -> Loaded:
        """Return a model.

        Raises
        ------
        ProblemError
            If none of that identity is open.
        """
        found = self._loaded.get(self._series.get(model_id, ""))
        if found is not None and found.forecaster.manifest.id == model_id:
            return found
        self._series = {one.forecaster.manifest.id: name for name, one in self._loaded.items()}
        if model_id not in self._series:
            raise ProblemError(404, f"no model {shown(model_id)} here")
        return self._loaded[self._series[model_id]]
