"""Time installs of the committed load bundle, from the check of its signature to the commit.

``python -m benchmarks.gateway.install_time [TIMES]`` prints wall and processor time of the fastest
and the median install without trial; processor time includes that of the self-test's process.
"""

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from frugal_edge.install import installer
from frugal_edge.install.installer import How, install
from frugal_edge.trust.keys import TrustStore

MODELS = Path(__file__).parents[2] / "models"


def processor_s() -> float:
    """Return the processor time of this process and of those that it waited for [s]."""
    return sum(os.times()[:4])


def main(times: int) -> None:
    """Install again and again, and print what it took."""
    (bundle,) = (path.parent for path in (MODELS / "load").glob("*/manifest.json"))
    started: list[float] = []
    verify = vars(installer)["verify_folder"]

    def noting(*arguments: object) -> object:
        started.append(processor_s())
        return verify(*arguments)

    vars(installer)["verify_folder"] = noting  # the first step that counts
    wall, processor = [], []
    with tempfile.TemporaryDirectory() as place:
        state = Path(place)
        (state / "trust").mkdir()
        shutil.copy(MODELS / "demo.pub", state / "trust")
        store = TrustStore.read(state / "trust")
        for _ in range(times):
            wall.append(install(state, bundle, store, How(trial=0, force=True)).seconds)
            processor.append(processor_s() - started[-1])
    for name, values in (("wall", wall), ("processor", processor)):
        print(f"{name}: {min(values):.2f} s, median {statistics.median(values):.2f} s")


if __name__ == "__main__":
    main(int("".join(sys.argv[1:2]) or 20))
