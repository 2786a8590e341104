"""Processes that are measured: one for each system and task, one thread each."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import ROOT, Installed
from benchmarks.peers.systems import HERE, System
from frugal_ai.cost.threads import VARIABLES

TASKS = ROOT / "benchmarks" / "tasks"
WORK = ROOT / "runs" / "peers"
OURS = "frugal-ai"
_TIMEOUT_S = 3600
_KEY = ".key"
_PINNED = (*VARIABLES, "OMP_THREAD_LIMIT", "NUMBA_NUM_THREADS")
_SILENT = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}


class FailedError(Exception):
    """A process ended without a result; says why in one line."""


@dataclass(frozen=True)
class Job:
    """A command whose result stands at a place; `key` says what it depends on."""

    task: str
    name: str
    command: tuple[str, ...]
    result: Path
    key: str


def task_file(task: str) -> Path:
    """Return where the arrays of a task are handed over."""
    return WORK / task / "task.npz"


def peer_job(system: System, task: str, installed: Installed) -> Job:
    """Return the job of a peer."""
    source, result = task_file(task), WORK / task / f"{system.key}.npz"
    code = [HERE / "task.py", *(HERE / "workers").glob("*.py")]
    requirements = [system.library.requirements] if system.library else []
    command = (str(installed.python), "-m", system.module, str(source), str(result))
    return Job(
        task,
        system.key,
        (*command, *system.arguments),
        result,
        _key(installed.version, *system.arguments, files=[source, *code, *requirements]),
    )


def own_job(task: str, installed: Installed) -> Job:
    """Return the job of frugal-ai itself."""
    source, result = TASKS / f"{task}.yaml", WORK / task / OURS
    return run_job(task, OURS, source, result, installed, task_file(task))


def run_job(
    task: str,
    name: str,
    source: Path,
    result: Path,
    installed: Installed,
    *files: Path,
    options: tuple[str, ...] = (),
) -> Job:
    """Return the job that runs a pipeline; the result depends on more files than its own."""
    code = sorted((ROOT / "frugal_ai").rglob("*.py")) + sorted((ROOT / "frugal_ai").rglob("*.csv"))
    return Job(
        task,
        name,
        (sys.executable, "-m", "benchmarks.peers.own", str(source), str(result), *options),
        result,
        _key(
            installed.version, *options, files=[source, *files, ROOT / "requirements.lock", *code]
        ),
    )


def done(job: Job) -> bool:
    """Whether a former result of this very job is there."""
    stamp = _stamp(job)
    return job.result.exists() and stamp.exists() and stamp.read_text() == job.key


def carry_out(job: Job) -> None:
    """Run a job on one thread.

    Raises
    ------
    FailedError
        If it fails or takes too long; says the last line of what it printed.
    """
    _stamp(job).unlink(missing_ok=True)
    if job.result.is_dir():
        shutil.rmtree(job.result)
    environ = os.environ | dict.fromkeys(_PINNED, "1") | _SILENT
    try:
        subprocess.run(
            job.command, cwd=ROOT, env=environ, check=True, capture_output=True, text=True,
            timeout=_TIMEOUT_S,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
        raise FailedError(lines[-1]) from error
    except subprocess.TimeoutExpired as error:
        raise FailedError(f"no result within {_TIMEOUT_S} s") from error
    _stamp(job).write_text(job.key)


def _stamp(job: Job) -> Path:
    return job.result.with_name(f"{job.name}{_KEY}")


def _key(*words: str, files: Iterable[Path]) -> str:
    digest = hashlib.sha256("\n".join(words).encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
