"""How far `frugal-ai plan` is from what a run then costs, after one earlier run.

    python -m benchmarks.plan [PIPELINE] [--write]

Runs the pipeline, by default pipelines/load.yaml, plans it, runs it again, and prints CPU time by
rung and in total, planned and taken; --write puts the table into docs/benchmarks.md. Everything is
in a folder of its own that is removed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.markdown import fill, table
from benchmarks.sections import write_section
from frugal_ai.cost.context import build_context
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.pipeline import read_pipeline
from frugal_ai.plan.past import took

TARGET = 0.25
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    """Print the table; exit with 1 where the total is further off than the target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pipeline", type=Path, nargs="?", default=Path("pipelines/load.yaml"))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    pipeline = asked.pipeline
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.jsonl"
        call("run", str(pipeline), "--out", f"{folder}/first", "--json")
        planned = json.loads(call("plan", str(pipeline), "--ledger", str(ledger), "--json"))
        call("run", str(pipeline), "--out", f"{folder}/second", "--json")
        taken = taken_by(pipeline, Path(folder) / "second" / "ledger.jsonl")
    text, met = section(planned, taken)
    print(text)
    if asked.write:
        write_section(PAGE, "make benchmark-plan", text)
    sys.exit(not met)


def call(*arguments: str) -> str:
    """Run the command line and return what it prints."""
    command = [sys.executable, "-m", "frugal_ai.cli", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def taken_by(pipeline: Path, ledger: Path) -> dict[str, float]:
    """Return the CPU time of a run by rung and by what is common [s]."""
    context = build_context(read_pipeline(pipeline).cost, folder=pipeline.parent)
    found = took(read_ledger(ledger), context.hardware, context.threads)
    return {one.what: one.point.cpu_s for one in found}


def section(planned: dict[str, Any], taken: dict[str, float]) -> tuple[str, bool]:
    """Write the section of the page, and say whether the total is within the target."""
    expected = {one["what"]: one["cost"]["cpu_s"] for one in planned["lines"] if one["cost"]}
    rows = [
        row(what, expected.get(what, 0.0), taken.get(what, 0.0))
        for what in dict.fromkeys((*expected, *taken))
    ]
    found = sum(taken.values())
    off = planned["total"]["cpu_s"] / found - 1
    met = abs(off) <= TARGET
    rows.append(row("**total**", planned["total"]["cpu_s"], found))
    return "\n\n".join(
        (
            "## What a plan says, and what a run then takes",
            fill(
                f"`make benchmark-plan`. {planned['pipeline']} is run, planned and run again on"
                f" {planned['machine']}. CPU-s; both runs swing with what else the machine does."
            ),
            table(["what", "planned", "taken", "off by"], rows),
            fill(
                f"The target, the total within {TARGET:.0%}, is {'met' if met else 'missed'}"
                f" ({off:+.1%})."
            ),
        )
    ), met


def row(what: str, planned: float, taken: float) -> list[str]:
    """Write a line of the table."""
    off = f"{planned / taken - 1:+.1%}" if taken else ""
    return [what, f"{planned:.3f}", f"{taken:.3f}", off]


if __name__ == "__main__":
    main()
