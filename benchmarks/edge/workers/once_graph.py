"""Opens a graph, features included, as a gateway does, and forecasts once: GRAPH INPUTS."""

import gc

gc.disable()  # as frugal-edge: what is imported stays

import sys  # noqa: E402 - the collector rests while it is imported

from frugal_edge.session import quiet_session  # noqa: E402

from benchmarks.edge.workers.arrays import first_rows  # noqa: E402
from benchmarks.edge.workers.report import report  # noqa: E402

if __name__ == "__main__":
    graph, inputs = sys.argv[1:]
    with open(graph, "rb") as file:  # noqa: PTH123 - pathlib is not there yet
        session = quiet_session(file.read())
    names = [one.name for one in session.get_inputs()]
    session.run(None, first_rows(inputs, names))
    report()
