"""Check an environment that holds only frugal-edge: committed bundles are verified and forecast.

Run with any Python: ``python installed_alone.py BIN``, where BIN is the environment's folder of
programs. Not a test module: the environment of the tests holds more.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

MODELS = Path(__file__).parents[2] / "models"
TRUST = MODELS / "demo.pub"
ALLOWED = {
    "cffi", "cryptography", "flatbuffers", "frugal-edge", "numpy", "onnxruntime", "packaging",
    "pip", "protobuf", "pycparser", "pyyaml", "setuptools",
}  # fmt: skip
SIGNATURE = """
import sys
from pathlib import Path
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_folder
print(verify_folder(Path(sys.argv[1]), TrustStore.read(Path(sys.argv[2]))).key_id)
"""


def timed(*command: str | Path) -> tuple[str, str]:
    """Run a command to its end; return its output, and what the process took in words."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {process.returncode}")
    wall = time.perf_counter() - start
    cpu = usage.ru_utime + usage.ru_stime
    return out, f"{wall:.3f} s, CPU {cpu:.3f} s, at most {usage.ru_maxrss / 1000:.0f} MB"


def main(programs: Path) -> None:
    """Verify every committed bundle, forecast once from each and print what it took."""
    listed, _ = timed(programs / "python", "-m", "pip", "list", "--format=json")
    names = {package["name"].lower() for package in json.loads(listed)}
    if extra := names - ALLOWED:
        sys.exit(f"expected only {sorted(ALLOWED)}, got {sorted(extra)} too")
    bundles = sorted(path.parent for path in MODELS.glob("**/manifest.json"))
    if not bundles:
        sys.exit(f"expected committed bundles in {MODELS}, got none")
    edge = programs / "frugal-edge"
    for bundle in bundles:
        example = bundle.parent / "example"
        print(bundle.relative_to(MODELS))
        key, took = timed(programs / "python", "-c", SIGNATURE, bundle, TRUST)
        print(f"  signed by key {key.strip()}: {took}")
        line, took = timed(edge, "verify", bundle, "--trust", TRUST)
        print(f"  {line.strip().partition(': ')[2]}: {took}")
        files: tuple[str | Path, ...] = (
            "--history",
            example / "history.csv",
            "--known",
            example / "known.csv",
        )
        steps, took = timed(edge, "forecast", bundle, *files, "--json")
        print(f"  forecast of {len(json.loads(steps)['forecast'])} steps: {took}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
