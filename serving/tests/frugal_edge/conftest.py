"""Small bundles, built with onnx.helper, whose forecasts numpy can tell."""

import copy
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.trust.keys import key_id, pem
from frugal_edge.trust.sigstore import sign_statement
from frugal_edge.trust.statement import Statement
from hypothesis import settings
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# how long an example takes says more of the machine than of the code
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")

STEP = 1800
STEPS = 96  # of history, N
HORIZON = 48
LOOKBACK = 4
DAY = 86400
VALID_FROM = 1_704_067_200  # 2024-01-01T00:00:00Z
VALID_UNTIL = VALID_FROM + 365 * DAY
ORIGIN = 1_717_192_800  # 2024-05-31T22:00:00Z, midnight in Paris
DAY_TABLE = np.arange(400, dtype=np.float32)  # one entry for each day from VALID_FROM

AXES: dict[str, tuple[str, list[str], list[int]]] = {
    "history": ("float32", ["B", "N"], [STEPS]),
    "origin": ("int64", ["B"], []),
    "known": ("float32", ["B", "L+H", "K"], [LOOKBACK + HORIZON, 2]),
    "past": ("float32", ["B", "N", "P"], [STEPS, 1]),
    "drift": ("float32", ["B", "H", "Q"], [HORIZON, 3]),
}
COLUMNS: dict[str, dict[str, Any]] = {
    "known": {"columns": ["temperature", "wind"], "lookback": LOOKBACK},
    "past": {"columns": ["voltage"]},
}


def _constants() -> list[onnx.TensorProto]:
    def ints(name: str, *values: int) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(values, dtype=np.int64), name)

    return [
        ints("tail", -HORIZON),
        ints("end", 2**31),
        ints("one", 1),
        ints("two", 2),
        ints("first", 0),
        ints("lookback", LOOKBACK),
        ints("last", -1),
        ints("valid_from", VALID_FROM),
        ints("day", DAY),
        ints("column", 1),
        numpy_helper.from_array(np.zeros((1, HORIZON), dtype=np.float32), "zeros"),
        numpy_helper.from_array(DAY_TABLE, "table"),
    ]


def _terms() -> dict[str, list[onnx.NodeProto]]:
    """Return what each input adds to the forecast; the last output of each is [B, H] or [B, 1]."""
    node = helper.make_node
    return {
        "history": [node("Slice", ["history", "tail", "end", "one"], ["term_history"])],
        "origin": [
            node("Sub", ["origin", "valid_from"], ["since"]),
            node("Div", ["since", "day"], ["row"]),
            node("Gather", ["table", "row"], ["entry"]),
            node("Unsqueeze", ["entry", "column"], ["term_origin"]),
        ],
        "known": [
            node("Slice", ["known", "lookback", "end", "one"], ["ahead"]),
            node("ReduceSum", ["ahead", "two"], ["term_known"], keepdims=0),
        ],
        "past": [
            node("Slice", ["past", "last", "end", "one"], ["latest"]),
            node("ReduceSum", ["latest", "two"], ["term_past"], keepdims=0),
        ],
    }


