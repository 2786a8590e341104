"""Forecasts once with trees as a graph, on features in numpy: GRAPH PLAN.json WINDOWS."""

import sys
from pathlib import Path

from frugal_edge.session import quiet_session

from benchmarks.edge.workers.report import report
from benchmarks.edge.workers.windows import first_features

if __name__ == "__main__":
    graph, plan, windows = map(Path, sys.argv[1:])
    session = quiet_session(graph.read_bytes())
    session.run(None, {session.get_inputs()[0].name: first_features(plan, windows)})
    report()
