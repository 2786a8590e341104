"""No body, header or path is a fault of the gateway."""

import json
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

MODEL = "load-naive_day-0123456789ab"
POSTS = [
    "/v1/series/feeder/observations",
    f"/v1/models/{MODEL}/forecast",
    f"/v2/models/{MODEL}/infer",
]
ORIGIN = "2024-05-31T22:00:00Z"

numbers = st.one_of(
    st.integers(),
    st.integers(10**15, 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "1e999", "-1e400", "1E+309", "0x1", "1_0"]),
)
leaves = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=8))
keys = st.one_of(
    st.sampled_from(
        ["history", "origin", "known", "past", "drift", "timestamp", "value", "unit",
         "observations", "inputs", "outputs", "name", "shape", "datatype", "data", "parameters",
         "id", "binary_data_size", "binary_data", "binary_data_output"]
    ),
    st.text(max_size=5),
)  # fmt: skip
texts = st.sampled_from(["history", "origin", "FP32", "INT64", ORIGIN, "MW", "forecast"])
values = st.recursive(
    leaves | texts,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=25,
)
many = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def as_text(value: object) -> bytes:
    """Write JSON in which some texts become bare words, such as NaN and 1e999."""
    text = json.dumps(value)
    for word in ("NaN", "Infinity", "-Infinity", "1e999", "-1e400", "1E+309", "0x1", "1_0"):
        text = text.replace(f'"{word}"', word)
    return text.encode()


def fine(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert answer.json()["detail"]


@pytest.mark.parametrize("path", POSTS)
@many
@given(value=values)
def test_any_json(client: Any, path: str, value: object) -> None:
    fine(client.post(path, content=as_text(value)))


@pytest.mark.parametrize("path", POSTS)
@many
@given(body=st.binary(max_size=200), length=st.none() | st.integers(-5, 300))
def test_any_bytes(client: Any, path: str, body: bytes, length: int | None) -> None:
    headers = {} if length is None else {"inference-header-content-length": str(length)}
    fine(client.post(path, content=body, headers=headers))


@many
@given(number=numbers, at=st.integers(0, 95))
def test_any_number_in_a_history(client: Any, number: object, at: int) -> None:
    history: list[object] = [50.0] * 96
    history[at] = number
    fine(client.post(POSTS[1], content=as_text({"history": history, "origin": ORIGIN})))
    row = {"timestamp": "2024-05-31T21:30:00Z", "value": number}
    fine(client.post(POSTS[0], content=as_text(row)))
    tensors = [
        {"name": "history", "datatype": "FP32", "shape": [1, 96], "data": history},
        {"name": "origin", "datatype": "INT64", "shape": [1], "data": [number]},
    ]
    fine(client.post(POSTS[2], content=as_text({"inputs": tensors})))


@many
@given(
    origin=st.one_of(
        st.datetimes().map(lambda t: t.isoformat() + "Z"),
        st.datetimes().map(lambda t: t.isoformat() + "+23:59"),
        st.text(max_size=30),
    )
)
def test_any_time(client: Any, origin: str) -> None:
    body = json.dumps({"history": [50.0] * 96, "origin": origin}).encode()
    fine(client.post(POSTS[1], content=body))
    fine(client.post(POSTS[0], content=json.dumps({"timestamp": origin, "value": 1}).encode()))


@many
@given(parts=st.lists(st.text(min_size=1, max_size=6), max_size=4), method=st.sampled_from("GPDX"))
def test_any_path(client: Any, parts: list[str], method: str) -> None:
    from urllib.parse import quote

    names = {"G": "GET", "P": "POST", "D": "DELETE", "X": "BREW"}
    for start in ("", "/v1/series", "/v1/models", "/v2/models"):
        path = start + "".join("/" + quote(part, safe="") for part in parts)
        fine(client.ask(names[method], path or "/"))


def test_schemathesis_finds_no_fault(live: Callable[..., Any]) -> None:
    """Generate requests from the OpenAPI document, valid and not, against a real server."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    import httpx

    with live() as port:
        url = f"http://127.0.0.1:{port}"
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        count = 0
        with httpx.Client(base_url=url) as other:
            for result in schema.get_all_operations():
                operation = result.ok()

                @settings(max_examples=25, deadline=None, database=None,
                          suppress_health_check=list(HealthCheck))  # fmt: skip
                @given(case=operation.as_strategy())
                def run(case: Any) -> None:
                    nonlocal count
                    count += 1
                    answer = case.call()
                    case.validate_response(answer, excluded_checks=[])

                run()
            assert other.get("/livez").status_code == 200
        assert count > 150
