"""An environment of its own for each peer, made once from pinned requirements."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.systems import Library

ROOT = Path(__file__).parents[2]
_FOLDER = ROOT / ".venv-peers"
_STAMP = ".requirements-sha256"
_NEWEST = (3, 13)
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)


class UnavailableError(Exception):
    """A peer cannot be installed here; says why in one line."""


@dataclass(frozen=True)
class Installed:
    """An environment: its Python, how many packages it holds, and their size [MB]."""

    python: Path
    version: str
    packages: int
    size_mb: float


def environment(library: Library, tell: Callable[[str], None]) -> Installed:
    """Make a peer's environment, unless it is there with these very requirements.

    Raises
    ------
    UnavailableError
        If there is no Python that the peer runs on, or a package cannot be installed.
    """
    folder = _FOLDER / library.name
    python = folder / "bin" / "python"
    wanted = hashlib.sha256(library.requirements.read_bytes()).hexdigest()
    stamp = folder / _STAMP
    if not (python.exists() and stamp.exists() and stamp.read_text().strip() == wanted):
        base = interpreter(library.since)
        tell(f"{library.name}: installing into {folder.relative_to(ROOT)}")
        shutil.rmtree(folder, ignore_errors=True)
        _run([base, "-m", "venv", str(folder)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "--requirement", str(library.requirements)])
        stamp.write_text(wanted + "\n")
    return inspect(python, library.requirements)


def inspect(python: Path, requirements: Path, extra: tuple[Path, ...] = ()) -> Installed:
    """Count what an environment holds of a requirements file.

    Parameters
    ----------
    extra
        Folders of packages that are installed as links; each counts as one.
    """
    names = _NAME.findall(requirements.read_text(encoding="utf-8"))
    found = json.loads(_run([str(python), "-m", "benchmarks.peers.workers.installed", *names]))
    linked = [path for folder in extra for path in folder.rglob("*.*") if path.is_file()]
    size = found["bytes"] + sum(path.stat().st_size for path in linked)
    return Installed(python, version(str(python)), found["packages"] + len(extra), size / 1e6)


def interpreter(since: tuple[int, int]) -> str:
    """Return this Python if it is new enough, else the first of the newer ones that runs.

    Raises
    ------
    UnavailableError
        If there is none.
    """
    if since <= sys.version_info[:2] <= _NEWEST:
        return sys.executable
    for minor in range(since[1], _NEWEST[1] + 1):
        for path in _candidates(f"python3.{minor}"):
            found = _try_version(path)
            if found and found.startswith(f"3.{minor}."):
                return path
    oldest = f"{since[0]}.{since[1]}"
    raise UnavailableError(f"needs Python {oldest} or newer, and none was found")


def version(python: str) -> str:
    """Return the version of an interpreter, such as 3.12.1."""
    return _run([python, "-c", "import platform; print(platform.python_version())"]).strip()


def _candidates(name: str) -> list[str]:
    """List the executables of a name, among them those that pyenv keeps off the path."""
    found = [shutil.which(name)]
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        versions = Path(root.stdout.strip() or ".") / "versions"
        found += map(str, sorted(versions.glob(f"*/bin/{name}")))
    return [path for path in found if path]


def _try_version(python: str) -> str | None:
    try:
        return version(python)
    except UnavailableError:  # a shim without a Python behind it
        return None


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except OSError as error:
        raise UnavailableError(f"{command[0]}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
        raise UnavailableError(lines[-1]) from error
    return done.stdout
