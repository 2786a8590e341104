"""Forecasts once with trees as a graph, on features in numpy: GRAPH PLAN.json WINDOWS."""

import gc

gc.disable()  # as frugal-edge: what is imported stays

import sys  # noqa: E402 - the collector rests while it is imported
from pathlib import Path  # noqa: E402

from frugal_edge.session import quiet_session  # noqa: E402

from benchmarks.edge.workers.report import report  # noqa: E402
from benchmarks.edge.workers.windows import first_features  # noqa: E402

if __name__ == "__main__":
    graph, plan, windows = map(Path, sys.argv[1:])
    session = quiet_session(graph.read_bytes())
    session.run(None, {session.get_inputs()[0].name: first_features(plan, windows)})
    report()
