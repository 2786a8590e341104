import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from frugal_ai.cost.power import meter_http
from frugal_ai.cost.power.meter_http import ask, open_http, power_in
from frugal_ai.errors import CostError


class Handler(BaseHTTPRequestHandler):
    """Answers what its path names."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/rpc")
            self.end_headers()
            return
        if self.path == "/hangs":
            self.server.ended.wait(5)  # type: ignore[attr-defined]  # set by the fixture
            return
        found = {
            "/rpc": json.dumps({"id": 0, "apower": 8.9, "aenergy": {"total": 6.5}}),
            "/text": "on",
            "/long": json.dumps("x" * 100_000),
        }.get(self.path)
        self.send_response(200 if found else 500)
        self.end_headers()
        self.wfile.write((found or "").encode())

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def plug() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.ended = threading.Event()  # type: ignore[attr-defined]  # read by the handler
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.ended.set()  # type: ignore[attr-defined]  # as above
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "answer",
    [
        {"id": 0, "output": True, "apower": 12.5, "voltage": 230.1},
        {"power": 12.5, "is_valid": True, "total": 41},
        {"meters": [{"power": 12.5}]},
        {"StatusSNS": {"Time": "2026-01-01T00:00:00", "ENERGY": {"Total": 3.1, "Power": 12.5}}},
    ],
)
def test_known_makes(answer: dict[str, Any]) -> None:
    assert power_in(answer) == 12.5


def test_field_of_another_make() -> None:
    assert power_in({"emeter": [{"w": 3}, {"w": 7}]}, "emeter.1.w") == 7


@pytest.mark.parametrize(
    ("answer", "field"), [({"volt": 230}, None), ([], None), ({"a": [1]}, "a.4"), (None, "a")]
)
def test_answer_without_watts(answer: Any, field: str | None) -> None:
    with pytest.raises(CostError, match="expected watts at"):
        power_in(answer, field)


@pytest.mark.parametrize("watts", ["12", True, {}])
def test_watts_that_are_no_number(watts: Any) -> None:
    with pytest.raises(CostError, match="apower: expected watts, got"):
        power_in({"apower": watts})


def test_number_that_is_not_finite() -> None:
    assert math.isnan(power_in({"apower": math.inf}))


def test_it_is_asked(plug: str) -> None:
    assert ask(f"{plug}/rpc") == 8.9
    gauge = open_http(f"{plug}/rpc")
    gauge.close()
    assert gauge.method == "wall"


@pytest.mark.parametrize(
    ("path", "why"),
    [("/moved", "302"), ("/none", "500"), ("/text", "expected JSON"), ("/long", "at most 65536")],
)
def test_answers_that_are_of_no_use(plug: str, path: str, why: str) -> None:
    with pytest.raises(CostError, match=why) as caught:
        ask(f"{plug}{path}")
    assert "\n" not in str(caught.value)


def test_meter_that_hangs(plug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter_http, "_TIMEOUT_S", 0.1)
    with pytest.raises(CostError, match=r"/hangs: timed out"):
        open_http(f"{plug}/hangs")


def test_meter_that_is_not_there() -> None:
    with pytest.raises(CostError, match=r"http meter: http://127\.0\.0\.1:9/:"):
        ask("http://127.0.0.1:9/")
    with pytest.raises(CostError, match="http meter"):
        ask("http://[")
