"""The HTTP service as a Starlette application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from frugal_edge.gateway.config import HttpSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http.auth import Auth
from frugal_edge.http.endpoint import Endpoint, Guard, Shortcut
from frugal_edge.http.hot import Hot
from frugal_edge.http.openapi import document
from frugal_edge.http.problems import FAULT, ProblemError, answer_of
from frugal_edge.http.routes import Route, all_routes, described


def create_app(gateway: Gateway, settings: HttpSettings) -> Starlette:
    """Make the application of a gateway; its `state.hot` answers what comes again.

    Raises
    ------
    ConfigError
        If the file of tokens cannot be read.
    """
    auth = Auth(settings.tokens)
    declared = all_routes(gateway)
    about = described(b"")
    text = document([*declared, about], guarded=settings.tokens is not None)
    routed = [(one, _endpoint(one, auth, settings)) for one in (*declared, described(text))]
    shortcuts = tuple(_shortcut(one, endpoint) for one, endpoint in routed if one.hot)
    app = Starlette(
        routes=[
            StarletteRoute(one.path, endpoint, methods=[one.method]) for one, endpoint in routed
        ],
        middleware=[Middleware(Guard, shortcuts)],
        exception_handlers={HTTPException: _not_routed, Exception: _broken},
    )
    app.router.redirect_slashes = False
    app.state.hot = Hot(shortcuts)
    return app


def _endpoint(route: Route, auth: Auth, settings: HttpSettings) -> Endpoint:
    limit = settings.max_body if route.takes else 0
    return Endpoint(route.handler, route.access, auth, limit, route.together)


def _shortcut(route: Route, endpoint: Endpoint) -> Shortcut:
    start, _, rest = route.path.partition("{")
    name, _, end = rest.partition("}")
    return Shortcut(route.method, start, end, name.partition(":")[0], endpoint)


def _not_routed(request: Request, error: Exception) -> Response:
    """Tell that there is no such path, or no such method on it."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    allowed = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
    path, method = request.url.path, request.method
    if status == 405:
        detail = f"{path}: expected {allowed}, got {method}"
    else:
        detail = f"nothing at {path}; /openapi.json describes what there is"
    headers = [(b"allow", allowed.encode())] if allowed else []
    return _response(ProblemError(status, detail, headers))


def _broken(_request: Request, _error: Exception) -> Response:
    """Tell a fault of the program without its details, which go to the log."""
    return _response(ProblemError(500, FAULT))


def _response(problem: ProblemError) -> Response:
    status, headers, body = answer_of(problem)
    response = Response(body, status)
    response.raw_headers = list(headers)
    return response
