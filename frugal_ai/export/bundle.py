"""The bundle: a folder with everything that a gateway needs, written whole or not at all."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from frugal_edge.bundle import open_bundle
from frugal_edge.errors import EdgeError
from frugal_edge.manifest import DRIFT
from frugal_edge.runtime import Forecaster

from frugal_ai.backtest.forecaster import FORECAST, QUANTILES
from frugal_ai.backtest.origins import IntArray
from frugal_ai.backtest.windows import Series
from frugal_ai.data.calendar import DAY_S
from frugal_ai.data.panel import format_time
from frugal_ai.errors import ExportError, OutputError
from frugal_ai.export.model import PARITY, OnnxModel
from frugal_ai.features.graph import FeatureGraph, Windows
from frugal_ai.features.grid import Grid
from frugal_ai.pipeline import Pipeline

# Raised with every change that an older frugal-edge would misread; see frugal_edge.manifest_reader.
SCHEMA_VERSION = 3
_WITHOUT_COUNTS = 2  # the same without the key `counts`: older gateways go on reading it
_GOLDEN_CASES = 2
_GOLDEN_DIGITS = 5  # of the inputs: golden files shrink, and any input is as good as another
_BOUND_MARGIN = 0.5  # of the range in training, below and above it


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from, for its manifest and card."""

    created: int  # [unix s]
    data_digest: str
    git_revision: str | None
    metrics: Mapping[str, Any]
    costs: Mapping[str, Any]
    mlflow: Mapping[str, Any] | None = None


def write_bundle(
    folder: Path,
    *,
    pipeline: Pipeline,
    rung: str,
    series: Series,
    graph: FeatureGraph,
    exported: OnnxModel,
    origins: IntArray,
    provenance: Provenance,
    card: str,
) -> str:
    """Write a bundle, replay its golden cases as a gateway would, and put it in place.

    Parameters
    ----------
    folder
        Where the bundle shall stand; a bundle that is there is replaced in one step.
    origins
        Origins to take golden cases from [O] [unix s].
    card
        Text of the model card.

    Returns
    -------
    str
        Identity of the bundle.

    Raises
    ------
    OutputError
        If it cannot be written; what was there stays.
    ExportError
        If the bundle does not pass the gateway's own checks.
    """
    spread = np.linspace(0, len(origins) - 1, _GOLDEN_CASES).astype(int)
    windows = series.windows(origins[spread], graph.reach)
    scale = float(np.nanmean(np.abs(series.panel.values[series.index])))
    files = {
        "model.onnx": exported.content,
        "golden.json": _json(golden(exported, windows, scale * PARITY)),
        "fallback.json": _json({"kind": "seasonal_naive", "season_s": DAY_S}),
        "MODEL_CARD.md": card.encode(),
    }
    until = int(origins[0])
    described = manifest(pipeline, rung, series, graph, exported, provenance, until)
    described["files"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in files.items()
    }
    files["manifest.json"] = _json(described)
    _put(folder, files)
    return str(described["id"])


def manifest(
    pipeline: Pipeline,
    rung: str,
    series: Series,
    graph: FeatureGraph,
    exported: OnnxModel,
    provenance: Provenance,
    until: int,
) -> dict[str, Any]:
    """Describe a model that learnt up to ``until`` [unix s] and reads the features of a graph.

    The files of the bundle are added by whoever writes them.
    """
    grid = graph.inputs
    digest = hashlib.sha256(exported.content).hexdigest()
    counts = pipeline.counts
    return {
        "schema_version": SCHEMA_VERSION if counts else _WITHOUT_COUNTS,
        "id": f"{pipeline.name}-{rung}-{digest[:12]}",
        "sequence": provenance.created,
        "pipeline": pipeline.name,
        "kind": pipeline.kind,
        "simulated": series.panel.simulated,
        "rung": rung,
        "series_id": series.name,
        "unit": pipeline.unit,
        **({"counts": counts.model_dump()} if counts else {}),
        "timezone": pipeline.timezone,
        "step_s": grid.step_s,
        "horizon": grid.horizon,
        "quantiles": list(pipeline.quantiles),
        "inputs": _inputs(graph, exported),
        "outputs": _outputs(grid.horizon, len(pipeline.quantiles), exported),
        "history_steps": max(graph.reach.history, 1),
        "origins": _origins(pipeline, grid),
        "gap_policy": {
            "max_gap_steps": _max_gap(pipeline),
            "fill": "previous",  # as the backtest does from its first origin on
        },
        "bounds": _bounds(series, graph, exported, until),
        "metrics": dict(provenance.metrics),
        "costs": dict(provenance.costs),
        "mlflow": provenance.mlflow,
        "git_revision": provenance.git_revision,
        "data_digest": provenance.data_digest,
        "created": format_time(provenance.created),
        "onnx": {
            "opset": exported.opset,
            "ml_opset": exported.ml_opset,
            "ir_version": exported.ir_version,
        },
        "minimum_onnxruntime": exported.minimum_onnxruntime,
    }


def _max_gap(pipeline: Pipeline) -> int:
    return 0 if pipeline.quality.fill == "none" else pipeline.quality.max_gap // pipeline.step


def _origins(pipeline: Pipeline, grid: Grid) -> dict[str, Any]:
    return {
        "valid_from": format_time(grid.valid_from),
        "valid_until": format_time(grid.valid_until),
        "local_time": sorted(clock.strftime("%H:%M") for clock in pipeline.periods.test.at),
        "every_s": _spacing(pipeline),
    }


