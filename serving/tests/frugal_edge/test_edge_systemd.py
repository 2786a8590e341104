"""The units of ``serving/systemd``: commands that exist, one hardening, little exposure."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from frugal_edge import cli

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
TIMERS = sorted(UNITS.glob("*.timer"))
MOST = 2.0


def settings(path: Path) -> list[tuple[str, str]]:
    """Return what a unit says, in its order."""
    lines = (line for line in path.read_text().splitlines() if line and line[0] not in "#[")
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def test_there_are_the_service_and_both_timers() -> None:
    assert [path.name for path in SERVICES] == [
        "frugal-edge-once.service", "frugal-edge-update.service", "frugal-edge.service",
    ]  # fmt: skip
    assert [path.stem for path in TIMERS] == ["frugal-edge-once", "frugal-edge-update"]


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_service_starts_a_command_that_exists(path: Path) -> None:
    program, *arguments = shlex.split(dict(settings(path))["ExecStart"])
    assert Path(program).name == "frugal-edge"
    assert cli._parser().parse_args(arguments).run


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_every_service_is_hardened_alike(path: Path) -> None:
    def hardening(one: Path) -> list[tuple[str, str]]:
        said = settings(one)
        return [
            pair for pair in said[said.index(("User", "frugal-edge")) :] if pair[0] != "WantedBy"
        ]

    assert hardening(path) == hardening(UNITS / "frugal-edge.service")
    assert ("MemoryDenyWriteExecute", "true") in hardening(path)
    assert ("ProtectSystem", "strict") in hardening(path)


def test_the_watchdog_waits_for_more_than_two_naps() -> None:
    said = dict(settings(UNITS / "frugal-edge.service"))
    assert said["Type"] == "notify"
    minutes = re.fullmatch(r"([0-9]+)min", said["WatchdogSec"])
    assert minutes is not None
    assert int(minutes[1]) * 60 > 2 * 30  # it is told at least every half minute


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_the_exposure_is_small(path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed here (Debian: systemd)")
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= MOST


@pytest.mark.parametrize("path", TIMERS, ids=lambda path: path.stem)
def test_a_timer_has_its_service(path: Path) -> None:
    assert path.with_suffix(".service").exists()
    assert dict(settings(path))["WantedBy"] == "timers.target"


def test_systemd_takes_them(tmp_path: Path) -> None:
    """With the program where it is here, since systemd looks whether it is there."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed here (Debian: systemd)")
    program = "/opt/frugal-edge/bin/frugal-edge"
    for path in (*SERVICES, *TIMERS):
        (tmp_path / path.name).write_text(path.read_text().replace(program, sys.executable))
    done = subprocess.run(
        [analyze, "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
