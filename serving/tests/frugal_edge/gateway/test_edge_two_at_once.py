"""Two gateways on one state: the second says who is there, and the first goes on."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.yaml"
    path.write_text("gateway: gw\nstate: state\nseries: {a: {unit: MW, step: 15min, horizon: 4}}\n")
    return path


@contextmanager
def serving(config: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a service, and wait until it says that it has."""
    command = [sys.executable, "-m", "frugal_edge", "serve", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert any('"started"' in line for line in process.stderr)
            yield process
        finally:
            process.kill()


def test_the_second_says_who_is_there(config: Path) -> None:
    with serving(config) as first:
        for command in ("serve", "once"):
            done = subprocess.run(
                [sys.executable, "-m", "frugal_edge", command, "--config", str(config)],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert done.returncode == 2
            assert done.stdout == ""
            place = config.parent / "state" / "gateway.lock"
            assert (
                done.stderr == f"frugal-edge: error: {place}: held by process {first.pid}: serve\n"
            )
        assert first.poll() is None
        first.kill()  # its lock goes with it
        first.wait(10)
        with serving(config):
            pass
