"""How far `frugal-ai plan` is from what a run then costs, after one earlier run.

    python benchmarks/plan.py [PIPELINE]

Runs the pipeline, by default pipelines/load.yaml, plans it, runs it again, and prints CPU time by
rung and in total, planned and taken. Everything is in a folder of its own that is removed.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from frugal_ai.cost.context import build_context
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.pipeline import read_pipeline
from frugal_ai.plan.past import took

TARGET = 0.25


def main() -> None:
    """Print the table; exit with 1 where the total is further off than the target."""
    pipeline = Path(sys.argv[1] if len(sys.argv) > 1 else "pipelines/load.yaml")
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.jsonl"
        call("run", str(pipeline), "--out", f"{folder}/first", "--json")
        planned = json.loads(call("plan", str(pipeline), "--ledger", str(ledger), "--json"))
        call("run", str(pipeline), "--out", f"{folder}/second", "--json")
        taken = taken_by(pipeline, Path(folder) / "second" / "ledger.jsonl")
    show(planned, taken)


def call(*arguments: str) -> str:
    """Run the command line and return what it prints."""
    command = [sys.executable, "-m", "frugal_ai.cli", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def taken_by(pipeline: Path, ledger: Path) -> dict[str, float]:
    """Return the CPU time of a run by rung and by what is common [s]."""
    context = build_context(read_pipeline(pipeline).cost, folder=pipeline.parent)
    found = took(read_ledger(ledger), context.hardware, context.threads)
    return {one.what: one.point.cpu_s for one in found}


def show(planned: dict[str, Any], taken: dict[str, float]) -> None:
    """Print planned and taken CPU time."""
    print(f"{planned['pipeline']} on {planned['machine']}")
    print(f"{'':22}{'planned':>10}{'taken':>10}{'off by':>9}")
    expected = {one["what"]: one["cost"]["cpu_s"] for one in planned["lines"] if one["cost"]}
    for what in dict.fromkeys((*expected, *taken)):
        row(what, expected.get(what, 0.0), taken.get(what, 0.0))
    off = row("total CPU-s", planned["total"]["cpu_s"], sum(taken.values()))
    met = abs(off) <= TARGET
    print(f"target: total within {TARGET:.0%}: {'met' if met else 'missed'}")
    sys.exit(not met)


def row(what: str, planned: float, taken: float) -> float:
    """Print a line and return by how much the plan is off [1]."""
    off = planned / taken - 1 if taken else float("inf")
    print(f"{what:22}{planned:10.4f}{taken:10.4f}{off:+9.1%}")
    return off


if __name__ == "__main__":
    main()