def _spacing(pipeline: Pipeline) -> int:
    """Return the shortest time between two origins of the backtest [s]."""
    at = sorted(3600 * t.hour + 60 * t.minute for t in pipeline.periods.test.at)
    return min(
        (after - before) % DAY_S or DAY_S
        for before, after in zip(at, [*at[1:], at[0]], strict=True)
    )


def golden(exported: OnnxModel, windows: Windows, tolerance: float) -> dict[str, Any]:
    """Make golden cases of some windows: rounded inputs, and what the graph makes of them."""
    rounded = Windows(
        history=_rounded(windows.history),
        origin=windows.origin,
        known=_rounded(windows.known),
        past=_rounded(windows.past),
    )
    drift = _golden_drift(len(rounded), exported)
    outputs = exported.run(rounded, drift.get(DRIFT))
    cases = []
    for row in range(len(rounded)):
        rows = slice(row, row + 1)
        tensors = rounded.tensors(rows) | {name: value[rows] for name, value in drift.items()}
        cases.append(
            {
                "inputs": {name: _plain(tensors[name][0]) for name in exported.inputs},
                "outputs": {name: _plain(values[row]) for name, values in outputs.items()},
            }
        )
    return {"tolerance_abs": tolerance, "cases": cases}


def _golden_drift(batch: int, exported: OnnxModel) -> dict[str, np.ndarray[Any, Any]]:
    """Let quantiles drift a little more in every case, by lead time and level."""
    if exported.drift_shape is None:
        return {}
    horizon, levels = exported.drift_shape
    lead, level = np.arange(horizon)[:, None] % 4, np.arange(levels) - (levels - 1) / 2
    case = np.arange(batch)[:, None, None]
    return {DRIFT: (case * (0.125 * level + 0.0625 * lead)).astype(np.float32)}


def _inputs(graph: FeatureGraph, exported: OnnxModel) -> list[dict[str, Any]]:
    """Describe the tensors that the graph reads; those it does not read are not in it."""
    grid, reach = graph.inputs, graph.reach
    steps, span = max(reach.history, 1), reach.lookback + grid.horizon
    described: dict[str, dict[str, Any]] = {
        "history": {"dtype": "float32", "axes": ["B", "N"], "shape": [None, steps]},
        "origin": {"dtype": "int64", "axes": ["B"], "shape": [None]},
        "known": {
            "dtype": "float32",
            "axes": ["B", "L+H", "K"],
            "shape": [None, span, len(grid.known_names)],
            "columns": list(grid.known_names),
            "lookback": reach.lookback,
        },
        "past": {
            "dtype": "float32",
            "axes": ["B", "N", "P"],
            "shape": [None, steps, len(grid.past_names)],
            "columns": list(grid.past_names),
        },
        DRIFT: {
            "dtype": "float32",
            "axes": ["B", "H", "Q"],
            "shape": [None, *(exported.drift_shape or ())],
        },
    }
    return [{"name": name, **described[name]} for name in exported.inputs]


def _outputs(horizon: int, levels: int, exported: OnnxModel) -> list[dict[str, Any]]:
    """Describe the tensors that the graph gives."""
    described: dict[str, dict[str, Any]] = {
        FORECAST: {"dtype": "float32", "axes": ["B", "H"], "shape": [None, horizon]},
        QUANTILES: {
            "dtype": "float32",
            "axes": ["B", "H", "Q"],
            "shape": [None, horizon, levels],
        },
    }
    return [{"name": name, **described[name]} for name in exported.outputs]


def _bounds(series: Series, graph: FeatureGraph, exported: OnnxModel, until: int) -> dict[str, Any]:
    """Return the range of each input in training, widened, so that a gateway can tell outliers."""
    panel, grid, i = series.panel, graph.inputs, series.index
    end = panel.index(until)
    known = {n: panel.known[i, :end, panel.known_names.index(n)] for n in grid.known_names}
    past = {n: panel.past[i, :end, panel.past_names.index(n)] for n in grid.past_names}
    read = exported.inputs
    return {
        "history": _range(panel.values[i, :end]) if "history" in read else None,
        "known": {n: _range(v) for n, v in known.items()} if "known" in read else {},
        "past": {n: _range(v) for n, v in past.items()} if "past" in read else {},
    }


def _range(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = _BOUND_MARGIN * (high - low)
    return [float(f"{low - margin:.6g}"), float(f"{high + margin:.6g}")]


def _rounded(
    values: np.ndarray[Any, np.dtype[np.float32]],
) -> np.ndarray[Any, np.dtype[np.float32]]:
    with np.errstate(divide="ignore"):
        digits = _GOLDEN_DIGITS - 1 - np.floor(np.log10(np.abs(values.astype(np.float64))))
    scale = 10.0 ** np.where(np.isfinite(digits), digits, 0)
    return (np.rint(values * scale) / scale).astype(np.float32)


def _plain(values: Any) -> Any:
    """Turn float32 into the shortest decimals that read back as the same float32."""
    if np.ndim(values):
        return [_plain(value) for value in values]
    return float(str(values)) if isinstance(values, np.floating) else int(values)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files beside their place, check them as a gateway would, and move them there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
    try:
        for name, content in files.items():
            (draft / name).write_bytes(content)
        Forecaster(open_bundle(draft)).self_test()
        _swap(draft, folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
    except EdgeError as error:
        raise ExportError(f"the bundle fails the gateway's checks: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _swap(draft: Path, folder: Path) -> None:
    draft.chmod(0o755)
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
        folder.replace(old / folder.name)
        draft.replace(folder)
        shutil.rmtree(old)
    else:
        draft.replace(folder)
