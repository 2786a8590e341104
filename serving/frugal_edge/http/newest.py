"""``GET /v1/series/{series}/forecast``: the newest forecast, written once for all who ask."""

from typing import NamedTuple

from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http.call import JSON, Answer, Call
from frugal_edge.http.problems import ProblemError
from frugal_edge.strict_json import Node, parse, shown


class _Kept(NamedTuple):
    body: bytes
    tag: bytes
    whole: Answer
    unchanged: Answer


class Newest:
    """The newest forecasts as they are sent."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._kept: dict[str, _Kept] = {}

    def get(self, call: Call) -> Answer:
        """Answer with the newest forecast of a series, or that it has not changed."""
        series_id = call.params["series"]
        kept = self._kept.get(series_id)
        body = self._body(series_id)
        if kept is None or kept.body is not body:
            kept = self._kept[series_id] = _prepared(body)
        match = call.headers.get(b"if-none-match")
        if match is not None and _matches(match, kept.tag):
            return kept.unchanged
        return kept.whole

    def _body(self, series_id: str) -> bytes:
        if series_id not in self._gateway.installed.targets:
            raise ProblemError(404, f"no series {shown(series_id)} here")
        body = self._gateway.body(series_id)
        if body is None:
            raise ProblemError(404, f"no forecast of {shown(series_id)} yet")
        return body


def _prepared(body: bytes) -> _Kept:
    said = Node(parse(body, "forecast"), "forecast")
    tag = f'"{said.text("origin")}/{said.text("issued_at")}"'.encode()
    fixed = [(b"etag", tag), (b"cache-control", b"no-cache")]
    length = str(len(body)).encode()
    whole = Answer(200, [(b"content-type", JSON), (b"content-length", length), *fixed], body)
    return _Kept(body, tag, whole, Answer(304, fixed, b""))


def _matches(header: bytes, tag: bytes) -> bool:
    given = [one.strip().removeprefix(b"W/") for one in header.split(b",")]
    return tag in given or given == [b"*"]
