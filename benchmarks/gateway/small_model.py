"""A bundle of a linear model on 672 values of history, signed with a key made here."""

import json
from pathlib import Path

import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.clock import format_time, parse_time
from frugal_edge.digest import sha256_hex
from frugal_edge.session import quiet_session
from frugal_edge.trust.keys import pem
from frugal_edge.trust.sigstore import sign_statement
from frugal_edge.trust.statement import Statement
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[2]
HISTORY, HORIZON, STEP = 672, 48, 1800
LEVELS = (0.1, 0.5, 0.9)
ORIGIN = "2024-06-28T22:00:00Z"
NAME = "small"


def write_small(folder: Path) -> None:
    """Write the bundle ``small``, readings in ``example``, and keys of both models in ``trust``."""
    key = ec.generate_private_key(ec.SECP256R1())
    trust = folder / "trust"
    trust.mkdir()
    (trust / "bench.pub").write_bytes(pem(key.public_key()))
    (trust / "demo.pub").write_bytes((ROOT / "models" / "demo.pub").read_bytes())
    _write_example(folder / "example")
    bundle = folder / NAME
    bundle.mkdir()
    model = _model()
    history = np.linspace(4, 8, HISTORY, dtype=np.float32)
    origin = parse_time(ORIGIN)
    feeds = {"history": history[None], "origin": np.array([origin], np.int64)}
    point, quantiles = quiet_session(model).run(["forecast", "quantiles"], feeds)
    case = {
        "inputs": {"history": history.tolist(), "origin": origin},
        "outputs": {"forecast": point[0].tolist(), "quantiles": quantiles[0].tolist()},
    }
    files = {
        "model.onnx": model,
        "golden.json": json.dumps({"tolerance_abs": 1e-3, "cases": [case]}).encode(),
        "fallback.json": b'{"kind": "seasonal_naive", "season_s": 86400}',
        "MODEL_CARD.md": b"# For a benchmark\n",
    }
    manifest = _manifest(files)
    for name, data in {**files, "manifest.json": manifest}.items():
        (bundle / name).write_bytes(data)
    digests = {path.name: sha256_hex(path.read_bytes()) for path in bundle.iterdir()}
    (bundle / "model.sig").write_bytes(sign_statement(Statement(NAME, digests), key))


def _model() -> bytes:
    """Make a linear layer from the history, and quantiles around it."""
    weights = np.zeros((HISTORY, HORIZON), np.float32)
    weights[-HORIZON:] = np.eye(HORIZON)
    offsets = np.array([-1, 0, 1], np.float32)
    read = helper.make_tensor_value_info("history", TensorProto.FLOAT, ["B", HISTORY])
    when = helper.make_tensor_value_info("origin", TensorProto.INT64, ["B"])
    point = helper.make_tensor_value_info("forecast", TensorProto.FLOAT, ["B", HORIZON])
    spread = helper.make_tensor_value_info("quantiles", TensorProto.FLOAT, ["B", HORIZON, 3])
    nodes = [
        helper.make_node("MatMul", ["history", "weights"], ["linear"]),
        helper.make_node("Cast", ["origin"], ["time"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["time", "nought"], ["nothing"]),
        helper.make_node("Unsqueeze", ["nothing", "last"], ["column"]),
        helper.make_node("Add", ["linear", "column"], ["forecast"]),
        helper.make_node("Unsqueeze", ["forecast", "behind"], ["level"]),
        helper.make_node("Add", ["level", "offsets"], ["quantiles"]),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(offsets, "offsets"),
        numpy_helper.from_array(np.array(0, np.float32), "nought"),
        numpy_helper.from_array(np.array([1], np.int64), "last"),
        numpy_helper.from_array(np.array([2], np.int64), "behind"),
    ]
    graph = helper.make_graph(nodes, NAME, [read, when], [point, spread], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _manifest(files: dict[str, bytes]) -> bytes:
    """Say of the small model what the manifest of the committed one says, as far as it holds."""
    committed = next((ROOT / "models" / "load").glob("load-*")) / "manifest.json"
    said = json.loads(committed.read_text())
    said |= {
        "schema_version": 1,
        "id": NAME,
        "series_id": NAME,
        "inputs": [
            {"name": "history", "dtype": "float32", "axes": ["B", "N"], "shape": [None, HISTORY]},
            {"name": "origin", "dtype": "int64", "axes": ["B"], "shape": [None]},
        ],
        "history_steps": HISTORY,
        "bounds": {"history": [0, 10], "known": {}, "past": {}},
        "created": "2024-01-01T00:00:00Z",
        "files": {
            name: {"sha256": sha256_hex(data), "bytes": len(data)} for name, data in files.items()
        },
    }
    return json.dumps(said).encode()


def _write_example(folder: Path) -> None:
    folder.mkdir()
    start = parse_time(ORIGIN) - HISTORY * STEP
    rows = [f"{NAME},{format_time(start + i * STEP)},{4 + i % 48 / 12:.3f}" for i in range(HISTORY)]
    (folder / "history.csv").write_text("series_id,timestamp,value\n" + "\n".join(rows) + "\n")
    (folder / "known.csv").write_text("series_id,timestamp\n")
