"""Open Inference Protocol v2 under ``/v2``: health, metadata, and inference of one forecast."""

from frugal_edge import __version__
from frugal_edge.errors import EdgeError, InputError
from frugal_edge.gateway.loaded import Loaded
from frugal_edge.http import tensor_data
from frugal_edge.http.call import Answer, Call, json_answer
from frugal_edge.http.endpoint import Handler
from frugal_edge.http.health import Health
from frugal_edge.http.models import OpenModels
from frugal_edge.http.problems import ProblemError, problem_of
from frugal_edge.http.tensor_data import DATATYPES
from frugal_edge.manifest import DRIFT, FORECAST, QUANTILES, Manifest, Tensor
from frugal_edge.strict_json import Node, shown

PLATFORM = "onnxruntime_onnx"


class Inference:
    """The models as servers of KServe and Triton show theirs; the batch holds one forecast."""

    def __init__(self, models: OpenModels, health: Health) -> None:
        self._models = models
        self._health = health

    def server(self, _call: Call) -> Answer:
        """Name the server and its extensions."""
        extensions = [tensor_data.EXTENSION]
        return json_answer(
            {"name": "frugal-edge", "version": __version__, "extensions": extensions}
        )

    def live(self, call: Call) -> Answer:
        """Say that the process answers."""
        return self._health.alive(call)

    def ready(self, call: Call) -> Answer:
        """Say whether the gateway is ready."""
        return self._health.ready(call)

    def model(self, call: Call) -> Answer:
        """Describe the tensors of a model."""
        about = self._find(call).forecaster.manifest
        return json_answer(
            {
                "name": about.id,
                "versions": [str(about.sequence)],
                "platform": PLATFORM,
                "inputs": [_described(one) for one in about.inputs.values()],
                "outputs": [_described(one) for one in about.outputs.values()],
            }
        )

    def model_ready(self, call: Call) -> Answer:
        """Say that a model is open."""
        return json_answer({"name": self._find(call).forecaster.manifest.id, "ready": True})

    def infer(self, call: Call) -> Answer:
        """Forecast from tensors."""
        loaded = self._find(call)
        about = loaded.forecaster.manifest
        asked, binary = tensor_data.request_of(call)
        node = Node(asked, "body", error=InputError)
        given = tensor_data.inputs_of(node.nodes("inputs"), about, binary)
        wanted = _wanted(node, about)
        identity = node.text("id") if node.given("id") else None
        if node.given("parameters"):
            node.node("parameters").as_dict()
        node.close()
        missing = [name for name in about.inputs if name not in given and name != DRIFT]
        if missing:
            raise InputError(f"inputs: the model reads {', '.join(missing)}, not given")
        origin = int(given["origin"]) if "origin" in given else 0
        made = loaded.forecaster.forecast(
            given.get("history"), origin, given.get("known"), given.get("past"), given.get(DRIFT)
        )
        found = {FORECAST: made.point[None], QUANTILES: made.quantiles[None]}  # [1, H], [1, H, Q]
        head: dict[str, object] = {"model_name": about.id, "model_version": str(about.sequence)}
        if identity is not None:
            head["id"] = identity
        return tensor_data.answer_of(head, [(found[name], name, raw) for name, raw in wanted])

    def _find(self, call: Call) -> Loaded:
        loaded = self._models.find(call.params["model"])
        version, sequence = call.params.get("version"), loaded.forecaster.manifest.sequence
        if version is not None and version != str(sequence):
            raise ProblemError(404, f"version: expected {sequence}, got {shown(version)}")
        return loaded


def told(handler: Handler) -> Handler:
    """Repeat the detail of a problem under ``error``, where clients of the protocol look."""

    def answer(call: Call) -> Answer:
        try:
            return handler(call)
        except EdgeError as error:
            problem = problem_of(error)
            more = {**problem.more, "error": problem.detail}
            raise ProblemError(problem.status, problem.detail, problem.headers, more) from error

    return answer


def _described(tensor: Tensor) -> dict[str, object]:
    return {
        "name": tensor.name,
        "datatype": DATATYPES[tensor.dtype],
        "shape": [1, *tensor.shape[1:]],
    }


def _wanted(node: Node, about: Manifest) -> list[tuple[str, bool]]:
    """Return the names of the outputs that are asked for, and whether each is wanted in binary."""
    everything = False
    if node.given("parameters"):
        everything = bool(node.node("parameters").as_dict().get("binary_data_output", False))
    if not node.given("outputs") or not node.array("outputs"):
        return [(name, everything) for name in about.outputs]
    found = []
    for one in node.nodes("outputs"):
        name, binary = one.text("name"), everything
        if name not in about.outputs:
            one.refuse("name", f"one of {', '.join(about.outputs)}")
        if one.given("parameters"):
            parameters = one.node("parameters")
            if parameters.given("binary_data"):
                binary = parameters.flag("binary_data")
            parameters.as_dict()
        one.close()
        found.append((name, binary))
    return found
