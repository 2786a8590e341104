"""Three services of grid intensity in one, on loopback, with faults when told to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


@dataclass
class Service:
    """Answers by path, faults that come first, and what was asked: path, question, headers."""

    answers: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def service() -> Iterator[Service]:
    held = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = {key: values[0] for key, values in parse_qs(parts.query).items()}
            held.asked.append((parts.path, params, dict(self.headers)))
            if held.faults:
                status, content = held.faults.pop(0)
            elif parts.path in held.answers:
                status, content = 200, json.dumps(held.answers[parts.path]).encode()
            else:
                status, content = 404, b"nothing here"
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", f"{held.url}/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        held.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield held
        finally:
            server.shutdown()
            thread.join(10)
