"""Updates come from a web server or a directory, and what is cut off goes on."""

import datetime as dt
import hashlib
import http.server
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from frugal_edge.errors import InstallError, SignatureError, TransportError
from frugal_edge.install import audit, slots, web
from frugal_edge.install.archive import Limits
from frugal_edge.install.channel import PAYLOAD_TYPE, Gateway
from frugal_edge.install.installer import How
from frugal_edge.install.lock import sole
from frugal_edge.install.models import Models
from frugal_edge.install.pull import Step, gateway_id, pull
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import sign_payload

Key = ec.EllipticCurvePrivateKey
Publish = Callable[..., None]
GATEWAY = Gateway("gateway-1", "default", ("feeder", "roof"))
HOW = How(trial=0)


@dataclass
class Served:
    """What a server does, and what it was asked for."""

    folder: Path
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    cut_after: int | None = None  # bytes of an archive, then the connection ends
    redirect: str | None = None
    ranges: bool = True
    tags: bool = True
    more: bytes = b""  # sent after the content
    status: int = 200
    address: str = ""
    running: http.server.HTTPServer | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    """A file server with tags and ranges, and the faults that it is told to have."""

    served: Served

    def do_GET(self) -> None:
        served = self.served
        served.asked.append((self.path, dict(self.headers.items())))
        path = served.folder / self.path.lstrip("/")
        if served.redirect and path.suffix == ".tar":
            self._head(302, {"Location": served.redirect, "Content-Length": "0"})
            return
        if served.status != 200 or not path.is_file():
            self._head(served.status if served.status != 200 else 404, {"Content-Length": "0"})
            return
        self._send(path.read_bytes(), archive=path.suffix == ".tar")

    def _send(self, content: bytes, *, archive: bool) -> None:
        served, tag = self.served, f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"ETag": tag} if served.tags else {}
        if served.tags and self.headers.get("If-None-Match") == tag:
            self._head(304, headers)
            return
        start, status = 0, 200
        asked = self.headers.get("Range")
        if served.ranges and asked and self.headers.get("If-Range") == tag:
            start, status = int(asked.removeprefix("bytes=").removesuffix("-")), 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:] + served.more
        self._head(status, headers | {"Content-Length": str(len(body))})
        self.wfile.write(body[: served.cut_after] if archive else body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "channel"
    place.mkdir()
    return place


@pytest.fixture
def server(folder: Path) -> Iterator[Served]:
    served = Served(folder)
    handler = type("OwnHandler", (Handler,), {"served": served})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        served.running = running
        served.address = f"http://127.0.0.1:{running.server_port}"
        yield served
        running.shutdown()
        thread.join()


@pytest.fixture
def encrypted(server: Served, tmp_path: Path) -> Path:
    """Let the server speak TLS, with a certificate of its own; return that."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, SHA256())
    )
    file, secret = tmp_path / "tls.crt", tmp_path / "tls.key"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    assert server.running is not None
    server.running.socket = context.wrap_socket(server.running.socket, server_side=True)
    server.address = server.address.replace("http:", "https:")
    return file


@pytest.fixture
def publish(
    folder: Path, release: Callable[..., Path], pack: Callable[[Path], Path], key: Key
) -> Publish:
    """Write a channel of new bundles."""

    def write(
        *sequences: int,
        serial: int = 1,
        by: Key = key,
        series: str = "feeder",
        edit: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        offers = []
        for sequence in sequences:
            tar = folder / f"bundle-{sequence}.tar"
            if not tar.exists():
                pack(release(sequence, series=series)).rename(tar)
            offers.append(
                {
                    "series_id": series, "id": tar.stem, "sequence": sequence, "url": tar.name,
                    "sha256": hashlib.sha256(tar.read_bytes()).hexdigest(),
                    "bytes": tar.stat().st_size, "rollout": {"default": 100},
                }
            )  # fmt: skip
        content = {"format": 1, "channel": "stable", "serial": serial, "bundles": offers}
        edit(content)
        payload = json.dumps(content).encode()
        (folder / "channel.json").write_bytes(sign_payload(payload, PAYLOAD_TYPE, by))

    return write


def current(state: Path) -> str | None:
    entry = slots.read(state, "feeder").current
    return None if entry is None else entry.id


def test_a_bundle_comes_from_a_server(
    state: Path, store: TrustStore, server: Served, publish: Publish
) -> None:
    publish(1, 2)
    assert pull(state, server.address, store, GATEWAY, HOW) == (
        Step("feeder", "bundle-2", "installed", "committed"),
    )
    assert current(state) == "bundle-2"
    assert audit.read(state)[0]["source"] == server.address
    assert [path for path, _ in server.asked] == ["/channel.json", "/bundle-2.tar"]
    assert not list((state / "pull").glob("*.part*"))


def test_an_unchanged_channel_is_not_sent_again(
    state: Path, store: TrustStore, server: Served, publish: Publish
) -> None:
    publish(1)
    for _ in range(2):
        pull(state, f"{server.address}/channel.json", store, GATEWAY, HOW)
    (_, headers) = server.asked[-1]
    assert "If-None-Match" in headers
    assert len(server.asked) == 3
    publish(1, 2, serial=2)
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.id == "bundle-2"


@pytest.mark.parametrize("form", ["{0}", "file://{0}", "file://{0}/channel.json"])
def test_a_bundle_comes_from_a_directory(
    state: Path, store: TrustStore, folder: Path, publish: Publish, form: str
) -> None:
    publish(1)
    (step,) = pull(state, form.format(folder), store, GATEWAY, How(trial=2))
    assert step == Step("feeder", "bundle-1", "installed", "2 cycles on trial")
    assert (folder / "bundle-1.tar").exists()


def test_a_download_that_was_cut_off_goes_on(
    state: Path, store: TrustStore, server: Served, publish: Publish, folder: Path
) -> None:
    publish(1)
    size = (folder / "bundle-1.tar").stat().st_size
    server.cut_after = 3000
    for done in (3000, 6000):
        (step,) = pull(state, server.address, store, GATEWAY, HOW)
        assert step.what == "failed"
        assert f"cut off after {done} of {size} bytes" in step.why
        assert current(state) is None
    server.cut_after = None
    pull(state, server.address, store, GATEWAY, HOW)
    assert current(state) == "bundle-1"
    ranges = [h.get("Range") for path, h in server.asked if path.endswith(".tar")]
    assert ranges == [None, "bytes=3000-", "bytes=6000-"]


@pytest.mark.parametrize("fault", ["changed", "no ranges", "no tags"])
def test_a_download_that_cannot_go_on_starts_anew(
    state: Path, store: TrustStore, server: Served, publish: Publish, folder: Path, fault: str
) -> None:
    publish(1)
    server.tags = fault != "no tags"
    server.cut_after = 3000
    pull(state, server.address, store, GATEWAY, HOW)
    server.cut_after = None
    server.ranges = fault != "no ranges"
    if fault == "changed":
        (tag,) = (state / "pull").glob("*.part.etag")
        tag.write_text('{"etag": "\\"other\\""}')
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "installed", step.why


def test_another_file_than_announced_is_refused_and_forgotten(
    state: Path, store: TrustStore, server: Served, publish: Publish, folder: Path
) -> None:
    publish(1)
    tar = folder / "bundle-1.tar"
    good = tar.read_bytes()
    tar.write_bytes(good[:-1] + b"\x01")
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "failed"
    assert "as the channel says" in step.why
    tar.write_bytes(good)
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "installed"


def test_more_bytes_than_announced_are_not_read(
    state: Path, store: TrustStore, server: Served, publish: Publish
) -> None:
    publish(1)
    pull(state, server.address, store, GATEWAY, How(trial=0, limits=Limits(100)))
    assert [path for path, _ in server.asked] == ["/channel.json"]
    server.more, server.tags = bytes(1 << 21), False
    with pytest.raises(TransportError, match="the server sends more"):
        pull(state, server.address, store, GATEWAY, HOW)
    assert current(state) is None


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://192.0.2.1/x", "https:///x"],
)
def test_a_redirect_to_where_one_may_not_go_is_refused(
    state: Path, store: TrustStore, server: Served, publish: Publish, target: str
) -> None:
    publish(1)
    server.redirect = target
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "failed"
    assert current(state) is None


@pytest.mark.parametrize(
    "address", ["http://192.0.2.1", "http://example.org/channel.json", "http://127.0.0.1.evil.org"]
)
def test_http_is_for_this_machine_alone(state: Path, store: TrustStore, address: str) -> None:
    with pytest.raises(TransportError, match="expected https://"):
        pull(state, address, store, GATEWAY, HOW)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/x", "file://server/share"])
def test_other_schemes_are_refused(state: Path, store: TrustStore, address: str) -> None:
    with pytest.raises(InstallError, match="expected https://, file:/// or a path"):
        pull(state, address, store, GATEWAY, HOW)


def test_a_server_that_refuses_or_is_not_there_is_told(
    state: Path, store: TrustStore, server: Served, publish: Publish, folder: Path
) -> None:
    with pytest.raises(TransportError, match="the server answers 404"):
        pull(state, server.address, store, GATEWAY, HOW)
    server.status = 503
    with pytest.raises(TransportError, match="the server answers 503"):
        pull(state, server.address, store, GATEWAY, HOW)
    with pytest.raises(TransportError, match="Connection refused"):
        pull(state, "http://127.0.0.1:9", store, GATEWAY, HOW)
    with pytest.raises(InstallError, match="there is no such file"):
        pull(state, str(folder), store, GATEWAY, HOW)


def test_the_certificate_of_a_server_is_verified(
    state: Path, store: TrustStore, encrypted: Path, server: Served, publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    publish(1)
    with pytest.raises(TransportError, match="certificate verify failed"):
        pull(state, server.address, store, GATEWAY, HOW)
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypted))
    pull(state, server.address, store, GATEWAY, HOW)
    assert current(state) == "bundle-1"


def test_an_answer_that_does_not_come_is_given_up(
    state: Path, store: TrustStore, monkeypatch: pytest.MonkeyPatch, server: Served,
    publish: Publish,
) -> None:  # fmt: skip
    publish(1)
    monkeypatch.setattr(web, "_WHOLE_S", -1.0)
    with pytest.raises(TransportError, match="not complete after"):
        pull(state, server.address, store, GATEWAY, HOW)


def test_a_channel_by_another_key_is_refused(
    state: Path, store: TrustStore, folder: Path, publish: Publish, make_key: Callable[[], Key]
) -> None:
    publish(1, by=make_key())
    with pytest.raises(SignatureError, match="expected a signature by a trusted key"):
        pull(state, str(folder), store, GATEWAY, HOW)
    assert current(state) is None


def test_a_channel_never_goes_back(
    state: Path, store: TrustStore, folder: Path, publish: Publish
) -> None:
    publish(1, serial=5)
    pull(state, str(folder), store, GATEWAY, HOW)
    publish(1, 2, serial=4)
    with pytest.raises(InstallError, match=r"older than one seen before: .* from 5, got 4"):
        pull(state, str(folder), store, GATEWAY, HOW)
    assert current(state) == "bundle-1"


def test_what_runs_is_kept_with_the_reason(
    state: Path, store: TrustStore, folder: Path, publish: Publish
) -> None:
    def why() -> str:
        (step,) = pull(state, str(folder), store, GATEWAY, How(trial=1))
        assert step.what == "kept"
        return step.why

    publish(2)
    pull(state, str(folder), store, GATEWAY, HOW)
    assert why() == "it is installed"
    publish(1, serial=2)
    assert why() == "sequence 1 is not above 2 of bundle-2"
    publish(3, serial=3)
    pull(state, str(folder), store, GATEWAY, How(trial=1))
    publish(4, serial=4)
    assert why() == "bundle-3 is on trial, 1 cycles left"
    Models(state).failed("feeder", "too slow")
    publish(3, serial=5)
    assert why() == "it was rolled back: too slow"
    assert current(state) == "bundle-2"


def test_one_series_that_fails_does_not_stop_the_others(
    state: Path, store: TrustStore, folder: Path, publish: Publish
) -> None:
    publish(8, series="roof")
    first = json.loads((folder / "channel.json").read_bytes())
    assert first["payloadType"] == PAYLOAD_TYPE

    def with_missing(content: dict[str, Any]) -> None:
        one = dict(content["bundles"][0])
        content["bundles"].append(one | {"series_id": "feeder", "url": "missing.tar", "id": "x"})

    publish(8, series="roof", edit=with_missing)
    steps = pull(state, str(folder), store, GATEWAY, HOW)
    assert [(step.series_id, step.what) for step in steps] == [
        ("feeder", "failed"), ("roof", "installed"),
    ]  # fmt: skip


def test_a_bundle_under_the_name_of_another_is_refused(
    state: Path, store: TrustStore, folder: Path, publish: Publish
) -> None:
    def renamed(content: dict[str, Any]) -> None:
        content["bundles"][0]["id"] = "bundle-9"

    publish(1, edit=renamed)
    (step,) = pull(state, str(folder), store, GATEWAY, HOW)
    assert "expected bundle-9 as announced, got bundle-1" in step.why
    assert current(state) is None


def test_downloads_that_are_not_offered_any_more_are_removed(
    state: Path, store: TrustStore, server: Served, publish: Publish
) -> None:
    publish(1)
    server.cut_after = 3000
    pull(state, server.address, store, GATEWAY, HOW)
    assert len(list((state / "pull").glob("*.part*"))) == 2
    publish(2, serial=2)
    server.cut_after = None
    pull(state, server.address, store, GATEWAY, HOW)
    assert not list((state / "pull").glob("*.part*"))


def test_two_pulls_at_once(state: Path, store: TrustStore, folder: Path, publish: Publish) -> None:
    publish(1)
    with (
        sole(state / "pull.lock", "pull from elsewhere"),
        pytest.raises(InstallError, match=r"held by process .*: pull from elsewhere"),
    ):
        pull(state, str(folder), store, GATEWAY, HOW)


def test_a_gateway_names_itself_once(state: Path) -> None:
    first = gateway_id(state)
    assert len(first) == 32
    assert gateway_id(state) == first
    (state / "gateway.id").unlink()
    assert gateway_id(state) != first
