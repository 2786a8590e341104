"""Readings in, forecasts out."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import hypothesis
import numpy as np
import orjson
import pytest
from frugal_edge.clock import format_time, parse_time
from frugal_edge.gateway.config import HttpSettings
from frugal_edge.http.payload import parse_json
from hypothesis import strategies as st

OBSERVATIONS = "/v1/series/feeder/observations"
NEWEST = "/v1/series/feeder/forecast"
STATELESS = "/v1/models/load-naive_day-0123456789ab/forecast"
ORIGIN, STEP, STEPS, HORIZON = "2024-05-31T22:00:00Z", 1800, 96, 48
MakeClient = Callable[..., Any]


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    assert told["type"] == "about:blank"
    assert told["title"]
    assert told["detail"]
    return told


def reading(back: int, **values: Any) -> dict[str, Any]:
    return {"timestamp": format_time(parse_time(ORIGIN) - back * STEP), **values}


def test_readings_are_stored_and_lead_to_a_forecast(make_client: MakeClient) -> None:
    client = make_client()
    assert problem(client.get(NEWEST), 404)["detail"] == "no forecast of 'feeder' yet"
    rows = [reading(STEPS - i, value=40.0 + i) for i in range(STEPS)]
    answer = client.post(OBSERVATIONS, json={"unit": "MW", "observations": rows})
    assert answer.status_code == 200
    assert answer.json() == {"accepted": STEPS, "refused": 0, "reasons": []}
    client.gateway.cycle()
    told = client.get(NEWEST).json()
    assert told["quality"] == "model"
    assert told["origin"] == ORIGIN
    assert told["values"] == [
        40.0 + STEPS - HORIZON + i + 151 for i in range(HORIZON)
    ]  # plus the day


def test_some_rows_refused_is_207_with_reasons(client: Any) -> None:
    rows = [reading(1, value=50), reading(2, value="many"), reading(3, voltage=1), 7]
    answer = client.post(OBSERVATIONS, json=rows)
    assert answer.status_code == 207
    told = answer.json()
    assert (told["accepted"], told["refused"]) == (1, 3)
    assert [one["index"] for one in told["reasons"]] == [1, 2, 3]
    assert told["reasons"][0]["reason"] == "value: expected a finite number or null, got 'many'"


def test_all_rows_refused_is_422(client: Any) -> None:
    told = problem(client.post(OBSERVATIONS, json=reading(1, value=1e30)), 422)
    assert told["accepted"] == 0
    assert told["refused"] == 1
    assert "another unit" in told["reasons"][0]["reason"]


@pytest.mark.parametrize("payload", [[], {}, 5, "x", {"observations": {}}])
def test_what_is_no_list_of_rows_is_422(client: Any, payload: object) -> None:
    problem(client.post(OBSERVATIONS, json=payload), 422)


def test_many_refused_rows_are_counted_and_the_first_told(client: Any) -> None:
    told = problem(client.post(OBSERVATIONS, json=[1] * 500), 422)
    assert told["refused"] == 500
    assert len(told["reasons"]) == 100
    counters = client.gateway.stores.counters
    assert counters.get("observations_refused_total", source="http") == 500


def test_unknown_series_and_models_are_404(client: Any) -> None:
    for path in ("/v1/series/other/forecast", "/v1/models/other"):
        problem(client.get(path), 404)
    for path in (
        "/v1/series/other/observations",
        "/v1/models/x/forecast",
        "/v1/models/x/y/forecast",
    ):
        problem(client.post(path, json={}), 404)


def test_unknown_paths_and_methods_are_problems(client: Any) -> None:
    assert "/openapi.json" in problem(client.get("/nowhere"), 404)["detail"]
    problem(client.get("/v1/models/"), 404)
    answer = client.ask("DELETE", OBSERVATIONS)
    assert problem(answer, 405)["detail"].endswith("expected POST, got DELETE")
    assert answer.headers["allow"] == "POST"


def test_newest_forecast_is_sent_once(client: Any) -> None:
    first = client.get(NEWEST)
    assert first.headers["content-type"] == "application/json"
    tag = first.headers["etag"]
    assert tag == f'"{ORIGIN}/2024-05-31T22:01:00Z"'
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(NEWEST, headers={"if-none-match": given})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
    assert client.get(NEWEST, headers={"if-none-match": '"other"'}).status_code == 200
    head = client.ask("HEAD", NEWEST)
    assert head.status_code == 200
    assert head.headers["etag"] == tag


def test_tag_changes_with_the_forecast(client: Any) -> None:
    tag = client.get(NEWEST).headers["etag"]
    client.gateway.clock = lambda: parse_time(ORIGIN) + 86400 + 60.0
    client.gateway._cycle._clock = client.gateway.clock
    client.gateway.cycle()
    again = client.get(NEWEST, headers={"if-none-match": tag})
    assert again.status_code == 200
    assert again.headers["etag"] != tag


def test_stateless_forecast_is_the_one_of_the_gateway(client: Any) -> None:
    history = [40.0 + i % 48 for i in range(STEPS)]
    answer = client.post(STATELESS, json={"history": history, "origin": ORIGIN})
    assert answer.status_code == 200
    ours, newest = answer.json(), client.get(NEWEST).json()
    assert ours == newest
    assert list(ours) == list(newest)


def test_stateless_covariates_by_row_or_by_column(
    make_client: MakeClient, inputs_of: Callable[..., dict[str, Any]], expect: Callable[..., Any]
) -> None:
    reads = ("history", "known", "past", "origin")
    client = make_client(reads)
    given = {**inputs_of(reads, 3), "origin": parse_time(ORIGIN)}
    by_row = {**given, "origin": ORIGIN}
    known = np.array(given["known"])
    by_column = by_row | {
        "known": {"wind": known[:, 1].tolist(), "temperature": known[:, 0].tolist()},
        "past": {"voltage": np.array(given["past"])[:, 0].tolist()},
    }
    wanted = expect(given)
    for payload in (by_row, by_column):
        told = client.post(STATELESS, json=payload).json()
        np.testing.assert_allclose(told["values"], wanted, rtol=1e-6)
        assert told["quality"] == "model"


def test_stateless_drift_moves_quantiles(make_client: MakeClient) -> None:
    client = make_client(("history", "drift"), offsets={0.1: -1.0, 0.5: 0.0, 0.9: 1.0})
    history = [50.0] * STEPS
    drift = [[0.5, 0.5, 0.5]] * HORIZON
    payload = {"history": history, "origin": ORIGIN, "drift": drift}
    told = client.post(STATELESS, json=payload).json()
    assert told["quantiles"][0] == [50.0, 51.0, 52.0]


def test_stateless_beyond_the_training_is_flagged(client: Any) -> None:
    history = [5000.0] * STEPS
    told = client.post(STATELESS, json={"history": history, "origin": ORIGIN}).json()
    assert told["quality"] == "out_of_bounds"
    assert told["warnings"]


HISTORY = [50.0] * STEPS


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (5, "body: expected an object, got 5"),
        ({"history": HISTORY}, "origin: expected an RFC 3339 time, got None"),
        ({"history": HISTORY, "origin": 5}, "origin: expected an RFC 3339 time, got 5"),
        ({"history": HISTORY, "origin": "soon"}, "origin: expected an ISO 8601 time, got 'soon'"),
        ({"history": HISTORY, "origin": ORIGIN[:-1]}, "origin: expected an offset"),
        ({"history": HISTORY, "origin": "2024-05-31T21:00:00Z"}, "trained for origins at 00:00"),
        ({"history": HISTORY, "origin": "1924-05-31T22:00:00Z"}, "expected one from 2024-01-01"),
        ({"origin": ORIGIN}, "history: the model reads it, none was given"),
        ({"history": HISTORY[:-1], "origin": ORIGIN}, "history: expected shape [96] [N], got [95]"),
        ({"history": [], "origin": ORIGIN}, "history: expected shape [96] [N], got [0]"),
        ({"history": [HISTORY], "origin": ORIGIN}, "history: expected shape [96] [N], got [1, 96]"),
        ({"history": {"a": HISTORY}, "origin": ORIGIN}, "history: expected a list"),
        ({"history": [None, *HISTORY[1:]], "origin": ORIGIN}, "expected 96 steps of 1800 s before"),
        (
            {"history": [*HISTORY[1:], None], "origin": ORIGIN},
            "expected values up to 2024",
        ),
        ({"history": [None] * 96, "origin": ORIGIN}, "body: feeder: expected 96 steps"),
        (
            {"history": [1, *[None] * 5, *[1] * 90], "origin": ORIGIN},
            "feeder: gap of 5 steps",
        ),
        ({"history": [1, None, 1e300, *[1] * 93], "origin": ORIGIN}, "history: expected finite"),
        ({"history": [1, None, "1", *[1] * 93], "origin": ORIGIN}, "alone, got '1' at 2"),
        ({"history": [1, None], "origin": ORIGIN}, "history: expected shape [96] [N], got [2]"),
        ({"history": [*HISTORY[:-1], "5"], "origin": ORIGIN}, "alone, got '5' at 95"),
        ({"history": [True, *HISTORY[1:]], "origin": ORIGIN}, "numbers alone, got true"),
        ({"history": [False, *HISTORY[1:]], "origin": ORIGIN}, "numbers alone, got false"),
        ({"history": [1e300, *HISTORY[1:]], "origin": ORIGIN}, "history: expected finite float32"),
        ({"history": [[1.0], *HISTORY[1:]], "origin": ORIGIN}, "history: expected rows of 1"),
        ({"history": HISTORY, "origin": ORIGIN, "past": [[1]]}, "past: the model"),
        ({"history": HISTORY, "origin": ORIGIN, "future": 1}, "got 'future' too"),
    ],
)
def test_stateless_refuses_with_what_was_expected(
    client: Any, payload: object, detail: str
) -> None:
    assert detail in problem(client.post(STATELESS, json=payload), 422)["detail"]


def test_stateless_fills_small_gaps_as_the_gateway_does(make_client: MakeClient) -> None:
    client = make_client()
    history: list[float | None] = [40.0 + i % 48 for i in range(STEPS)]
    for at in (60, 61, 80):
        history[at] = None
    rows = [reading(STEPS - i, value=value) for i, value in enumerate(history)]
    assert client.post(OBSERVATIONS, json=rows).status_code == 200
    client.gateway.cycle()
    newest = client.get(NEWEST).json()
    told = client.post(STATELESS, json={"history": history, "origin": ORIGIN}).json()
    assert told["quality"] == "gap_filled"
    assert told["warnings"] == ["3 missing readings were filled"]
    assert told == newest


def test_stateless_fills_past_covariates_and_never_known_ones(
    make_client: MakeClient, inputs_of: Callable[..., dict[str, Any]]
) -> None:
    reads = ("history", "known", "past", "origin")
    client = make_client(reads)
    whole = {**inputs_of(reads, 3), "origin": ORIGIN}
    past = np.array(whole["past"]).tolist()
    filled = (past[4][0] + past[6][0]) / 2
    wanted = client.post(STATELESS, json={**whole, "past": [*past[:5], [filled], *past[6:]]}).json()
    for gap in (
        [*past[:5], [None], *past[6:]],
        {"voltage": [row[0] if i != 5 else None for i, row in enumerate(past)]},
    ):
        told = client.post(STATELESS, json={**whole, "past": gap}).json()
        assert told["quality"] == "gap_filled"
        np.testing.assert_allclose(told["values"], wanted["values"], rtol=1e-6)
    known = np.array(whole["known"]).tolist()
    known[3][0] = None
    told = problem(client.post(STATELESS, json={**whole, "known": known}), 422)
    assert "known: expected numbers alone, got None" in told["detail"]


REPEATED = [
    (OBSERVATIONS, '{"timestamp": "2024-05-31T21:30:00Z", "value": 1, "value": 2}', "value"),
    (OBSERVATIONS, '[{"timestamp": "2024-05-31T21:30:00Z", "value" :1, "value":2}]', "value"),
    (OBSERVATIONS, '{"unit": "MW", "unit": "kW", "observations": []}', "unit"),
    (STATELESS, '{"origin": "x", "history": [1], "history": [2]}', "history"),
    (STATELESS, '{"origin": "x", "known": {"wind": [1], "wind": [2]}}', "wind"),
    (STATELESS, '{"origin": "x", "history": [1, {"a": 1, "a": 2}]}', "a"),
    (STATELESS, r'{"a\":": "x", "a\":": "\":"}', 'a":'),
    ("/v2/models/load-naive_day-0123456789ab/infer", '{"id": "a", "id": "b", "inputs": []}', "id"),
]


@pytest.mark.parametrize(("path", "body", "key"), REPEATED)
def test_repeated_keys_are_refused(client: Any, path: str, body: str, key: str) -> None:
    headers = {"content-type": "application/json"}
    told = problem(client.post(path, content=body.encode(), headers=headers), 400)
    assert told["detail"] == f"body: not valid JSON: key '{key}' is repeated"


@hypothesis.given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_without_repeated_keys_is_read(value: Any) -> None:
    for indent in (None, 1):
        assert parse_json(json.dumps(value, indent=indent).encode()).value == value


BAD_JSON = [
    *(b"", b"{", b"nul", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1e400", b"1" * 5000),
    *(b'{"history":[1e999]}', b'{"a":NaN}', b"\xff\xfe", b'"\xc3\x28"', b'"\\ud800"'),
    *(b"[" * 100_000, b'{"a":' * 5000, b"\xef\xbb\xbf{}", b"{'a':1}", b'{"a":1}x', b"\x00"),
]


@pytest.mark.parametrize("path", [OBSERVATIONS, STATELESS])
@pytest.mark.parametrize("body", BAD_JSON, ids=lambda body: repr(body[:12]))
def test_what_is_no_json_is_400(client: Any, path: str, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    told = problem(client.post(path, content=body, headers=headers), 400)
    assert told["detail"].startswith("body: expected JSON, got ")


DEEP = b"[" * 1000 + b"]" * 1000


@pytest.mark.parametrize(
    "body",
    [DEEP, b'{"history":%s}' % DEEP, b'{"observations":%s}' % DEEP, b'[{"timestamp":%s}]' % DEEP],
)
@pytest.mark.parametrize("path", [OBSERVATIONS, STATELESS])
def test_deep_nesting_is_refused(client: Any, path: str, body: bytes) -> None:
    assert client.post(path, content=body).status_code in {400, 422}


@pytest.mark.parametrize("number", ["123456789012345678901234567890", "9" * 300, "-0.0", "5e-324"])
def test_odd_numbers_are_no_fault(client: Any, number: str) -> None:
    row = json.dumps(reading(1, value=0)).replace("0}", f"{number}}}")
    assert client.post(OBSERVATIONS, content=row.encode()).status_code in {200, 422}
    body = orjson.dumps({"history": HISTORY, "origin": ORIGIN}).replace(b"50.0", number.encode())
    assert client.post(STATELESS, content=body).status_code in {200, 422}


def test_other_types_and_compressed_bodies_are_415(client: Any) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    for path in (OBSERVATIONS, STATELESS):
        told = problem(client.post(path, content=b"{}", headers=form), 415)
        assert "expected application/json" in told["detail"]
        packed = {"content-encoding": "gzip"}
        problem(client.post(path, content=b"{}", headers=packed), 415)
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/geo+json"):
        answer = client.post(OBSERVATIONS, content=b"{", headers={"content-type": kind})
        assert answer.status_code == 400


def test_too_large_a_body_is_413(make_client: MakeClient) -> None:
    client = make_client(settings=HttpSettings(max_body=1000))
    told = problem(client.post(OBSERVATIONS, content=b" " * 1001), 413)
    assert told["detail"] == "body: expected at most 1000 bytes, got 1001 bytes"

    async def parts() -> Any:
        for _ in range(11):
            yield b" " * 100

    told = problem(client.post(OBSERVATIONS, content=parts()), 413)
    assert told["detail"] == "body: expected at most 1000 bytes, got more"
    assert client.post(OBSERVATIONS, content=b"5" + b" " * 999).status_code == 422


def test_models_and_series_are_listed(client: Any) -> None:
    (model,) = client.get("/v1/models").json()["models"]
    assert model == client.get("/v1/models/load-naive_day-0123456789ab").json()
    assert model["series_id"] == "feeder"
    assert model["history_steps"] == STEPS
    assert model["bytes"] > 1000
    assert model["on_trial"] is False
    (series,) = client.get("/v1/series").json()["series"]
    assert series["model"] == model["id"]
    assert series["trouble"] is None
    assert series["newest_reading"] == "2024-05-31T21:30:00Z"


def test_a_series_with_a_slash_in_its_name(client: Any) -> None:
    client.gateway.installed.targets["site/1"] = client.gateway.installed.targets["feeder"]
    for path in ("/v1/series/site/1/forecast", "/v1/series/site%2F1/forecast"):
        assert problem(client.get(path), 404)["detail"] == "no forecast of 'site/1' yet"
