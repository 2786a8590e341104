"""The golden self-test of a bundle in a child process, with bounds on memory and time."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from frugal_edge.errors import InstallError
from frugal_edge.strict_json import Node, parse

_SHOWN = 500  # characters of an error that are repeated


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a self-test may take; far more than a model that is fit for a gateway needs."""

    memory_mb: int = 384
    cpu_s: int = 20
    wall_s: int = 60


@dataclass(frozen=True, slots=True)
class Tested:
    """Golden cases replayed, and the largest difference seen [unit of the series]."""

    cases: int
    largest: float


def self_test(folder: Path, bounds: Bounds) -> Tested:
    """Replay the golden cases of a bundle in a child process.

    Raises
    ------
    InstallError
        If a case comes out different, or the child fails, crashes or goes beyond a bound.
    """
    command = [sys.executable, "-P", "-m", "frugal_edge.install.child", str(folder.absolute())]
    command += [str(bounds.memory_mb), str(bounds.cpu_s), str(bounds.wall_s + 1)]
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter itself, no shell
            command, check=False, capture_output=True, stdin=subprocess.DEVNULL,
            timeout=bounds.wall_s,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _refusal(folder, f"not over after {bounds.wall_s} s") from None
    except OSError as error:
        raise _refusal(folder, f"cannot be started: {error.strerror}") from error
    if done.returncode:
        raise _refusal(folder, _reason(done.returncode, done.stderr, bounds))
    node = Node(parse(done.stdout, "self-test", InstallError), "self-test", error=InstallError)
    return Tested(node.integer("cases", 1), node.number("largest"))


def _refusal(folder: Path, why: str) -> InstallError:
    return InstallError(f"{folder}: self-test: {why}")


def _reason(code: int, stderr: bytes, bounds: Bounds) -> str:
    if code == -signal.SIGXCPU:
        return f"needs more than {bounds.cpu_s} s of processor time"
    said = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    last = said[-1][:_SHOWN] if said else "nothing said"
    if code < 0:
        return f"crashed: {_signal(-code)}"
    if "MemoryError" in last or "bad_alloc" in last:
        return f"needs more than {bounds.memory_mb} MB of memory"
    return last


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
