"""A real mosquitto on the loopback, its certificates, and gateways that talk to it."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiomqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from frugal_edge.clock import format_time
from frugal_edge.gateway.config import GatewayConfig, MqttSettings, SeriesSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.mqtt.backoff import Backoff
from frugal_edge.mqtt.link import Link

HOST = "127.0.0.1"
STEP = 900
DAY = 86400
START = 1_780_000_200  # a start of an interval
_PATIENCE_S = 60.0


@dataclass
class Broker:
    """A mosquitto with a configuration of its own; persistent, so that it may be restarted."""

    folder: Path
    program: str
    extra: tuple[str, ...]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        if not self.port:
            with socket.socket() as probe:
                probe.bind((HOST, 0))
                self.port = probe.getsockname()[1]
        lines = [
            f"listener {self.port} {HOST}",
            "persistence true",
            f"persistence_location {self.folder}/",
            *self.extra,
        ]
        if not any(line.startswith("allow_anonymous") for line in lines):
            lines.append("allow_anonymous true")
        if os.getuid() == 0:
            lines.append("user root")  # another user could not read what a test wrote
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", str(config)], stdout=log, stderr=log
            )
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail(f"mosquitto did not start: {(self.folder / 'mosquitto.log').read_text()}")

    def stop(self) -> None:
        """End it as a service is ended: it writes its sessions down."""
        process, self.process = self.process, None
        while process is not None and process.poll() is None:
            process.terminate()  # one that comes while it starts is lost on it
            with suppress(subprocess.TimeoutExpired):
                process.wait(2)


@pytest.fixture
def start_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Start brokers with lines of configuration of their own."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    started: list[Broker] = []

    def start(*extra: str) -> Broker:
        broker = Broker(tmp_path / f"broker{len(started)}", program, extra)
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def broker(start_broker: Callable[..., Broker]) -> Broker:
    """Start a broker without TLS, passwords or access control."""
    return start_broker()


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Site:
    """A gateway with a link, on a clock of its own."""

    gateway: Gateway
    link: Link
    clock: Clock
    settings: MqttSettings

    def forecast(self, steps: int = 1, value: Callable[[int], float] = lambda step: step) -> None:
        """Let intervals pass, each with a reading and a look at its end."""
        for step in range(steps):
            time = format_time(int(self.clock.now))
            self.clock.now += STEP
            row = {"timestamp": time, "value": value(step)}
            self.gateway.observe("feeder/1", row, "test")
            self.link.offer(self.gateway.cycle())

    def count(self, name: str, **labels: str) -> float:
        return self.gateway.stores.counters.get(name, **labels)


def quick() -> Backoff:
    """Pauses for tests."""
    return Backoff(0.05, 0.2)


@contextmanager
def _site(state: Path, settings: MqttSettings, clock: Clock | None = None) -> Iterator[Site]:
    series = {
        "feeder/1": SeriesSettings(unit="MW", step_s=STEP, horizon=96, minimum=-500, maximum=500)
    }
    config = GatewayConfig(name="gw", state=state, series=series, mqtt=settings)
    clock = clock or Clock()
    gateway = Gateway(config, clock)
    try:
        yield Site(gateway, Link(gateway, settings, quick()), clock, settings)
    finally:
        gateway.close()


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[..., Any]:
    """Open a gateway on a folder that a test may open again."""

    def make(broker: Broker, *, clock: Clock | None = None, **changes: Any) -> Any:
        settings = MqttSettings(host=HOST, port=broker.port, discovery=None)
        return _site(tmp_path / "state", replace(settings, **changes), clock)

    return make


@dataclass
class Listener:
    """Another client, which sees what the broker gives out."""

    client: aiomqtt.Client
    messages: list[aiomqtt.Message] = field(default_factory=list)

    def on(self, topic: str) -> list[bytes]:
        """Return the payloads that came on a topic."""
        return [one.payload for one in self.messages if one.topic.value == topic]


@asynccontextmanager
async def listening(broker: Broker, topic: str = "#", **options: Any) -> AsyncIterator[Listener]:
    """Subscribe to topics of a broker."""
    async with aiomqtt.Client(HOST, broker.port, **options) as client:
        listener = Listener(client)

        async def collect() -> None:
            async for message in client.messages:
                listener.messages.append(message)

        await client.subscribe(topic, qos=1)
        task = asyncio.create_task(collect())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(ready: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    end = time.monotonic() + _PATIENCE_S
    while not ready():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(link: Link) -> AsyncIterator[None]:
    """Run a link, and stop it as a service does."""
    stop = asyncio.Event()
    task = asyncio.create_task(link.run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, _PATIENCE_S)


def within(work: Awaitable[None]) -> None:
    """Run a test's coroutine, within bounds."""

    async def bounded() -> None:
        await asyncio.wait_for(work, 3 * _PATIENCE_S)

    asyncio.run(bounded())


def events(stderr: str, name: str) -> list[dict[str, Any]]:
    """Return the log's lines of one event."""
    lines = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


@dataclass(frozen=True)
class Certificate:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """Who signs certificates, in a folder."""

    folder: Path
    name: str

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def found(self, valid: timedelta) -> "Authority":
        self.folder.mkdir(exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        own = _name(self.name)
        built = _builder(own, own, key, valid).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        _write(self.file, self.folder / f"{self.name}.key", built, key, key)
        return self

    def sign(
        self,
        name: str,
        *,
        hosts: Sequence[str] = (HOST,),
        valid: timedelta = timedelta(days=30),
    ) -> Certificate:
        """Make a certificate; a negative validity has it expire before now."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer_key = _key(self.folder / f"{self.name}.key")
        alternatives = [x509.IPAddress(ip_address(host)) for host in hosts]
        built = _builder(_name(name), _name(self.name), key, valid).add_extension(
            x509.SubjectAlternativeName(alternatives), critical=False
        )
        files = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        _write(files.certificate, files.key, built, key, issuer_key)
        return files


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    valid: timedelta,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + valid)
    )


def _write(
    certificate: Path,
    key_file: Path,
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> None:
    signed = builder.sign(issuer_key, hashes.SHA256())
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


@pytest.fixture
def authority(tmp_path: Path) -> Callable[..., Authority]:
    """Found authorities."""

    def make(name: str, valid: timedelta = timedelta(days=30)) -> Authority:
        return Authority(tmp_path / "certificates", name).found(valid)

    return make


@pytest.fixture
def kit() -> SimpleNamespace:
    """Give what tests of a link need."""
    return SimpleNamespace(
        listening=listening,
        running=running,
        until=until,
        within=within,
        events=events,
        quick=quick,
        Clock=Clock,
        host=HOST,
        start=START,
        step=STEP,
    )
