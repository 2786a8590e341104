"""What is shipped beside its teacher, C, and LightGBM with features in numpy: one task, one run."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from frugal_edge.bundle import Bundle, open_bundle
from frugal_edge.manifest import DRIFT, FORECAST, Manifest
from frugal_edge.runtime import specs
from frugal_edge.session import BoundGraph, quiet_session
from numpy.typing import NDArray

from benchmarks.edge import c_code
from benchmarks.edge.cold import Cold, cold_starts, environment
from benchmarks.edge.teacher import Teacher
from benchmarks.edge.timing import Run, Warm, interleaved, looped
from benchmarks.edge.workers.arrays import write_arrays
from benchmarks.edge.workers.features import Features, Float32Array
from benchmarks.edge.workers.windows import WINDOWS
from benchmarks.peers.environments import ROOT, Installed
from frugal_ai.backtest.windows import Series
from frugal_ai.errors import ExportError
from frugal_ai.features.blocks.base import Reach

Feeds = dict[str, NDArray[Any]]  # arrays with one row for each origin, by input

SHIPPED, TEACHER, LIGHTGBM, TREES_ALONE, ONNXMLTOOLS, C = (
    "shipped", "teacher", "lightgbm", "trees_alone", "onnxmltools", "c",
)  # fmt: skip
_WORKERS = ROOT / "benchmarks" / "edge" / "workers"


@dataclass(frozen=True)
class Effort:
    """How long is measured: blocks of each contender, their least wall time [s], cold starts."""

    blocks: int = 15
    block_s: float = 0.03
    starts: int = 7


@dataclass(frozen=True)
class Row:
    """A contender.

    Attributes
    ----------
    key
        Which.
    bytes
        Of what is stored of the model.
    warm
        None where there are no figures.
    cold
        None where it is not run on its own.
    difference
        Largest difference from what it stands for, over the mean of the series [1].
    failed
        Why there are no figures.
    """

    key: str
    bytes: int | None = None
    warm: Warm | None = None
    cold: Cold | None = None
    difference: float | None = None
    failed: str = ""


@dataclass(frozen=True)
class Speed:
    """All contenders of a task; the shipped graph first.

    ``heap`` names the functions of the heap that the C code calls, ``ram_bytes`` is of its buffers.
    """

    rows: tuple[Row, ...]
    heap: tuple[str, ...] = ()
    ram_bytes: int | None = None

    def of(self, key: str) -> Row:
        return next(row for row in self.rows if row.key == key)


@dataclass(frozen=True)
class _Contender:
    key: str
    bytes: int
    run: Run
    command: tuple[str, ...] | None
    difference: float | None = None


@dataclass(frozen=True)
class Place:
    """Where the contenders of a task keep their files, and the environments that they run in."""

    folder: Path
    installed: Mapping[str, Installed]

    def command(self, worker: str, *files: str, library: str = "") -> tuple[str, ...]:
        """Return what starts a worker on files of the folder."""
        python = str(self.installed[library].python) if library else sys.executable
        paths = [str(self.folder / name) for name in files]
        return (python, str(_WORKERS / f"{worker}.py"), *paths)


def measure(run_dir: Path, teacher: Teacher, place: Place, effort: Effort) -> Speed:
    """Measure the shipped model of a finished run beside the others.

    Raises
    ------
    FrugalError
        If the run has no bundle, or the bundle does not forecast.
    """
    place.folder.mkdir(parents=True, exist_ok=True)
    shipped = open_bundle(run_dir / "bundle")
    feeds = feeds_of(shipped.manifest, teacher.series, teacher.origins)
    contenders = [_graph(SHIPPED, shipped, feeds, place)]
    if (run_dir / "original").exists():
        whole = open_bundle(run_dir / "original")
        given = feeds_of(whole.manifest, teacher.series, teacher.origins)
        contenders.append(_graph(TEACHER, whole, given, place))
    contenders += _lightgbm(teacher, place)
    rows, code = [], None
    makers: dict[str, Callable[[], _Contender]] = {
        ONNXMLTOOLS: lambda: _onnxmltools(teacher, place),
    }
    for key, make in makers.items():
        try:
            contenders.append(make())
        except ExportError as error:
            rows.append(Row(key, failed=str(error)))
    try:
        code = c_code.compiled(run_dir / "bundle", shipped.manifest, place.folder)
        contenders.append(_c(code, shipped, feeds, teacher.mean, place))
    except ExportError as error:
        rows.append(Row(C, failed=str(error)))
    return Speed(
        (*_measured(contenders, effort), *rows),
        code.heap if code else (),
        code.ram_bytes if code else None,
    )


def _measured(contenders: list[_Contender], effort: Effort) -> list[Row]:
    warm = interleaved([one.run for one in contenders], effort.blocks, effort.block_s)
    commands = {one.key: one.command for one in contenders if one.command}
    cold = cold_starts(commands, effort.starts)
    return [
        Row(one.key, one.bytes, took, cold.get(one.key), one.difference)
        for one, took in zip(contenders, warm, strict=True)
    ]


def feeds_of(manifest: Manifest, series: Series, origins: NDArray[np.int64]) -> Feeds:
    """Cut what a bundle reads at some origins."""
    inputs = manifest.inputs
    known, past = (frozenset(manifest.columns(name)) for name in ("known", "past"))
    lookback = inputs["known"].lookback if known else 0
    cut = series.windows(origins, Reach(manifest.history_steps, lookback, known, past))
    tensors: Feeds = dict(cut.tensors(slice(None)))
    if DRIFT in inputs:
        _, *sizes = (size or 1 for size in inputs[DRIFT].shape)
        tensors[DRIFT] = np.zeros((len(origins), *sizes), np.float32)
    return {name: tensors[name] for name in inputs}


def _graph(key: str, bundle: Bundle, feeds: Feeds, place: Place) -> _Contender:
    """Return a graph with its features, in onnxruntime as on a gateway."""
    content = bundle.content["model.onnx"]
    graph = f"{key}.onnx"
    (place.folder / graph).write_bytes(content)
    write_arrays(place.folder / key, feeds)
    about, cases = bundle.manifest, _cases(feeds)
    bound = BoundGraph(quiet_session(content), specs(about.inputs), specs(about.outputs))
    return _Contender(
        key,
        len(content),
        looped(lambda i: bound.run(cases[i]), len(cases)),
        place.command("once_graph", graph, key),
    )


def _cases(feeds: Feeds) -> list[Feeds]:
    count = len(next(iter(feeds.values())))
    return [{name: values[i : i + 1] for name, values in feeds.items()} for i in range(count)]


def _lightgbm(teacher: Teacher, place: Place) -> list[_Contender]:
    """Return LightGBM with features in numpy, and its predict on features that are there."""
    booster, windows = teacher.booster, teacher.windows()
    model, plan, inputs = (place.folder / name for name in ("trees.txt", "plan.json", "trees"))
    booster.save_model(model)
    plan.write_text(json.dumps(teacher.plan), encoding="utf-8")
    write_arrays(inputs, {name: getattr(windows, name) for name in WINDOWS})
    features = _features(teacher)
    count, ready = len(windows), teacher.graph.transform(windows)
    mine = [booster.predict(features(i), num_threads=1) for i in range(count)]
    its = [booster.predict(one, num_threads=1) for one in ready]
    difference = float(np.abs(np.stack(mine) - np.stack(its)).max()) / teacher.mean
    size = model.stat().st_size
    return [
        _Contender(
            LIGHTGBM,
            size,
            looped(lambda i: booster.predict(features(i), num_threads=1), count),
            place.command("once_lightgbm", model.name, plan.name, inputs.name, library="lightgbm"),
            difference,
        ),
        _Contender(
            TREES_ALONE,
            size,
            looped(lambda i: booster.predict(ready[i], num_threads=1), count),
            None,
        ),
    ]


def _features(teacher: Teacher) -> Callable[[int], Float32Array]:
    """Return what computes the features of each origin in numpy."""
    compute, windows = Features(json.loads(json.dumps(teacher.plan))), teacher.windows()
    cases = [
        (history, int(origin), known)
        for history, origin, known in zip(
            windows.history, windows.origin, windows.known, strict=True
        )
    ]
    return lambda i: compute(*cases[i])


def _onnxmltools(teacher: Teacher, place: Place) -> _Contender:
    """Return the same trees as onnxmltools converts them, on features in numpy.

    Raises
    ------
    ExportError
        If they cannot be converted; says why in one line.
    """
    if "onnxmltools" not in place.installed:
        raise ExportError("onnxmltools: not installed")
    graph = place.folder / "onnxmltools.onnx"
    command = place.command("convert", "trees.txt", graph.name, library="onnxmltools")
    try:
        subprocess.run(
            command, cwd=ROOT, env=environment(), check=True, capture_output=True, text=True
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
        raise ExportError(f"onnxmltools: {lines[-1]}") from error
    session = quiet_session(graph.read_bytes())
    name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
    features, ready = _features(teacher), teacher.graph.transform(teacher.windows())
    shapes = {name: ("float32", ready[0].shape)}, {output: ("float32", (len(ready[0]), 1))}
    bound = BoundGraph(session, *shapes)
    its = [teacher.booster.predict(one, num_threads=1) for one in ready]
    mine = [bound.run({name: one})[output][:, 0] for one in ready]
    return _Contender(
        ONNXMLTOOLS,
        graph.stat().st_size,
        looped(lambda i: bound.run({name: features(i)}), len(ready)),
        place.command("once_trees", graph.name, "plan.json", "trees"),
        float(np.abs(np.stack(mine) - np.stack(its)).max()) / teacher.mean,
    )


def _c(
    code: c_code.Compiled, bundle: Bundle, feeds: Feeds, mean: float, place: Place
) -> _Contender:
    """Return the shipped model in C, called in a loop of C."""
    outputs = {
        name: np.zeros([size or 1 for size in tensor.shape], np.float32)
        for name, tensor in bundle.manifest.outputs.items()
    }
    code.write_inputs(place.folder / "inputs.bin", feeds)
    session, worst = quiet_session(bundle.content["model.onnx"]), 0.0
    for case in _cases(feeds):
        code.caller(case, outputs)(1)
        expected = session.run([FORECAST], case)[0]
        worst = max(worst, float(np.abs(outputs[FORECAST] - expected).max()))
    command = (str(code.program), str(place.folder / "inputs.bin"))
    return _Contender(C, code.bytes, code.caller(feeds, outputs), command, worst / mean)
