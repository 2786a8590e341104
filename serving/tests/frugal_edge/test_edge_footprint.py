"""What the package loads, leaves behind and needs: each looked at in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ORIGIN = 1_717_192_800
MAX_PRIVATE_MB = 40  # beside the pages of libraries, of which the kernel maps more or fewer

MakeBundle = Callable[..., Path]
WriteCsv = Callable[..., Path]

LOADED = """
import json, sys
before = set(sys.modules)
{statement}
print(json.dumps(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})))
"""


def python(code: str, *arguments: str, home: Path | None = None) -> str:
    """Run code in a clean environment, in which nothing but its own acts turns telemetry off."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)} if home else None
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(statement: str) -> set[str]:
    names: list[str] = json.loads(python(LOADED.format(statement=statement)))
    return set(names) - sys.stdlib_module_names


def test_the_runtime_loads_numpy_and_onnxruntime_alone() -> None:
    everything = "import frugal_edge.runtime, frugal_edge.oneshot, frugal_edge.render"
    assert loaded(everything) == loaded("import frugal_edge, numpy, onnxruntime")


@pytest.mark.parametrize(
    "statement",
    [
        "import frugal_edge.cli; frugal_edge.cli._parser().format_help()",
        "import frugal_edge.manifest_reader",
        "import frugal_edge.bundle",
    ],
)
def test_help_and_checks_of_a_bundle_need_the_standard_library_alone(statement: str) -> None:
    assert loaded(statement) == {"frugal_edge"}


FORECAST = """
import frugal_edge, json, sys
import numpy, onnxruntime
from pathlib import Path
from frugal_edge.cli import main
theirs = set(sys.modules)
code = main(sys.argv[1:])
sys.stdout.flush()
heavy = [name for name in ("_hashlib", "_ssl", "_lzma") if name in set(sys.modules) - theirs]
rows = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
private_mb = int(rows["RssAnon"].split()[0]) * 1024 / 1e6
print(json.dumps({"code": code, "heavy": heavy, "private_mb": private_mb}))
"""


def test_a_forecast_is_small_and_leaves_nothing_behind(
    make_bundle: MakeBundle, write_csv: WriteCsv, tmp_path: Path
) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("memory is read from /proc, which this system lacks")
    home = tmp_path / "home"
    home.mkdir()
    history = write_csv("history.csv", ORIGIN - 100 * 1800, {"value": np.arange(100)})
    folder = make_bundle()
    out = python(FORECAST, "forecast", str(folder), "--history", str(history), home=home)
    answer = json.loads(out.splitlines()[-1])
    assert answer["code"] == 0
    assert answer["heavy"] == []  # OpenSSL and compression libraries
    assert answer["private_mb"] <= MAX_PRIVATE_MB
    assert list(home.rglob("*")) == []  # onnxruntime's telemetry would keep an identifier here


def test_the_collector_rests_while_a_command_runs_and_no_longer() -> None:
    code = """
import argparse, gc
from frugal_edge import cli
from frugal_edge.commands import info
seen = []
info.run = lambda options: seen.append(gc.isenabled()) or ""
assert cli.main(["info", "nowhere"]) == 0
gc.disable()
assert cli.main(["info", "nowhere"]) == 0
print(seen, gc.isenabled())
gc.enable()
assert cli.main(["info", "nowhere"]) == 0 and gc.isenabled()
"""
    assert python(code).strip() == "[False, False] False"
