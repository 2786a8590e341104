"""Opens a graph, features included, as a gateway does, and forecasts once: GRAPH INPUTS.npz."""

import sys
from pathlib import Path

import numpy as np
from frugal_edge.runtime import quiet_session

from benchmarks.edge.workers.report import report

if __name__ == "__main__":
    graph, inputs = map(Path, sys.argv[1:])
    with np.load(inputs) as file:
        feed = {name: file[name][:1] for name in file.files}
    quiet_session(graph.read_bytes()).run(None, feed)
    report()
