"""A graph opened in onnxruntime: a single thread that sleeps when there is nothing to do.

Nothing else is imported here: a process that forecasts once takes most of its time for imports.
"""

import onnxruntime

_ERRORS_ONLY = 3


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
