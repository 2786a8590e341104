"""Health, metrics, the OpenAPI document, and faults of the gateway itself."""

import os
import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from frugal_edge.errors import StoreError
from frugal_edge.gateway.config import HttpSettings
from frugal_edge.http.app import create_app
from frugal_edge.http.routes import all_routes
from prometheus_client.parser import text_string_to_metric_families
from starlette.routing import Route

MODEL = "load-naive_day-0123456789ab"
MakeClient = Callable[..., Any]


def test_alive_and_ready(client: Any) -> None:
    assert client.get("/livez").json() == {"live": True}
    assert client.get("/readyz").json() == {"ready": True}


def reasons(client: Any) -> list[str]:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    told: list[str] = answer.json()["reasons"]
    assert answer.json()["detail"] == "; ".join(told)
    return told


def test_not_ready_before_the_first_forecast(make_client: MakeClient) -> None:
    assert reasons(make_client()) == ["no forecast of feeder yet"]


def test_not_ready_without_a_series(empty: Any) -> None:
    assert reasons(empty) == ["no series: install a bundle or declare one in the configuration"]
    assert empty.get("/v1/models").json() == {"models": []}


def test_not_ready_with_a_clock_that_is_wrong(client: Any) -> None:
    client.gateway.installed._clock = lambda: 1000.0
    assert reasons(client) == ["the clock is before the newest bundle was built"]


def test_not_ready_with_a_full_or_read_only_disk(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = os.statvfs("/")

    def told(**changes: int) -> None:
        names = [name for name in dir(now) if name.startswith("f_")]
        values = {name: getattr(now, name) for name in names} | changes
        monkeypatch.setattr(os, "statvfs", lambda _path: type("Disk", (), values)())

    told(f_bavail=1, f_frsize=4096, f_flag=0)
    assert reasons(client)[0].endswith("4096 bytes are left on the disk")
    told(f_flag=os.ST_RDONLY)
    assert reasons(client)[0].endswith("the file system is read-only")


def test_store_that_fails_is_503_and_the_process_lives(client: Any) -> None:
    client.gateway.stores.database._connection.close()
    assert "closed database" in reasons(client)[0]
    row = {"timestamp": "2024-05-31T21:30:00Z", "value": 1}
    answer = client.post("/v1/series/feeder/observations", json=row)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert client.get("/livez").status_code == 200
    assert client.get("/v1/series/feeder/forecast").status_code == 200  # from memory
    client.gateway.stores.database._connection = sqlite3.connect(":memory:")


def test_a_fault_of_the_program_is_a_problem_without_details(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_series: str) -> bytes:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(client.gateway, "body", broken)
    answer = client.get("/v1/series/feeder/forecast")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text

    def full(_series: str) -> bytes:
        raise StoreError("disk full")

    monkeypatch.setattr(client.gateway, "body", full)
    assert client.get("/v1/series/feeder/forecast").status_code == 503


def test_metrics_are_what_was_counted(client: Any) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    (forecasts,) = found["frugal_edge_forecasts"].samples
    assert forecasts.name == "frugal_edge_forecasts_total"
    assert forecasts.labels == {"series": "feeder", "model": MODEL, "quality": "model"}
    assert forecasts.value == 1
    assert found["frugal_edge_forecasts"].type == "counter"
    took = found["frugal_edge_forecast_duration_seconds"]
    assert took.type == "summary"
    assert {one.name for one in took.samples} == {f"{took.name}_sum", f"{took.name}_count"}
    assert found["frugal_edge_last_success_timestamp_seconds"].type == "gauge"
    assert all(family.documentation for family in found.values())


def test_metrics_escape_what_comes_from_outside(client: Any) -> None:
    odd = 'a"b\\c\nd'
    client.gateway.stores.counters.set("outbox_messages", 3, series=odd)
    families = text_string_to_metric_families(client.get("/metrics").text)
    labels = [s.labels for f in families for s in f.samples if f.name.endswith("outbox_messages")]
    assert labels == [{"series": odd}]


def test_document_describes_exactly_what_is_served(client: Any) -> None:
    said = client.get("/openapi.json").json()
    assert said["openapi"] == "3.1.0"
    served = {
        (re.sub(r":path", "", route.path), method.lower())
        for route in client.app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, one in said["paths"].items() for method in one}
    assert described == served
    assert "securitySchemes" not in said["components"]
    names = [one["operationId"] for path in said["paths"].values() for one in path.values()]
    assert len(set(names)) == len(names)
    text = client.get("/openapi.json").text
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in said["components"]["schemas"]


def test_every_route_has_a_handler_that_its_answers_are_of(client: Any) -> None:
    routes = all_routes(client.gateway)
    assert [route.path for route in routes if route.hot] == [
        "/v1/series/{series:path}/forecast",
        "/v1/models/{model}/forecast",
    ]
    assert create_app(client.gateway, HttpSettings()).router.redirect_slashes is False
