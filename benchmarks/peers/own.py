"""One task through ``frugal_ai.run``, in a process of its own.

``python -m ... TASK RUN_DIR [--compressed]``: the chosen rung as it is, or what compression makes
of it, which has a benchmark of its own.
"""

import json
import sys
import time
from pathlib import Path

from benchmarks.peers.workers.measure import peak_rss_mb
from frugal_ai.files import write_text

COMPRESSED = "--compressed"
NAME = "process.json"
"""What the run as a process took, in the folder of the run."""


def main(task: Path, run_dir: Path, *, compressed: bool) -> None:
    start = time.perf_counter()
    from benchmarks.tasks import Silent
    from frugal_ai.pipeline import read_pipeline
    from frugal_ai.run import Order, run

    import_wall = time.perf_counter() - start
    start = time.process_time()
    pipeline = read_pipeline(task)
    if not compressed:
        pipeline = pipeline.model_copy(update={"compress": None})
    run(pipeline, Order(task, run_dir, {}), Silent())
    taken = {
        "import_wall_s": import_wall,
        "cpu_s": time.process_time() - start,
        "peak_rss_mb": peak_rss_mb(),
    }
    write_text(run_dir / NAME, json.dumps(taken) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), compressed=COMPRESSED in sys.argv[3:])