def _graph(reads: Sequence[str], offsets: Mapping[float, float]) -> bytes:
    types = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
    terms = _terms()
    nodes, total = [], "zeros"
    for name in (name for name in reads if name != "drift"):
        nodes += [*terms[name], helper.make_node("Add", [total, f"term_{name}"], [f"sum_{name}"])]
        total = f"sum_{name}"
    nodes.append(helper.make_node("Identity", [total], ["forecast"]))
    inputs = [
        helper.make_tensor_value_info(name, types[AXES[name][0]], ["B", *AXES[name][2]])
        for name in reads
    ]
    outputs = [helper.make_tensor_value_info("forecast", TensorProto.FLOAT, ["B", HORIZON])]
    constants = _constants()
    if offsets:
        added = np.array([*offsets.values()], np.float32)
        constants.append(numpy_helper.from_array(added, "offsets"))
        nodes.append(helper.make_node("Unsqueeze", ["forecast", "two"], ["level"]))
        drifts = "drift" in reads
        nodes.append(
            helper.make_node("Add", ["level", "offsets"], ["still" if drifts else "quantiles"])
        )
        if drifts:
            constants.append(numpy_helper.from_array(added[-1:] - added[:1], "width"))
            nodes.append(helper.make_node("Mul", ["drift", "width"], ["moved"]))
            nodes.append(helper.make_node("Add", ["still", "moved"], ["quantiles"]))
        shape: list[str | int | None] = ["B", HORIZON, len(offsets)]
        outputs.append(helper.make_tensor_value_info("quantiles", TensorProto.FLOAT, shape))
    graph = helper.make_graph(nodes, "seasonal", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


def _expect(inputs: Mapping[str, Any]) -> NDArray[np.float32]:
    """Compute with numpy what the graph gives."""
    forecast = np.zeros(HORIZON, dtype=np.float32)
    if "history" in inputs:
        forecast += np.asarray(inputs["history"], dtype=np.float32)[-HORIZON:]
    if "origin" in inputs:
        forecast += DAY_TABLE[(inputs["origin"] - VALID_FROM) // DAY]
    if "known" in inputs:
        forecast += np.asarray(inputs["known"], dtype=np.float32)[LOOKBACK:].sum(axis=1)
    if "past" in inputs:
        forecast += np.asarray(inputs["past"], dtype=np.float32)[-1].sum()
    return forecast


def _inputs(reads: Sequence[str], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {
        name: rng.uniform(10, 90, AXES[name][2]).round(2).tolist() for name in reads
    }
    if "drift" in values:
        values["drift"] = rng.uniform(-1, 1, AXES["drift"][2]).round(2).tolist()
    if "origin" in values:
        values["origin"] = ORIGIN + seed * DAY
    return values


def _golden(reads: Sequence[str], offsets: Mapping[float, float]) -> dict[str, Any]:
    cases = []
    for inputs in (_inputs(reads, seed) for seed in range(3)):
        forecast = _expect(inputs)
        outputs = {"forecast": forecast.tolist()}
        if offsets:
            added = np.array([*offsets.values()], np.float32)
            moved = np.float32(inputs.get("drift", 0)) * (added[-1] - added[0])
            outputs["quantiles"] = (forecast[:, None] + added + moved).tolist()
        cases.append({"inputs": inputs, "outputs": outputs})
    return {"tolerance_abs": 1e-3, "cases": cases}


def _outputs(levels: int) -> list[dict[str, Any]]:
    described: list[dict[str, Any]] = [
        {"name": "forecast", "dtype": "float32", "axes": ["B", "H"], "shape": [None, HORIZON]}
    ]
    if levels:
        axes, shape = ["B", "H", "Q"], [None, HORIZON, levels]
        described.append({"name": "quantiles", "dtype": "float32", "axes": axes, "shape": shape})
    return described


def _manifest(reads: Sequence[str], levels: Sequence[float] = ()) -> dict[str, Any]:
    known = {"temperature": [-1000, 1000], "wind": [-1000, 1000]} if "known" in reads else {}
    manifest = {
        "schema_version": 2 if "drift" in reads else 1,
        "id": "load-naive_day-0123456789ab",
        "sequence": 1,
        "pipeline": "load",
        "kind": "load",
        "simulated": True,
        "rung": "naive_day",
        "series_id": "feeder",
        "unit": "MW",
        "timezone": "Europe/Paris",
        "step_s": STEP,
        "horizon": HORIZON,
        "quantiles": list(levels),
        "inputs": [
            {
                "name": name,
                "dtype": AXES[name][0],
                "axes": AXES[name][1],
                "shape": [None, *AXES[name][2]],
                **COLUMNS.get(name, {}),
            }
            for name in reads
        ],
        "outputs": _outputs(len(levels)),
        "history_steps": STEPS,
        "origins": {
            "valid_from": "2024-01-01T00:00:00Z",
            "valid_until": "2024-12-31T00:00:00Z",
            "local_time": ["00:00"],
            "every_s": DAY,
        },
        "gap_policy": {"max_gap_steps": 3, "fill": "linear"},
        "bounds": {"history": [-1000, 1000], "known": known, "past": {}},
        "metrics": {"mae": 1.0},
        "costs": {},
        "mlflow": None,
        "git_revision": None,
        "data_digest": "0" * 64,
        "created": "2026-01-01T00:00:00Z",
        "onnx": {"opset": 18, "ml_opset": None, "ir_version": 9},
        "minimum_onnxruntime": "1.20",
        "files": {
            name: {"sha256": "0" * 64, "bytes": 0}
            for name in ("model.onnx", "golden.json", "fallback.json", "MODEL_CARD.md")
        },
    }
    return copy.deepcopy(manifest)  # a test may change any part of it


def _unchanged(content: dict[str, Any]) -> None:
    pass


@pytest.fixture(scope="session")
def manifest_of() -> Callable[..., dict[str, Any]]:
    """Give a valid manifest of a model that reads some inputs."""
    return _manifest


@pytest.fixture(scope="session")
def inputs_of() -> Callable[[Sequence[str], int], dict[str, Any]]:
    """Give valid inputs of one forecast, without a batch axis."""
    return _inputs


@pytest.fixture(scope="session")
def expect() -> Callable[[Mapping[str, Any]], NDArray[np.float32]]:
    """Give the forecast that a bundle of `make_bundle` must make of some inputs."""
    return _expect


@pytest.fixture(scope="session")
def signing_keys() -> tuple[ec.EllipticCurvePrivateKey, ...]:
    """Give three keys to sign with."""
    return tuple(ec.generate_private_key(ec.SECP256R1()) for _ in range(3))


@pytest.fixture(scope="session")
def sign_folder() -> Callable[[Path, ec.EllipticCurvePrivateKey], None]:
    """Sign the files of a folder as they are, in the place of a signature that it may have."""

    def sign(folder: Path, key: ec.EllipticCurvePrivateKey) -> None:
        signature = folder / "model.sig"
        signature.unlink(missing_ok=True)
        digests = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
        }
        signature.write_bytes(sign_statement(Statement(folder.name, digests), key))

    return sign


@pytest.fixture
def trust(tmp_path: Path) -> Callable[..., Path]:
    """Write the public halves of some keys into a folder of trusted keys."""

    def write(*keys: ec.EllipticCurvePrivateKey, folder: Path = tmp_path / "trust") -> Path:
        folder.mkdir(exist_ok=True)
        for key in keys:
            public = key.public_key()
            (folder / f"{key_id(public)}.pub").write_bytes(pem(public))
        return folder

    return write


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Write a bundle; the forecast is the sum of a term for each input that the model reads.

    Its quantiles are the forecast plus the offset of each level.
    """

    def make(
        reads: Sequence[str] = ("history", "origin"),
        *,
        offsets: Mapping[float, float] = MappingProxyType({}),
        folder: Path = tmp_path / "bundle",
        model: bytes | None = None,
        edit: Callable[[dict[str, Any]], None] = _unchanged,
        edit_golden: Callable[[dict[str, Any]], None] = _unchanged,
    ) -> Path:
        golden = _golden(reads, offsets)
        edit_golden(golden)
        files = {
            "model.onnx": _graph(reads, offsets) if model is None else model,
            "golden.json": json.dumps(golden).encode(),
            "fallback.json": b'{"kind": "seasonal_naive", "season_s": 86400}',
            "MODEL_CARD.md": b"# A model\n",
        }
        manifest = _manifest(reads, list(offsets))
        manifest["files"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in files.items()
        }
        edit(manifest)
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    return make


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Write columns [R] of one series in long form from a start [unix s]; None leaves a row out."""

    def write(
        name: str,
        start: int,
        columns: Mapping[str, Sequence[float | str | None]],
        *,
        step: int = STEP,
        series: str = "feeder",
    ) -> Path:
        lines = [",".join(("series_id", "timestamp", *columns))]
        for index, cells in enumerate(zip(*columns.values(), strict=True)):
            if None not in cells:
                time = np.datetime64(start + index * step, "s")
                lines.append(",".join((series, f"{time}Z", *map(str, cells))))
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount one megabyte, where that is allowed."""
    place, mount = tmp_path / "disk", shutil.which("mount")
    place.mkdir()
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    done = subprocess.run([mount, *options], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run([str(shutil.which("umount")), "-l", str(place)], check=True)
