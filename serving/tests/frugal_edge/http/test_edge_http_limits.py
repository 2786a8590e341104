"""Clients that are slow, large, many or rude, on a real server."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import HttpSettings
from frugal_edge.http.protocol import Bounded
from frugal_edge.http.server import listen
from frugal_edge.http.tls import tls_context
from uvicorn.server import ServerState

Live = Callable[..., Any]
PATH = "/v1/series/feeder/observations"
HEAD = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
QUICK = HttpSettings(receive_s=0.6)
PATIENCE_S = 60.0  # what has no end fails after it; a busy machine needs a part of it


def connect(port: int, data: bytes = b"") -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    opened.sendall(data)
    return opened


def rest(opened: socket.socket) -> bytes:
    """Read until the server closes."""
    parts = []
    while part := opened.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_answers_over_loopback_and_keeps_alive(live: Live) -> None:
    with live() as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(3):
            assert client.get("/livez").json() == {"live": True}
        assert client.get("/readyz").status_code == 200
        assert client.get("/v1/series/feeder/forecast").json()["quality"] == "model"


def test_many_slow_headers_are_closed_in_time_and_others_served(live: Live) -> None:
    settings = HttpSettings(receive_s=1.0, max_concurrency=100)
    with live(settings) as port, ExitStack() as stack:
        slow = [connect(port, b"GET /livez HTTP/1.1\r\nx-slow: ") for _ in range(80)]
        for one in slow:
            stack.enter_context(one)
        began = time.monotonic()
        assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
        for one in slow:  # a byte now and then buys no time
            one.sendall(b"a")
        answers = [rest(one) for one in slow]
        assert time.monotonic() - began < PATIENCE_S
        for answer in answers:
            assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert b"application/problem+json" in answer
            assert b"expected a whole request within 1 s" in answer


def test_a_connection_that_says_nothing_is_closed(live: Live) -> None:
    with live(QUICK) as port, connect(port) as idle:
        began = time.monotonic()
        assert rest(idle).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < PATIENCE_S


@pytest.mark.parametrize(
    "begun",
    [HEAD + "content-length: 100\r\n\r\n{", HEAD + "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"],
    ids=["length", "chunked"],
)
def test_a_slow_body_is_408(live: Live, begun: str) -> None:
    with live(QUICK) as port, connect(port, begun.encode()) as slow:
        assert rest(slow).startswith(b"HTTP/1.1 408 ")


def test_a_second_request_that_is_slow_is_closed_too(live: Live) -> None:
    whole = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
    with live(QUICK) as port:
        with connect(port, whole) as slow:
            time.sleep(0.2)
            slow.sendall(b"GET /livez HTTP/1.1\r\nx: ")
            answer = rest(slow)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"HTTP/1.1 408 " in answer
        pipelined = whole + (HEAD + "content-length: 9\r\n\r\n{").encode()
        with connect(port, pipelined) as slow:
            answer = rest(slow)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"HTTP/1.1 408 " in answer


def test_a_client_that_does_not_read_is_closed(live: Live) -> None:
    with live(QUICK) as port:
        with socket.socket() as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            rude.settimeout(10)
            rude.connect(("127.0.0.1", port))
            asked = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 400
            with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):  # noqa: PT012  # either
                for _ in range(40):
                    rude.sendall(asked)
                    time.sleep(0.1)
        assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200


def test_who_does_not_read_the_end_of_a_closed_connection_loses_it() -> None:
    class Stuck:
        aborted = 0

        def is_closing(self) -> bool:
            return True

        def abort(self) -> None:
            self.aborted += 1

    async def app(scope: object, receive: object, send: object) -> None:
        raise NotImplementedError

    loop = asyncio.new_event_loop()
    config = uvicorn.Config(app, http=Bounded, ws="none", lifespan="off", log_config=None)
    one = Bounded(config, ServerState(), {}, loop)
    one.transport = stuck = Stuck()  # type: ignore[assignment]  # all that is asked of it
    loop.close()
    one.late(100.0)
    one.late(109.0)
    assert stuck.aborted == 0
    one.late(110.0)
    assert stuck.aborted == 1


def test_a_body_longer_than_headers_may_be_is_a_body(live: Live) -> None:
    body = b"[" + b" " * 100_000 + b"]"
    head = b"POST /v1/series/x/observations HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    head += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    with live() as port, connect(port) as one:
        one.sendall(head)
        time.sleep(0.2)  # so that the end of the body comes in a piece of its own
        one.sendall(body)
        assert rest(one)[:12] in {b"HTTP/1.1 404", b"HTTP/1.1 422"}


def test_too_long_headers_are_431(live: Live) -> None:
    with live() as port:
        for head in (
            b"GET /livez HTTP/1.1\r\nx: " + b"a" * 200_000,
            b"GET /livez HTTP/1.1\r\n" + b"x: a\r\n" * 10_000,
            b"GET /" + b"a" * 200_000,
        ):
            with connect(port) as one:
                try:
                    one.sendall(head)
                    answer = rest(one)
                except OSError:
                    continue  # closed while it was sent
                assert answer[:12] in {b"HTTP/1.1 431", b"HTTP/1.1 400"}


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET \xff HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_problem(live: Live, data: bytes) -> None:
    with live() as port:
        with connect(port, data) as one:
            one.shutdown(socket.SHUT_WR)
            answer = rest(one)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
            assert answer == b"" or b"application/problem+json" in answer
        assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200


def test_one_connection_too_many_is_503_and_far_too_many_are_closed(live: Live) -> None:
    settings = HttpSettings(max_concurrency=4, receive_s=3.0)
    with live(settings) as port, ExitStack() as stack:
        held = [stack.enter_context(connect(port, b"GET /livez HTTP/1.1\r\n")) for _ in range(4)]
        time.sleep(0.1)
        answer = httpx.get(f"http://127.0.0.1:{port}/livez")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["content-type"] == "application/problem+json"
        more = [stack.enter_context(connect(port, b"GET /livez HTTP/1.1\r\n")) for _ in range(8)]
        time.sleep(0.1)
        with pytest.raises(OSError, match="reset"):
            rest(more[-1])
        for one in held:
            one.close()
        time.sleep(0.1)
        for one in more:
            one.close()
        time.sleep(0.1)
        assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_200_mb_takes_no_memory(live: Live, *, chunked: bool) -> None:
    block, count = b" " * (1 << 20), 200
    with live() as port:
        process = psutil.Process()
        before, most = process.memory_info().rss, 0

        def blocks() -> Iterator[bytes]:
            nonlocal most
            for _ in range(count):
                most = max(most, process.memory_info().rss)
                yield block

        headers = {} if chunked else {"content-length": str(count << 20)}
        url = f"http://127.0.0.1:{port}{PATH}"
        answer = httpx.post(url, content=blocks(), headers=headers, timeout=PATIENCE_S)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert most - before < 16 << 20
        assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200


def test_a_stop_ends_slow_clients_too(live: Live) -> None:
    with live(HttpSettings(receive_s=60.0)) as port:
        slow = connect(port, b"GET /livez HTTP/1.1\r\n")
        idle = connect(port)
        time.sleep(0.1)
    assert rest(slow) == rest(idle) == b""
    slow.close()
    idle.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_tls(live: Live, certificate: tuple[Path, Path]) -> None:
    settings = HttpSettings(certificate=certificate[0], key=certificate[1], receive_s=1.0)
    context = ssl.create_default_context(cafile=str(certificate[0]))
    with live(settings) as port:
        url = f"https://127.0.0.1:{port}"
        assert httpx.get(f"{url}/livez", verify=context).json() == {"live": True}
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/livez")  # nobody vouches for it
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/livez", verify=old)
        with connect(port, b"\x16\x03\x01\x02\x00") as slow:  # a handshake that does not end
            began = time.monotonic()
            rest(slow)
            assert time.monotonic() - began < PATIENCE_S


def test_a_certificate_that_is_none_is_told(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    other, locked = tmp_path / "other.pem", tmp_path / "locked.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    other.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    password = serialization.BestAvailableEncryption(b"x")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, password))
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    assert tls_context(None, None) is None
    for cert, its_key, complaint in (
        (tmp_path / "none.pem", certificate[1], "none.pem: cannot be read: No such file"),
        (certificate[0], tmp_path / "none.pem", "none.pem: cannot be read: No such file"),
        (empty, certificate[1], "expected a PEM certificate and its key"),
        (certificate[0], other, "expected a PEM certificate and its key, got KEY_VALUES_MISMATCH"),
        (certificate[0], locked, "a key with a password"),
        (certificate[1], certificate[0], "expected a PEM certificate and its key"),
    ):
        with pytest.raises(ConfigError) as error:
            tls_context(cert, its_key)
        assert complaint in str(error.value)


def test_an_address_that_cannot_be_had_is_told() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}: "):
            listen("127.0.0.1", port)
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1 port 1: "):
        listen("192.0.2.1", 1)


def test_port_0_is_told(make_site: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from frugal_edge.http.server import serve_http

    async def run() -> None:
        stop = asyncio.Event()
        gateway = make_site().gateway()
        asyncio.get_running_loop().call_later(0.3, stop.set)
        await serve_http(gateway, HttpSettings(port=0), stop)
        gateway.close()

    asyncio.run(run())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (ready,) = [line for line in lines if line["event"] == "http_ready"]
    assert ready["address"].startswith("http://127.0.0.1:")
    assert not ready["address"].endswith(":0")
