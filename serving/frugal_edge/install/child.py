"""``python -m frugal_edge.install.child FOLDER MEGABYTES SECONDS WALL``: a self-test with limits.

The bundle is signed but untried: whatever its model does, it does it to this process alone.
"""

import json
import os
import resource
import signal
import sys


def limit(megabytes: int, cpu_s: int, wall_s: int) -> None:
    """Bound memory, processor time, time, files and core dumps of this process."""
    signal.alarm(wall_s)  # ends it even when whoever started it is gone
    for what, most, hardest in (
        (resource.RLIMIT_DATA, megabytes << 20, megabytes << 20),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),  # at the hard one comes SIGKILL, which says less
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = hardest if hard == resource.RLIM_INFINITY else min(hardest, hard)
        resource.setrlimit(what, (min(most, bound), bound))


def main(folder: str, megabytes: int, cpu_s: int, wall_s: int) -> int:
    """Replay the golden cases of a folder; return 0, or 2 after an error told on stderr."""
    limit(megabytes, cpu_s, wall_s)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from frugal_edge.errors import EdgeError

    try:
        from frugal_edge.bundle import open_bundle
        from frugal_edge.runtime import Forecaster

        cases, largest = Forecaster(open_bundle(folder)).self_test()
    except EdgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except MemoryError:
        sys.stderr.write(f"needs more than {megabytes} MB of memory\n")
        return 2
    sys.stdout.write(json.dumps({"cases": cases, "largest": largest}))
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1], *map(int, sys.argv[2:5]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # nothing is left to do, and tearing onnxruntime down takes time
