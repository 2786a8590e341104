"""Open Inference Protocol v2 with the real client of NVIDIA's server; `make triton` brings it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[4]
PYTHON = ROOT / ".venv-triton" / "bin" / "python"
SCRIPT = ROOT / "serving" / "tests" / "triton" / "client.py"
MODEL = "load-naive_day-0123456789ab"
STEPS, ORIGIN = 96, 1_717_192_800

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="tritonclient is not here: make triton brings it"
)


def test_tritonclient(live: Callable[..., Any]) -> None:
    with live(offsets={0.1: -1.0, 0.5: 0.0, 0.9: 1.0}) as port:
        arguments = [str(PYTHON), str(SCRIPT), f"127.0.0.1:{port}", MODEL, str(STEPS), str(ORIGIN)]
        done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=60)
        newest = httpx.get(f"http://127.0.0.1:{port}/v1/series/feeder/forecast").json()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for name in ("live", "ready", "model_ready", "version_ready"):
        assert told[name] is True
    assert told["other_ready"] is False
    assert told["server"]["extensions"] == ["binary_tensor_data"]
    assert [one["name"] for one in told["model"]["inputs"]] == ["history", "origin"]
    assert told["binary"] == told["json"]
    assert [float(f"{value:.6g}") for value in told["json"][0]] == newest["values"]
    assert told["binary_id"] == told["json_id"] == "7"
    assert told["quantiles"] == [1, 48, 3]
    assert told["refused"][0] == "422"
    assert "shape: expected [1, 96], a batch of one, got [1, 95]" in told["refused"][1]
    assert told["async"] == [told["json"]] * 8
