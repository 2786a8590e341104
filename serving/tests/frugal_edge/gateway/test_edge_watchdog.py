"""What a service tells systemd: that it is up, that it looks after forecasts, that it ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from frugal_edge.gateway.watchdog import Watchdog


def test_a_service_says_that_it_is_up_alive_and_ending(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(
        "gateway: gw\nstate: state\nseries: {a: {unit: MW, step: 15min, horizon: 4}}\n"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with subprocess.Popen(
            [sys.executable, "-m", "frugal_edge", "serve", "--config", str(config)],
            env=os.environ | told, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            try:
                said = [systemd.recv(100) for _ in range(4)]
                assert set(said) == {b"READY=1", b"WATCHDOG=1"}
                assert said.count(b"READY=1") == 1
                process.send_signal(signal.SIGTERM)
                while (last := systemd.recv(100)) != b"STOPPING=1":
                    assert last == b"WATCHDOG=1"
                assert process.wait(30) == 0
            finally:
                process.kill()


def test_without_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    quiet = Watchdog()
    quiet.ready()
    quiet.alive()
    assert quiet.every_s is None
