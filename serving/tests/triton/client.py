"""What a user of tritonclient does, with its answers as JSON: URL, model, start and unix origin."""

import json
import sys

import numpy as np
from tritonclient import http
from tritonclient.utils import InferenceServerException


def main(url: str, model: str, steps: int, origin: int) -> None:
    client = http.InferenceServerClient(url)
    told = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready(model),
        "version_ready": client.is_model_ready(model, "1"),
        "other_ready": client.is_model_ready("other"),
        "server": client.get_server_metadata(),
        "model": client.get_model_metadata(model),
    }
    values = np.array([[40.0 + i % 48 for i in range(steps)]], np.float32)
    for name, binary in (("binary", True), ("json", False)):
        history = http.InferInput("history", [1, steps], "FP32")
        history.set_data_from_numpy(values, binary_data=binary)
        start = http.InferInput("origin", [1], "INT64")
        start.set_data_from_numpy(np.array([origin], np.int64), binary_data=binary)
        outputs = [http.InferRequestedOutput("forecast", binary_data=binary)]
        asked = None if binary else outputs
        answer = client.infer(model, [history, start], outputs=asked, request_id="7")
        told[name] = answer.as_numpy("forecast").tolist()
        told[f"{name}_id"] = answer.get_response()["id"]
    told["quantiles"] = list(client.infer(model, [history, start]).as_numpy("quantiles").shape)
    short = http.InferInput("history", [1, steps - 1], "FP32")
    short.set_data_from_numpy(values[:, 1:])
    try:
        client.infer(model, [short, start])
    except InferenceServerException as error:
        told["refused"] = [error.status(), error.message()]
    pending = [client.async_infer(model, [history, start]) for _ in range(8)]
    told["async"] = [one.get_result().as_numpy("forecast").tolist() for one in pending]
    client.close()
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
