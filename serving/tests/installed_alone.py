"""Check an environment that holds only frugal-edge: it verifies the committed bundles and forecasts.

Run with any Python: ``python installed_alone.py BIN``, where BIN is the environment's folder of
programs. Not a test module: the environment of the tests holds more.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

MODELS = Path(__file__).parents[2] / "models"
ALLOWED = {
    "cffi", "cryptography", "flatbuffers", "frugal-edge", "numpy", "onnxruntime", "packaging", "pip",
    "protobuf", "pycparser", "pyyaml", "setuptools",
}  # fmt: skip


def main(programs: Path) -> None:
    """Verify every committed bundle, forecast once from each and print what it took."""
    listed = subprocess.run(
        [programs / "python", "-m", "pip", "list", "--format=json"],
        check=True,
        capture_output=True,
        text=True,
    )
    names = {package["name"].lower() for package in json.loads(listed.stdout)}
    if extra := names - ALLOWED:
        sys.exit(f"expected only {sorted(ALLOWED)}, got {sorted(extra)} too")
    bundles = sorted(path.parent for path in MODELS.glob("**/manifest.json"))
    if not bundles:
        sys.exit(f"expected committed bundles in {MODELS}, got none")
    for bundle in bundles:
        verify = [programs / "frugal-edge", "verify", bundle, "--trust", MODELS / "demo.pub"]
        verified = subprocess.run(verify, check=True, capture_output=True, text=True)
        print(verified.stdout, end="")
        command: list[str | Path] = [programs / "frugal-edge", "forecast", bundle]
        command += ["--history", bundle.parent / "example" / "history.csv"]
        command += ["--known", bundle.parent / "example" / "known.csv", "--json"]
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        wall = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        steps = json.loads(done.stdout)
        print(f"{bundle.relative_to(MODELS)}: {len(str(steps))} characters, {wall:.3f} s, "
              f"children at most {peak:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
