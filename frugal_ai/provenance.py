"""Where a run takes place: code revision and versions of what it computes with."""

import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

_PACKAGES = (
    "frugal-ai", "frugal-edge", "numpy", "scipy", "polars", "holidays", "lightgbm", "onnx",
    "onnxruntime", "spox",
)  # fmt: skip
_GIT_TIMEOUT_S = 10


def git_revision(folder: Path) -> str | None:
    """Return the commit checked out in a folder, marked when files (may) differ from it.

    None outside a repository, or without git.
    """
    git = shutil.which("git")
    if git is None:
        return None
    commit = _git(git, folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(git, folder, "status", "--porcelain", "--untracked-files=no")
    return commit if changed == "" else f"{commit}-dirty"


def _git(git: str, folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - git, with fixed arguments
            [git, "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide a run's figures."""
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
