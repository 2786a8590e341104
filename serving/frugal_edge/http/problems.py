"""Errors as RFC 9457 has them: what was expected, and what came."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson

from frugal_edge.errors import EdgeError, ForecastError, InputError, StoreError
from frugal_edge.http.call import Answer, Headers

TYPE = b"application/problem+json"
FAULT = "a fault of the gateway; its log says which"
_RETRY_S = b"10"


class ProblemError(EdgeError):
    """A request that is refused.

    Parameters
    ----------
    status
        Of the answer.
    detail
        What was expected and what came.
    headers
        More than those of every answer.
    more
        Members of the problem beside the standard ones.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Headers = (),
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.more = more or {}


class DisconnectedError(EdgeError):
    """The client is gone before its request was whole."""


def problem_of(error: EdgeError) -> ProblemError:
    """Say an error of the gateway as a problem."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, InputError | ForecastError):
        return ProblemError(422, str(error))
    if isinstance(error, StoreError):
        return ProblemError(503, str(error), [(b"retry-after", _RETRY_S)])
    return ProblemError(500, str(error))


def answer_of(problem: ProblemError) -> Answer:
    """Write a problem."""
    body = content(problem.status, problem.detail, problem.more)
    return Answer(
        problem.status,
        [
            (b"content-type", TYPE),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *problem.headers,
        ],
        body,
    )


def content(status: int, detail: str, more: Mapping[str, object]) -> bytes:
    """Return the object that tells a problem; names and texts from outside cannot break it."""
    told = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail.encode("utf-8", "replace").decode(),
        **more,
    }
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
