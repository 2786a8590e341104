"""docs/operations.md, followed: its commands are run in their order, in a folder of their own.

Paths, address and port of the guide are those of a folder here, of a server with a certificate made
here, and of a free port. `systemctl` starts and ends the service as a process. What is left out is
named in `LEFT_OUT`.
"""

import csv
import functools
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "operations.md"
HOST = "127.0.0.1"
BASH = shutil.which("bash") or "bash"
WEEK_S = 7 * 86400
OLD_KEY = "4057409e5e50404b"  # of the guide
NOTHING: Mapping[str, str] = MappingProxyType({})

Text = tuple[str, str]  # of the guide, and here

# what takes another machine, an index of packages, a broker or systemd itself
LEFT_OUT = (
    "frugal-ai pull champion/load", "frugal-ai sign load.tar", "pip wheel", "python3 -m venv",
    "pip install", "useradd", "daemon-reload", "mosquitto_passwd", "mqtt-password", "echo-test",
    "pattern ", "tls.", "systemctl status", "disable", "once.timer",
)  # fmt: skip

SYSTEMCTL = """#!/bin/bash
# starts and ends the service as systemd would
case "$*" in *frugal-edge) ;; *) exit 1 ;; esac
[ -f service.pid ] && kill "$(cat service.pid)" && while kill -0 "$(cat service.pid)" 2>/dev/null
do sleep 0.05; done
rm -f service.pid service.log
case "$*" in disable*) exit 0 ;; esac
frugal-edge serve --config ETC/gateway.yaml > /dev/null 2> service.log &
echo $! > service.pid
for _ in $(seq 600); do grep -q http_ready service.log && exit 0; sleep 0.05; done
exit 1
"""
SUDO = """#!/bin/bash
[ "$1" = -u ] && shift 2
exec "$@"
"""
INSTALL = """#!/bin/bash
# without owners, who are not here
arguments=()
while [ $# -gt 0 ]; do case "$1" in -o|-g) shift 2 ;; *) arguments+=("$1"); shift ;; esac; done
exec INSTALL "${arguments[@]}"
"""
EDGE = f"""#!/bin/bash
# with the state folder and the file of tokens here
case "$1" in
trust|install|pull|status|rollback|history) set -- "$@" --state STATE ;;
token) set -- "$@" --file ETC/tokens ;;
esac
exec {sys.executable} -m frugal_edge "$@"
"""
CONFIG = """gateway: gw-0001
state: STATE
http: {port: PORT}
"""


def sections() -> dict[int, list[str]]:
    """Return the commands of the guide by section, those of one line or continued ones."""
    found: dict[int, list[str]] = {}
    number, inside = 0, False
    for line in GUIDE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\d+)\.", line):
            number = int(heading[1])
        elif line.startswith("```"):
            inside = not inside
        elif inside and line.startswith(" "):
            found[number][-1] += f"\n{line}"
        elif inside:
            found.setdefault(number, []).append(line)
    return found


