"""The chosen model in MLflow: the ONNX flavour, pyfunc on top of it, registered as candidate."""

import json
import platform
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from frugal_edge.bundle import Bundle
from frugal_edge.manifest import Tensor

from frugal_ai.tracking.writer import Started, Version, Writer

CANDIDATE = "candidate"
"""Alias of the newest version that nobody has decided on."""
BUNDLE = "frugal.bundle"
"""Tag of a version: the identity of its bundle."""

_GRAPH = "model.onnx"
_RESERVED = str.maketrans("/:", "__")  # in the names of registered models
_ONE_THREAD = {
    "intra_op_num_threads": 1,
    "inter_op_num_threads": 1,
    "execution_mode": "sequential",
    "extra_session_config": {"session.intra_op.allow_spinning": "0"},
}


def log_models(writer: Writer, run: Started, pipeline: str, bundles: Sequence[Bundle]) -> None:
    """Log the model of each series under a run, and make it the candidate of its name.

    Parameters
    ----------
    run
        The rung's run.
    pipeline
        Name to register under; followed by that of the series where there are several.
    bundles
        One per series.
    """
    for bundle in bundles:
        version = log_model(writer, run, pipeline, bundle, alone=len(bundles) == 1)
        writer.set_registered_model_alias(version, CANDIDATE)


def log_model(
    writer: Writer, run: Started, pipeline: str, bundle: Bundle, *, alone: bool
) -> Version:
    """Log the model of one series under a run, and register it.

    Parameters
    ----------
    run
        The rung's run.
    alone
        Whether it is the pipeline's only series.
    """
    name = registered_name(pipeline, bundle.manifest.series_id, alone=alone)
    place = "model" if alone else f"model/{bundle.manifest.series_id.translate(_RESERVED)}"
    with TemporaryDirectory(prefix="frugal-ai-") as folder:
        write_model(bundle, Path(folder), run.run_id)
        writer.log_artifacts(run.run_id, Path(folder), place)
    source = f"{run.artifact_uri}/{place}"
    return writer.create_model_version(name, source, run.run_id, {BUNDLE: bundle.manifest.id})


def registered_name(pipeline: str, series: str, *, alone: bool) -> str:
    """Return the name that a model is registered under."""
    return pipeline if alone else f"{pipeline}-{series.translate(_RESERVED)}"


def write_model(bundle: Bundle, folder: Path, run_id: str) -> None:
    """Write the folder that MLflow logs, registers and loads as a model.

    ``mlflow.onnx.log_model`` would do it with a copy of the graph in memory, which it changes, and
    would guess the requirements by running the model in a process of its own.

    Parameters
    ----------
    bundle
        Verified.
    folder
        An empty one.
    run_id
        The MLflow run that the model belongs to.
    """
    text = yaml.safe_dump(_described(bundle, run_id), default_flow_style=False)
    (folder / "MLmodel").write_text(text, encoding="utf-8")
    (folder / _GRAPH).write_bytes(bundle.content[_GRAPH])
    packages = {"mlflow": installed("mlflow-skinny")}
    packages |= {name: installed(name) for name in ("numpy", "onnx", "onnxruntime")}
    pins = "".join(f"{name}=={number}\n" for name, number in packages.items())
    (folder / "requirements.txt").write_text(pins, encoding="utf-8")
    environment = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(json.dumps(environment), encoding="utf-8")


def _described(bundle: Bundle, run_id: str) -> dict[str, Any]:
    """Return the content of the file MLmodel, which MLflow loads a model by."""
    manifest = bundle.manifest
    return {
        "artifact_path": "model",
        "flavors": {
            "onnx": {
                "onnx_version": installed("onnx"),
                "data": _GRAPH,
                "providers": ["CPUExecutionProvider"],
                "onnx_session_options": _ONE_THREAD,
            },
            "python_function": {
                "loader_module": "mlflow.onnx",
                "data": _GRAPH,
                "python_version": platform.python_version(),
                "env": {"virtualenv": "python_env.yaml"},
            },
        },
        "metadata": {
            "bundle": manifest.id, "unit": manifest.unit, "simulated": manifest.simulated,
        },
        "mlflow_version": installed("mlflow-skinny"),
        "model_uuid": uuid.uuid4().hex,
        "run_id": run_id,
        "signature": {
            "inputs": _schema(list(manifest.inputs.values())),
            "outputs": _schema(list(manifest.outputs.values())),
            "params": None,
        },
        "utc_time_created": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}",
    }  # fmt: skip


def _schema(tensors: list[Tensor]) -> str:
    return json.dumps(
        [
            {
                "name": tensor.name,
                "type": "tensor",
                "tensor-spec": {
                    "dtype": tensor.dtype,
                    "shape": [-1 if size is None else size for size in tensor.shape],
                },
            }
            for tensor in tensors
        ]
    )
