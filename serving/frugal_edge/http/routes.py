"""All routes: what answers them, what they ask for, and what the OpenAPI document says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http.auth import Access
from frugal_edge.http.call import JSON, Answer, Call, answer
from frugal_edge.http.catalogue import Catalogue
from frugal_edge.http.endpoint import Handler, Together
from frugal_edge.http.health import Health
from frugal_edge.http.inference import Inference, told
from frugal_edge.http.metrics import Metrics
from frugal_edge.http.models import OpenModels
from frugal_edge.http.newest import Newest
from frugal_edge.http.observations import Observations
from frugal_edge.http.stateless import Stateless

_NOT_FOUND = {404: "No such series or model, or no forecast yet"}
_BODY = {
    400: "No JSON as RFC 8259 has it",
    408: "The request did not come in time",
    413: "The body is too large",
    415: "The body is of another type",
    422: "The body does not fit",
}
_STORE = {503: "The store cannot be used"}
_NOT_READY = {503: "Not ready, with the reasons"}


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes
    ----------
    method, path
        Where it is found; ``{name}`` is a part of the path, ``{name:path}`` with ``/`` in it.
    handler, access
        What answers, and what it asks for.
    summary
        What it does.
    gives
        Schemas of successful answers, by status; None for none.
    refuses
        What problems mean, by status, beside those of every route.
    takes
        Schema of the body; None where none is read.
    kind
        Media type of successful answers.
    hot
        Whether it is found before all others.
    together
        What answers several requests at once, where that costs less.
    """

    method: str
    path: str
    handler: Handler
    access: Access
    summary: str
    gives: Mapping[int, str | None]
    refuses: Mapping[int, str] = field(default_factory=dict)
    takes: str | None = None
    kind: str = JSON.decode()
    hot: bool = False
    together: Together | None = None


def all_routes(gateway: Gateway) -> list[Route]:
    """Make the routes of a gateway; ``/openapi.json`` describes them and comes on top."""
    models, health = OpenModels(gateway), Health(gateway)
    return [
        *_of_series(gateway, models),
        *_of_operation(gateway, health),
        *_of_inference(Inference(models, health)),
    ]


def _of_series(gateway: Gateway, models: OpenModels) -> list[Route]:
    newest, stateless = Newest(gateway), Stateless(models, gateway.clock)
    catalogue, observations = Catalogue(gateway, models), Observations(gateway)
    read, operate = Access.READ, Access.OPERATE
    return [
        Route(
            "GET", "/v1/series/{series:path}/forecast", newest.get, read,
            "The newest forecast of a series",
            {200: "Forecast", 304: None}, _NOT_FOUND | _STORE, hot=True,
        ),
        Route(
            "POST", "/v1/models/{model}/forecast", stateless.post, read,
            "A forecast from the history in the request; nothing is kept",
            {200: "Forecast"}, _BODY | _NOT_FOUND, takes="History", hot=True,
            together=stateless.together,
        ),
        Route(
            "POST", "/v1/series/{series:path}/observations", observations.post, operate,
            "Readings in",
            {200: "Receipt", 207: "Receipt"}, _BODY | _NOT_FOUND | _STORE, takes="Observations",
        ),
        Route(
            "GET", "/v1/series", catalogue.series, read, "The series",
            {200: "SeriesList"}, _STORE,
        ),
        Route("GET", "/v1/models", catalogue.models, read, "The open models", {200: "Models"}),
        Route(
            "GET", "/v1/models/{model}", catalogue.model, read, "One model",
            {200: "Model"}, _NOT_FOUND,
        ),
    ]  # fmt: skip


def _of_operation(gateway: Gateway, health: Health) -> list[Route]:
    metrics = Metrics(gateway.stores.counters)
    return [
        Route("GET", "/livez", health.alive, Access.OPEN, "Whether it answers", {200: "Live"}),
        Route(
            "GET", "/readyz", health.ready, Access.OPEN, "Whether it can do its work",
            {200: "Ready"}, _NOT_READY,
        ),
        Route(
            "GET", "/metrics", metrics.get, Access.READ, "Counters for Prometheus",
            {200: "Text"}, kind="text/plain",
        ),
    ]  # fmt: skip


def _of_inference(inference: Inference) -> list[Route]:
    opened, read = Access.OPEN, Access.READ
    model = "/v2/models/{model}"
    version = f"{model}/versions/{{version}}"
    health = [
        Route(
            "GET", "/v2/health/live", told(inference.live), opened, "Whether it answers",
            {200: "Live"},
        ),
        Route(
            "GET", "/v2/health/ready", told(inference.ready), opened, "Whether it can do its work",
            {200: "Ready"}, _NOT_READY,
        ),
        Route("GET", "/v2", told(inference.server), read, "Name and extensions", {200: "Server"}),
    ]  # fmt: skip
    for path in (model, version):
        health += [
            Route(
                "GET", path, told(inference.model), read, "The tensors of a model",
                {200: "ModelMetadata"}, _NOT_FOUND,
            ),
            Route(
                "GET", f"{path}/ready", told(inference.model_ready), read,
                "Whether a model is open", {200: "ModelReady"}, _NOT_FOUND,
            ),
            Route(
                "POST", f"{path}/infer", told(inference.infer), read,
                "A forecast from tensors, in JSON or in binary",
                {200: "InferenceResponse"}, _BODY | _NOT_FOUND, takes="InferenceRequest",
            ),
        ]  # fmt: skip
    return health


def described(document: bytes) -> Route:
    """Make the route of the document that describes the others."""

    def get(_call: Call) -> Answer:
        return answer(document)

    return Route("GET", "/openapi.json", get, Access.READ, "This document", {200: "Document"})