@dataclass(frozen=True)
class Place:
    """A folder in which the guide is followed."""

    folder: Path
    texts: tuple[Text, ...]
    environment: dict[str, str]

    def follow(
        self, number: int, before: Mapping[str, str] = NOTHING, texts: Sequence[Text] = ()
    ) -> str:
        """Run the commands of a section, some after others; return what they print."""
        printed = ""
        for command in sections()[number]:
            if not any(one in command for one in LEFT_OUT):
                printed += "".join(self.run(one) for word, one in before.items() if word in command)
                for text, here in texts:
                    command = command.replace(text, here)  # noqa: PLW2901 - as it is here
                printed += self.run(command)
        return printed

    def run(self, command: str) -> str:
        """Run a command, which must succeed; return what it prints."""
        for text, here in self.texts:
            command = command.replace(text, here)
        fe = 'fe() { sudo -u frugal-edge frugal-edge "$@"; }; set -e\n'
        done = subprocess.run(
            [BASH, "-c", fe + command], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "updates")])
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "updates.pem", tmp_path / "updates.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server that says nothing of its own."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def updates(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[str]:
    """Serve FOLDER over https."""
    (tmp_path / "guide" / "FOLDER").mkdir(parents=True)
    handler = functools.partial(Quiet, directory=str(tmp_path / "guide" / "FOLDER"))
    with http.server.ThreadingHTTPServer((HOST, 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://{HOST}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def place(tmp_path: Path, updates: str, certificate: tuple[Path, Path]) -> Iterator[Place]:
    folder, programs = tmp_path / "guide", tmp_path / "bin"
    etc, state = tmp_path / "etc", tmp_path / "state"
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = str(probe.getsockname()[1])
    real_install = shutil.which("install")
    assert real_install is not None
    programs.mkdir()
    for name, text in (
        ("sudo", SUDO),
        ("systemctl", SYSTEMCTL.replace("ETC", str(etc))),
        ("install", INSTALL.replace("INSTALL", real_install)),
        ("frugal-edge", EDGE.replace("STATE", str(state)).replace("ETC", str(etc))),
        ("frugal-ai", f'#!/bin/bash\nexec {sys.executable} -m frugal_ai.cli "$@"\n'),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (tmp_path / "units").mkdir()
    (tmp_path / "usb").mkdir()
    shutil.copytree(ROOT / "serving" / "systemd", folder / "systemd")
    examples = ROOT / "serving" / "examples"
    shutil.copy(examples / "dataflow-collective-self-consumption.yaml", folder)
    config = CONFIG.replace("STATE", str(state)).replace("PORT", port)
    (folder / "gateway.yaml").write_text(config)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "SSL_CERT_FILE": str(certificate[0]),
        "HOME": str(tmp_path),
    }
    texts = (
        ("/etc/frugal-edge", str(etc)), ("/etc/systemd/system", str(tmp_path / "units")),
        ("/media/usb", str(tmp_path / "usb")), ("/var/lib/frugal-edge", str(state)),
        ("127.0.0.1:8480", f"{HOST}:{port}"), ("https://updates.example/frugal", updates),
        ("trust add ", "trust add KEYS/"),
        ('\'[{"timestamp": "2026-03-01T00:00:00Z", "value": 3.2}]\'', "@readings.json"),
    )  # fmt: skip
    one = Place(folder, texts, environment)
    yield one
    one.run("systemctl disable --now frugal-edge")


def readings() -> str:
    """Return what a meter read and a weather service forecast, up to now, as one message."""
    example, message = ROOT / "models" / "load" / "example", []
    late = 0
    for name in ("history.csv", "known.csv"):
        rows = _rows(example / name)
        if not late:
            step = rows[1][0] - rows[0][0]
            late = (int(time.time()) - rows[-1][0] - step) // step * step
        week = [(at - WEEK_S, columns) for at, columns in rows if at < rows[0][0] + WEEK_S]
        message += [
            {"timestamp": f"{datetime.fromtimestamp(at + late, UTC):%Y-%m-%dT%H:%M:%SZ}"} | columns
            for at, columns in week + rows
        ]
    return json.dumps(message)


def _rows(path: Path) -> list[tuple[int, dict[str, float]]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (
                int(datetime.fromisoformat(row["timestamp"]).timestamp()),
                {n: float(row[n]) for n in row if n not in {"series_id", "timestamp"}},
            )
            for row in csv.DictReader(file)
        ]


def test_the_guide_can_be_followed(place: Place) -> None:
    commands = [one for lines in sections().values() for one in lines]
    for word in LEFT_OUT:
        assert any(word in one for one in commands), f"nothing to leave out for {word!r}"
    bundle = next((ROOT / "models" / "load").glob("load-*"))
    shutil.copytree(bundle, place.folder / "RUN_DIR" / "bundle")
    (place.folder / "RUN_DIR" / "bundle" / "model.sig").unlink()
    (place.folder / "RUN_DIR" / "run.json").write_text("{}")
    (place.folder / "readings.json").write_text(readings())

    assert "public   KEYS/release.pub" in place.follow(1)
    assert place.follow(2).startswith("frugal-edge ")
    assert len(place.follow(3).split()) == 2  # tokens

    told = place.follow(4)
    assert "on trial, 3 cycles left" in told
    assert '"refused":0' in told
    assert '"quality": "model"' in told
    assert "2 left" in told.splitlines()[-1]

    told = place.follow(5, before={"frugal-ai channel": "cp load.tar FOLDER"})
    assert f"{bundle.name} not taken: it is installed" in told

    told = place.follow(6)
    assert "feeder_load: no bundle runs, the first one was on trial" in told
    assert "why=too high at noon" in told

    old = place.run("fe trust list").split()[0]
    anew = "frugal-ai pack RUN_DIR --out new.tar; fe install new.tar --force"
    told = place.follow(9, before={"fe status": anew}, texts=((OLD_KEY, old),))
    status = json.loads(next(line for line in told.splitlines() if line.startswith("{")))
    (model,) = status["models"]
    assert model["current"]["key"] != old
    assert f"{old} is trusted no longer; trusted: {model['current']['key']}" in told
    log = (place.folder / "service.log").read_text()
    assert '"bundle_opened"' in log
    assert "model_failed" not in log

    told = place.follow(11)
    assert "gw-0001: " in told
    assert "755 GB" in told
