"""Open Inference Protocol v2."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest
from frugal_edge.clock import parse_time

MODEL = "load-naive_day-0123456789ab"
INFER = f"/v2/models/{MODEL}/infer"
ORIGIN = parse_time("2024-05-31T22:00:00Z")
STEPS, HORIZON = 96, 48
HISTORY = [40.0 + i % 48 for i in range(STEPS)]
LENGTH = "inference-header-content-length"


def inputs(**changes: Any) -> list[dict[str, Any]]:
    history = {"name": "history", "datatype": "FP32", "shape": [1, STEPS], "data": [HISTORY]}
    origin = {"name": "origin", "datatype": "INT64", "shape": [1], "data": [ORIGIN]}
    return [history | changes, origin]


def test_health_and_metadata(client: Any) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    server = client.get("/v2").json()
    assert server["extensions"] == ["binary_tensor_data"]
    model = client.get(f"/v2/models/{MODEL}").json()
    assert model["versions"] == ["1"]
    assert model["inputs"] == [
        {"name": "history", "datatype": "FP32", "shape": [1, STEPS]},
        {"name": "origin", "datatype": "INT64", "shape": [1]},
    ]
    assert [one["shape"] for one in model["outputs"]] == [[1, HORIZON], [1, HORIZON, 3]]
    assert client.get(f"/v2/models/{MODEL}/versions/1").json() == model
    assert client.get(f"/v2/models/{MODEL}/ready").json()["ready"] is True
    for path in (f"/v2/models/{MODEL}/versions/2", "/v2/models/other", "/v2/models/other/ready"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"] == answer.json()["detail"]


def test_not_ready(make_client: Callable[..., Any]) -> None:
    answer = make_client().get("/v2/health/ready")
    assert answer.status_code == 503
    assert answer.json()["error"] == "no forecast of feeder yet"


@pytest.mark.parametrize("data", [[HISTORY], HISTORY], ids=["nested", "flat"])
def test_infer_in_json(client: Any, data: object) -> None:
    answer = client.post(INFER, json={"id": "7", "inputs": inputs(data=data)})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["model_name"], told["model_version"], told["id"]) == (MODEL, "1", "7")
    forecast, quantiles = told["outputs"]
    newest = client.get("/v1/series/feeder/forecast").json()
    assert forecast["shape"] == [1, HORIZON]
    assert forecast["datatype"] == "FP32"
    assert forecast["data"] == newest["values"]
    assert quantiles["shape"] == [1, HORIZON, 3]
    assert np.reshape(quantiles["data"], (HORIZON, 3)).tolist() == newest["quantiles"]


def test_infer_in_binary(client: Any) -> None:
    history, origin = inputs()
    values = np.array(HISTORY, "<f4").tobytes()
    del history["data"]
    history["parameters"] = {"binary_data_size": len(values)}
    asked = [{"name": "quantiles", "parameters": {"binary_data": True}}, {"name": "forecast"}]
    text = orjson.dumps({"inputs": [history, origin], "outputs": asked})
    headers = {LENGTH: str(len(text)), "content-type": "application/octet-stream"}
    answer = client.post(INFER, content=text + values, headers=headers)
    assert answer.status_code == 200, answer.text
    end = int(answer.headers[LENGTH])
    quantiles, forecast = json.loads(answer.content[:end])["outputs"]
    assert quantiles["parameters"] == {"binary_data_size": len(answer.content) - end}
    assert "data" not in quantiles
    found = np.frombuffer(answer.content[end:], "<f4").reshape(HORIZON, 3)
    np.testing.assert_array_equal(found[:, 1], np.array(forecast["data"], np.float32))
    for size in (len(values) - 4, len(values) + 4, 0, -1, 2**40, 3):
        history["parameters"] = {"binary_data_size": size}
        text = orjson.dumps({"inputs": [history, origin]})
        headers = {LENGTH: str(len(text))}
        answer = client.post(INFER, content=text + values, headers=headers)
        assert answer.status_code == 422


@pytest.mark.parametrize("length", ["x", "-1", "1000000", "9" * 40, ""])
def test_wrong_length_of_the_json_is_400(client: Any, length: str) -> None:
    answer = client.post(INFER, content=b"{}", headers={LENGTH: length})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_all_outputs_in_binary(client: Any) -> None:
    payload = {"inputs": inputs(), "parameters": {"binary_data_output": True}}
    answer = client.post(INFER, json=payload)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert len(answer.content) - int(answer.headers[LENGTH]) == 4 * HORIZON * 4


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        ([], "body: document: expected an object"),
        ({}, "body: inputs: the key is missing"),
        ({"inputs": 5}, "body: inputs: expected a list"),
        ({"inputs": [5]}, "body: inputs[0]: expected an object"),
        ({"inputs": []}, "inputs: the model reads history, origin, not given"),
        ({"inputs": inputs()[:1]}, "inputs: the model reads origin, not given"),
        ({"inputs": inputs(name="other")}, "inputs[0].name: expected each of history, origin once"),
        ({"inputs": inputs() + inputs()}, "inputs[2].name: expected each of history, origin once"),
        ({"inputs": inputs(datatype="FP64")}, "inputs[0].datatype: expected FP32, got 'FP64'"),
        ({"inputs": inputs(shape=[2, STEPS])}, "expected [1, 96], a batch of one, got [2, 96]"),
        ({"inputs": inputs(shape=[-1, STEPS])}, "a batch of one"),
        ({"inputs": inputs(data=HISTORY[1:])}, "history: expected 96 values, got 95"),
        ({"inputs": inputs(data="x")}, "inputs[0].data: expected a list"),
        ({"inputs": inputs(data=[[1], 2])}, "history: expected rows of equal length"),
        ({"inputs": inputs(data=["1"] * STEPS)}, "history: expected FP32"),
        ({"inputs": inputs(data=[None] * STEPS)}, "history: expected FP32"),
        ({"inputs": inputs(data=[True] * STEPS)}, "history: expected numbers alone, got true"),
        ({"inputs": inputs(data=[1e300] * STEPS)}, "history: expected finite float32"),
        ({"inputs": inputs(more=1)}, "inputs[0]: unknown key 'more'"),
        ({"inputs": inputs(), "outputs": [{"name": "x"}]}, "expected one of forecast, quantiles"),
        ({"inputs": inputs(), "id": 5}, "body: id: expected a printable text"),
        ({"inputs": inputs(), "x": 5}, "body: document: unknown key 'x'"),
    ],
)
def test_what_does_not_fit_is_422(client: Any, payload: object, detail: str) -> None:
    answer = client.post(INFER, json=payload)
    assert answer.status_code == 422
    told = answer.json()
    assert detail in told["detail"]
    assert told["error"] == told["detail"]


@pytest.mark.parametrize("origin", [1.5, 2**63, -(2**63), "x", ORIGIN + 1, 0])
def test_an_origin_that_is_none_is_422(client: Any, origin: object) -> None:
    tensors = inputs()
    tensors[1]["data"] = [origin]
    assert client.post(INFER, json={"inputs": tensors}).status_code == 422
