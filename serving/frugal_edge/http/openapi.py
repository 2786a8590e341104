"""The OpenAPI 3.1 document, from the routes as they are declared."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import orjson

from frugal_edge import __version__
from frugal_edge.http.auth import Access
from frugal_edge.http.routes import Route
from frugal_edge.http.schemas import COMPONENTS, ref

_PARAMETER = re.compile(r"\{(\w+)(?::path)?\}")
_PROBLEM = "application/problem+json"
_OPEN = {500: "A fault of the gateway", 503: "Too many connections, or a fault of the store"}
_GUARDED = {401: "No bearer token that is known", 403: "A token of another scope"}


def document(routes: Iterable[Route], *, guarded: bool) -> bytes:
    """Write the document; `guarded` says whether tokens are asked for."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, guarded=guarded)
    said: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "frugal-edge",
            "version": __version__,
            "description": "Forecasts of electricity on a gateway."
            " Times are RFC 3339 in UTC, durations ISO 8601.",
        },
        "paths": paths,
        "components": {"schemas": COMPONENTS},
    }
    if guarded:
        said["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)


def _operation(route: Route, *, guarded: bool) -> dict[str, Any]:
    asked = guarded and route.access is not Access.OPEN
    said: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "responses": _responses(route, asked=asked),
    }
    names = _PARAMETER.findall(route.path)
    if names:
        said["parameters"] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
            }
            for name in names
        ]
    if route.takes:
        content = {"application/json": {"schema": ref(route.takes)}}
        said["requestBody"] = {"required": True, "content": content}
    if asked:
        said["security"] = [{"token": [route.access.value]}]
    return said


def _responses(route: Route, *, asked: bool) -> dict[str, Any]:
    said: dict[int, dict[str, Any]] = {}
    for status, name in route.gives.items():
        said[status] = {"description": HTTPStatus(status).phrase}
        if name == "Text":
            said[status]["content"] = {route.kind: {"schema": {"type": "string"}}}
        elif name is not None:
            said[status]["content"] = {route.kind: {"schema": ref(name)}}
    refused = {**_OPEN, **(_GUARDED if asked else {}), **route.refuses}
    content = {_PROBLEM: {"schema": ref("Problem")}}
    for status, meaning in refused.items():
        said[status] = {"description": meaning, "content": content}
    return {str(status): said[status] for status in sorted(said)}


def _name(route: Route) -> str:
    parts = re.findall(r"[a-z0-9]+", _PARAMETER.sub(r"\1", route.path))
    return "_".join([route.method.lower(), *parts])
