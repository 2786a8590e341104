"""Time the C export of bundles against onnxruntime, and print the figures as Markdown.

``python benchmarks/c_export.py BUNDLE...`` compiles each file with ``gcc -O3``, runs blocks of
forecasts of both in turn, on one thread, and prints the median block; the inputs are the bundle's
first golden case. Sizes are those of the object file.
"""

import ctypes
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from frugal_edge.bundle import Bundle, open_bundle
from frugal_edge.golden import Case, read_golden
from frugal_edge.session import quiet_session
from numpy.typing import NDArray

from frugal_ai.export.c.compile import compile_graph
from frugal_ai.export.c.graph import Spec
from frugal_ai.export.c.header import DECLARE_ONLY, Interface, interface
from frugal_ai.export.c.source import c_source

NAME = "frugal_model"
BLOCKS, CALLS = 41, 200
FLAGS = ("-O3", "-std=c99")


@dataclass(frozen=True)
class Result:
    """What was measured of a bundle."""

    c_us: float
    onnx_us: float
    difference: float  # largest of an output, in its own unit
    source: int  # [bytes]
    sections: dict[str, int]  # [bytes] by name


def main(folders: list[Path]) -> None:
    gcc = shutil.which("gcc")
    if gcc is None:
        sys.exit("c_export.py: expected gcc on this machine, found none")
    version = subprocess.run([gcc, "--version"], capture_output=True, text=True, check=True)
    print(f"{version.stdout.splitlines()[0]}, {' '.join(FLAGS)}, one thread, warm\n")
    print("| bundle | C | onnxruntime | ratio | difference | C file | code | constants | RAM |")
    print("|---|---|---|---|---|---|---|---|---|")
    for folder in folders:
        bundle = open_bundle(folder)
        print(row(bundle.manifest.id, measure(bundle, gcc)))


def row(name: str, got: Result) -> str:
    constants = sum(n for section, n in got.sections.items() if section.startswith(".rodata"))
    cells = [
        name,
        f"{got.c_us:.2f} µs",
        f"{got.onnx_us:.1f} µs",
        f"{got.onnx_us / got.c_us:.1f}",
        f"{got.difference:.1e}",
        f"{got.source / 1000:.1f} kB",
        f"{got.sections['.text'] / 1000:.1f} kB",
        f"{constants / 1000:.1f} kB",
        f"{got.sections['.bss'] / 1000:.1f} kB",
    ]
    return f"| {' | '.join(cells)} |"


def measure(bundle: Bundle, gcc: str) -> Result:
    case = read_golden(bundle.content["golden.json"], bundle.manifest).cases[0]
    compiled = compile_graph(bundle.content["model.onnx"])
    offered = interface(NAME, bundle.manifest, compiled.inputs, compiled.outputs)
    text = c_source(bundle, NAME)
    with tempfile.TemporaryDirectory() as folder:
        library, sections = build(Path(folder), text, offered, gcc)
    outputs = {spec.name: np.zeros(spec.shape, spec.dtype) for spec in offered.outputs}
    c_block = caller(library, offered.inputs, case, outputs)
    session = quiet_session(bundle.content["model.onnx"])
    feed = dict(case.inputs)
    times: dict[str, list[float]] = {"c": [], "onnx": []}
    for _ in range(BLOCKS):
        times["c"].append(timed(c_block))
        times["onnx"].append(timed(lambda: [session.run(None, feed) for _ in range(CALLS)]))
    got = session.run(list(outputs), feed)
    return Result(
        c_us=statistics.median(times["c"]),
        onnx_us=statistics.median(times["onnx"]),
        difference=max(
            float(np.abs(value - expected).max())
            for value, expected in zip(outputs.values(), got, strict=True)
        ),
        source=len(text.encode()),
        sections=sections,
    )


def timed(block: Callable[[], object]) -> float:
    """Wall time of one of the calls of a block [us]."""
    start = time.perf_counter()
    block()
    return (time.perf_counter() - start) / CALLS * 1e6


def build(
    folder: Path, text: str, offered: Interface, gcc: str
) -> tuple[ctypes.CDLL, dict[str, int]]:
    """Compile the file, and beside it a loop that calls its function many times."""
    (folder / "model.c").write_text(text)
    (folder / "timing.c").write_text(timing_source(offered))
    subprocess.run([gcc, *FLAGS, "-c", folder / "model.c", "-o", folder / "model.o"], check=True)
    library = folder / "timing.so"
    sources = [folder / "model.c", folder / "timing.c"]
    subprocess.run([gcc, *FLAGS, "-fPIC", "-shared", *sources, "-o", library, "-lm"], check=True)
    size = shutil.which("size") or "size"
    said = subprocess.run(
        [size, "-A", folder / "model.o"], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in said.stdout.splitlines() if line.startswith(".")]
    return ctypes.CDLL(str(library)), {line[0]: int(line[1]) for line in lines}


def timing_source(offered: Interface) -> str:
    head = offered.prototype.replace(f"int {NAME}_forecast(", "int repeat(int calls, ")
    names = ", ".join(spec.name for spec in (*offered.inputs, *offered.outputs))
    return (
        f'#define {DECLARE_ONLY}\n#include "model.c"\n'
        f"{head.replace('int64_t origin', 'const int64_t *at')}\n{{\n    int code = 0;\n"
        + ("    int64_t origin = *at;\n" if offered.reads_origin else "")
        + f"    for (int k = 0; k < calls; k++) code |= {NAME}_forecast({names});\n"
        "    return code;\n}\n"
    )


def caller(
    library: ctypes.CDLL, inputs: tuple[Spec, ...], case: Case, outputs: dict[str, NDArray[Any]]
) -> Callable[[], object]:
    arrays = [np.ascontiguousarray(case.inputs[spec.name]) for spec in inputs]
    arrays += list(outputs.values())
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]

    def block() -> object:
        code = library.repeat(CALLS, *pointers)
        assert code == 0, f"the C function refused its golden case with code {code}"
        return arrays

    return block


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
