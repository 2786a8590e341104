"""The chosen model in MLflow: the ONNX flavour, pyfunc on top of it, registered as candidate."""

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from frugal_edge.bundle import Bundle
from frugal_edge.manifest import Tensor
from mlflow.entities import RunInfo
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import Schema, TensorSpec

CANDIDATE = "candidate"
"""Alias of the newest version that nobody has decided on."""
BUNDLE = "frugal.bundle"
"""Tag of a version: the identity of its bundle."""

_GRAPH = "model.onnx"
_READY_S = 30  # some registries take a while to copy a model
_RESERVED = str.maketrans("/:", "__")  # in the names of registered models
_ONE_THREAD = {
    "intra_op_num_threads": 1,
    "inter_op_num_threads": 1,
    "execution_mode": "sequential",
    "extra_session_config": {"session.intra_op.allow_spinning": "0"},
}


def log_models(
    client: MlflowClient, run: RunInfo, pipeline: str, bundles: Sequence[Bundle]
) -> None:
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
        version = log_model(client, run, pipeline, bundle, alone=len(bundles) == 1)
        client.set_registered_model_alias(version.name, CANDIDATE, version.version)


def log_model(
    client: MlflowClient, run: RunInfo, pipeline: str, bundle: Bundle, *, alone: bool
) -> ModelVersion:
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
        client.log_artifacts(run.run_id, folder, place)
    source = f"{run.artifact_uri}/{place}"
    return _register(client, name, source, run.run_id, bundle.manifest.id)


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
    manifest = bundle.manifest
    model = Model(
        run_id=run_id,
        artifact_path="model",
        signature=ModelSignature(
            inputs=_schema(list(manifest.inputs.values())),
            outputs=_schema(list(manifest.outputs.values())),
        ),
        metadata={"bundle": manifest.id, "unit": manifest.unit, "simulated": manifest.simulated},
    )
    model.add_flavor(
        "onnx",
        onnx_version=installed("onnx"),
        data=_GRAPH,
        providers=["CPUExecutionProvider"],
        onnx_session_options=_ONE_THREAD,
    )
    model.add_flavor(
        "python_function",
        loader_module="mlflow.onnx",
        data=_GRAPH,
        python_version=platform.python_version(),
        env={"virtualenv": "python_env.yaml"},
    )
    model.save(str(folder / "MLmodel"))
    (folder / _GRAPH).write_bytes(bundle.content[_GRAPH])
    packages = {"mlflow": installed("mlflow-skinny")}
    packages |= {name: installed(name) for name in ("numpy", "onnx", "onnxruntime")}
    pins = "".join(f"{name}=={number}\n" for name, number in packages.items())
    (folder / "requirements.txt").write_text(pins, encoding="utf-8")
    environment = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(json.dumps(environment), encoding="utf-8")


def _schema(tensors: list[Tensor]) -> Schema:
    return Schema(
        [
            TensorSpec(
                np.dtype(tensor.dtype),
                tuple(-1 if size is None else size for size in tensor.shape),
                tensor.name,
            )
            for tensor in tensors
        ]
    )


def _register(
    client: MlflowClient, name: str, source: str, run_id: str, bundle: str
) -> ModelVersion:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        name, source, run_id, tags={BUNDLE: bundle}, await_creation_for=_READY_S
    )
