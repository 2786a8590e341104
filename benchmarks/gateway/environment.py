"""``frugal-edge[http,mqtt]`` installed alone: how many packages, how large."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / ".venv-gateway"
_OWN = {"frugal-edge", "pip", "setuptools"}


@dataclass(frozen=True)
class Environment:
    """What an install brings.

    Attributes
    ----------
    python
        Its interpreter.
    packages
        Names and versions of what came beside frugal-edge.
    megabytes
        Of all files but pip [MB].
    """

    python: Path
    packages: tuple[str, ...]
    megabytes: float


def installed() -> Path | None:
    """Return the interpreter of the environment that was made before, if there is one."""
    python = PLACE / "bin" / "python"
    return python if python.exists() else None


def make_environment() -> Environment:
    """Install frugal-edge from this checkout in an environment of its own."""
    python = PLACE / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    own = f"{ROOT / 'serving'}[http,mqtt]"
    subprocess.run([*pip, "install", "--quiet", own], check=True)
    listed = subprocess.run([*pip, "list", "--format=json"], check=True, capture_output=True)
    found = [(one["name"], one["version"]) for one in json.loads(listed.stdout)]
    (packages,) = PLACE.glob("lib/python*/site-packages")
    files = (path for path in packages.rglob("*") if path.is_file() and not path.is_symlink())
    size = sum(
        path.stat().st_size
        for path in files
        if not path.relative_to(packages).parts[0].startswith(("pip", "setuptools"))
    )
    names = tuple(f"{name} {version}" for name, version in found if name not in _OWN)
    return Environment(python, names, size / 1e6)
