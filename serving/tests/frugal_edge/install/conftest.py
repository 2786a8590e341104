"""Signed bundles, the state of a gateway that trusts their key, and a web server with faults."""

import datetime as dt
import hashlib
import http.server
import ipaddress
import json
import ssl
import subprocess
import tarfile
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
from frugal_edge.trust.keys import TrustStore, pem

Key = ec.EllipticCurvePrivateKey


def _make_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _pack(folder: Path) -> Path:
    tar = folder.with_suffix(".tar")
    with tarfile.open(tar, "w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, f"{folder.name}/{path.name}")
    return tar


@pytest.fixture(scope="session")
def make_key() -> Callable[[], Key]:
    """Make a key to sign with."""
    return _make_key


@pytest.fixture(scope="session")
def key(signing_keys: tuple[Key, ...]) -> Key:
    """Give the key that `state` trusts."""
    return signing_keys[0]


@pytest.fixture(scope="session")
def pack() -> Callable[[Path], Path]:
    """Pack a folder into a tar beside it."""
    return _pack


@pytest.fixture
def state(tmp_path: Path, key: Key) -> Path:
    """Give the state folder of a gateway that trusts `key`."""
    folder = tmp_path / "state"
    (folder / "trust").mkdir(parents=True)
    (folder / "trust" / "release.pub").write_bytes(pem(key.public_key()))
    return folder


@pytest.fixture
def store(state: Path) -> TrustStore:
    """Give the keys that `state` trusts."""
    return TrustStore.read(state / "trust")


@pytest.fixture
def release(
    make_bundle: Callable[..., Path],
    sign_folder: Callable[[Path, Key], None],
    tmp_path: Path,
    key: Key,
) -> Callable[..., Path]:
    """Write a signed bundle named ``bundle-SEQUENCE``."""

    def make(
        sequence: int,
        *,
        series: str = "feeder",
        by: Key = key,
        name: str | None = None,
        **more: Any,
    ) -> Path:
        identity = name or f"bundle-{sequence}"
        folder = make_bundle(folder=tmp_path / "releases" / identity, **more)
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest |= {"id": identity, "sequence": sequence, "series_id": series}
        path.write_text(json.dumps(manifest))
        sign_folder(folder, by)
        return folder

    return make


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small file system, where that is allowed."""
    places: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / f"mount{len(places)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        places.append(place)
        return place

    yield mount
    for place in places:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607 - as above


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
    archive_status: int = 200
    cut_channel: bool = False
    garbage: bytes = b""  # instead of an answer
    address: str = ""
    running: http.server.HTTPServer | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    """A file server with tags and ranges, and the faults that it is told to have."""

    served: Served

    def do_GET(self) -> None:
        served = self.served
        served.asked.append((self.path, dict(self.headers.items())))
        path = served.folder / self.path.lstrip("/")
        if served.garbage:
            self.wfile.write(served.garbage)
            return
        if path.suffix == ".tar" and served.archive_status != 200:
            self._head(served.archive_status, {"Content-Length": "0"})
            return
        if served.redirect and path.suffix == ".tar" and "moved" not in self.path:
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
        cut = served.cut_after if archive else -1 if served.cut_channel else None
        self.wfile.write(body[:cut])

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of a channel."""
    place = tmp_path / "channel"
    place.mkdir()
    return place


@pytest.fixture
def server(folder: Path) -> Iterator[Served]:
    """Serve the folder of a channel on this machine."""
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
