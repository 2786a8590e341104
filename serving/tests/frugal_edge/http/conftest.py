"""A gateway with one signed model, asked in the same thread or over loopback."""

import asyncio
import hashlib
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, Self

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.clock import format_time
from frugal_edge.gateway.config import GatewayConfig, HttpSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http import hot
from frugal_edge.http.app import create_app
from frugal_edge.http.server import listen, serve_http
from frugal_edge.install.installer import How, install
from frugal_edge.trust.keys import TrustStore, pem
from frugal_edge.trust.sigstore import sign_statement
from frugal_edge.trust.statement import Statement

STEP, STEPS = 1800, 96
ORIGIN = 1_717_192_800  # 2024-05-31T22:00:00Z, midnight in Paris
MODEL = "load-naive_day-0123456789ab"
SERIES = "feeder"
READS = ("history", "origin")


@dataclass(frozen=True)
class Site:
    """A folder of state with what is installed there; its clock stands a minute after ORIGIN."""

    state: Path

    def gateway(self) -> Gateway:
        return Gateway(GatewayConfig("test", self.state), clock=lambda: ORIGIN + 60.0)


class Client:
    """Asks an application in this thread."""

    def __init__(self, gateway: Gateway, settings: HttpSettings) -> None:
        self.gateway = gateway
        self.app = create_app(gateway, settings)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **more)

        return asyncio.run(asked())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("POST", path, **more)


def rows(count: int = STEPS, end: int = ORIGIN) -> list[dict[str, Any]]:
    """Make readings that end at a time [unix s]."""
    return [
        {"timestamp": format_time(end - (count - i) * STEP), "value": 40.0 + i % 48}
        for i in range(count)
    ]


def _sign(folder: Path, trust: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
    }
    (folder / "model.sig").write_bytes(sign_statement(Statement(folder.name, digests), key))
    trust.mkdir(parents=True, exist_ok=True)
    (trust / "release.pub").write_bytes(pem(key.public_key()))


@pytest.fixture(scope="session")
def installed() -> dict[str, Path]:
    """States with a model, by what it reads and gives: to install one takes half a second."""
    return {}


@pytest.fixture
def make_site(
    make_bundle: Callable[..., Path],
    installed: dict[str, Path],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Site]:
    """Install a bundle of `make_bundle`, or copy what was installed for another test."""

    def older(manifest: dict[str, Any]) -> None:
        manifest["created"] = "2024-01-01T00:00:00Z"

    def make(
        reads: Sequence[str] = READS, *, offsets: Mapping[float, float] = MappingProxyType({})
    ) -> Site:
        kind = f"{list(reads)} {dict(offsets)}"
        if kind not in installed:
            place = tmp_path_factory.mktemp("installed")
            folder = make_bundle(reads, folder=place / "bundle", edit=older, offsets=offsets)
            _sign(folder, place / "state" / "trust")
            install(
                place / "state", folder, TrustStore.read(place / "state" / "trust"), How(trial=0)
            )
            installed[kind] = place / "state"
        shutil.copytree(installed[kind], tmp_path / "state")
        return Site(tmp_path / "state")

    return make


@pytest.fixture
def make_client(make_site: Callable[..., Site]) -> Iterator[Callable[..., Client]]:
    """Make a gateway with a model and its client; `readings` are stored, then forecast from."""
    opened: list[Gateway] = []

    def make(
        reads: Sequence[str] = READS,
        *,
        readings: bool = False,
        settings: HttpSettings | None = None,
        **more: Any,
    ) -> Client:
        gateway = make_site(reads, **more).gateway()
        opened.append(gateway)
        if readings:
            gateway.observe(SERIES, rows(), "test")
            gateway.cycle()
        return Client(gateway, settings or HttpSettings())

    yield make
    for gateway in opened:
        gateway.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Client]:
    """Give a client of a gateway without any series."""
    gateway = Gateway(GatewayConfig("empty", tmp_path / "empty"))
    yield Client(gateway, HttpSettings())
    gateway.close()


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    """Give a client of a gateway that has forecast."""
    return make_client(readings=True, offsets={0.1: -1.0, 0.5: 0.0, 0.9: 1.0})


@pytest.fixture
def live(make_site: Callable[..., Site]) -> Callable[..., Any]:
    """Serve a gateway with a forecast on a free loopback port; gives the port."""

    @contextmanager
    def serve(settings: HttpSettings | None = None, **more: Any) -> Iterator[int]:
        site = make_site(**more)
        with listen("127.0.0.1", 0) as free:
            port: int = free.getsockname()[1]
        chosen = replace(settings or HttpSettings(), port=port)
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()
        ready = threading.Event()

        async def run() -> None:
            gateway = site.gateway()  # in the thread that uses its database
            gateway.observe(SERIES, rows(), "test")
            gateway.cycle()
            loop.call_later(0.05, ready.set)
            try:
                await serve_http(gateway, chosen, stop)
            finally:
                gateway.close()
                ready.set()

        thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
        thread.start()
        try:
            assert ready.wait(20)
            yield port
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(20)
            assert not thread.is_alive()
            loop.close()

    return serve


NEWEST = f"/v1/series/{SERIES}/forecast"
STATELESS = f"/v1/models/{MODEL}/forecast"
ASKED = {"history": [50.0 + i % 7 for i in range(STEPS)], "origin": format_time(ORIGIN)}


def get(path: str = NEWEST, *lines: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "host: x", *lines, "", "")).encode()


def post(content: object, path: str = STATELESS, *lines: str) -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = lines or ("content-type: application/json",)
    head = (f"POST {path} HTTP/1.1", "host: x", *lines, f"content-length: {len(body)}", "", "")
    return "\r\n".join(head).encode() + body


class Peer:
    """A connection whose answers are taken one by one."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *pieces: bytes, pause: float = 0.02) -> None:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            self.socket.sendall(piece)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Take one answer: status, headers but the date, body."""
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        status = int(first.split()[1])
        assert status == 100 or headers.pop("date").endswith("GMT")
        length = int(headers.get("content-length", "0"))
        while len(self._data) < length:
            self._more()
        body, self._data = self._data[:length], self._data[length:]
        return status, headers, body

    def ask(self, *pieces: bytes) -> tuple[int, dict[str, str], bytes]:
        self.send(*pieces)
        return self.answer()

    def rest(self) -> bytes:
        while part := self.socket.recv(65536):
            self._data += part
        return self._data

    def _more(self) -> None:
        part = self.socket.recv(65536)
        assert part, f"closed after {self._data!r}"
        self._data += part


@pytest.fixture
def kit() -> SimpleNamespace:
    """Give what asks over a connection of its own, byte by byte."""
    return SimpleNamespace(
        Peer=Peer,
        get=get,
        post=post,
        newest=NEWEST,
        stateless=STATELESS,
        origin=format_time(ORIGIN),
        asked=ASKED,
        good=post(ASKED),
    )


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collect the bodies of the requests that were answered without being parsed."""
    found: list[bytes] = []
    ask = hot.Hot.ask

    def counted(self: Any, known: Any, body: bytes, *more: Any) -> None:
        found.append(body)
        ask(self, known, body, *more)

    monkeypatch.setattr(hot.Hot, "ask", counted)
    return found
