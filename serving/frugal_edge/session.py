"""A graph opened in onnxruntime: a single thread that sleeps when there is nothing to do.

Little else is imported here: a process that forecasts once takes most of its time for imports.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_ERRORS_ONLY = 3

Spec = tuple[str, tuple[int | None, ...]]
"""Type and shape of an input or output; the first axis is the batch."""


def quiet_session(model: bytes) -> onnxruntime.InferenceSession:
    """Open a graph with one thread, no spinning, no memory arena, and errors alone logged."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class BoundGraph:
    """A graph for one forecast at a time, its inputs and outputs each at one place in memory.

    `InferenceSession.run` makes an object for each of them anew at every call, which takes a tenth
    of the time of a small model.

    Parameters
    ----------
    session
        From `quiet_session`.
    inputs, outputs
        All that the graph reads, and what is wanted of what it gives.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        inputs: Mapping[str, Spec],
        outputs: Mapping[str, Spec],
    ) -> None:
        self._session, self._binding = session, session.io_binding()
        self._inputs = _placed(inputs, self._binding.bind_input)
        self._outputs = _placed(outputs, self._binding.bind_output)
        self._alone = Lock()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Forecast from inputs with a batch axis of one; the outputs are the caller's own."""
        with self._alone:
            for name, place in self._inputs.items():
                place[...] = inputs[name]
            self._session.run_with_iobinding(self._binding)
            return {name: place.copy() for name, place in self._outputs.items()}

    def run_batch(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Forecast from inputs with any batch axis, each in a place of its own."""
        names = list(self._outputs)
        outputs = self._session.run(names, dict(inputs))
        return dict(zip(names, outputs, strict=True))


def _placed(specs: Mapping[str, Spec], bind: Any) -> dict[str, NDArray[Any]]:
    """Make an array for each input or output and bind it."""
    places = {}
    for name, (dtype, shape) in specs.items():
        place = np.zeros([size or 1 for size in shape], dtype)
        bind(name, "cpu", 0, place.dtype.type, place.shape, place.ctypes.data)
        places[name] = place
    return places
