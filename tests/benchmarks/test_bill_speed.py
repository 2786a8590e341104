"""The benchmark of the bill, small: it prints, and the shortcut is the long way round."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_small_benchmark_agrees_with_gateway_by_gateway() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/bill.py", "--gateways", "2000", "--scenarios", "20"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "2,000 gateways x 20 scenarios" in done.stdout
    worst = re.search(r"scenarios: ([0-9.e+-]+)$", done.stdout.strip())
    assert worst
    assert float(worst[1]) < 1e-12
