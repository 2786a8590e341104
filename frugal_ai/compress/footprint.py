"""What a process needs that does nothing but open a graph and forecast once."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from frugal_ai.errors import CompressionError
from frugal_ai.export.model import OnnxModel
from frugal_ai.features.graph import Windows

_TIMEOUT_S = 60
# a gateway's imports and calls, and no others; the kernel's own figure, which no parent is part of
_PROCESS = """
import json, sys, time
import numpy as np
from frugal_edge.session import quiet_session
feed = {name: array for name, array in np.load(sys.argv[2]).items()}
quiet_session(open(sys.argv[1], "rb").read()).run(None, feed)
cpu_ms = time.process_time() * 1e3
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps({"cpu_ms": cpu_ms, "peak_kb": int(peak[0])}))
"""


@dataclass(frozen=True)
class Footprint:
    """Of one process: peak resident memory [MB] and CPU time from start to forecast [ms]."""

    rss_mb: float
    cold_ms: float


def footprint(model: OnnxModel, windows: Windows) -> Footprint | None:
    """Start a process that forecasts once; None where the system does not tell memory.

    Parameters
    ----------
    windows
        The first one is forecast from.

    Raises
    ------
    CompressionError
        If the process fails.
    """
    if not Path("/proc/self/status").exists():
        return None
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="frugal-") as folder:
        graph, inputs = Path(folder) / "model.onnx", Path(folder) / "inputs.npz"
        graph.write_bytes(model.content)
        np.savez(inputs, allow_pickle=False, **model.feed(windows))
        command = [sys.executable, "-c", _PROCESS, str(graph), str(inputs)]
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter on files of our own
                command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise CompressionError(
                f"compress: the graph does not run on its own: {error}"
            ) from error
    seen = json.loads(done.stdout)
    return Footprint(seen["peak_kb"] / 1000, seen["cpu_ms"])
