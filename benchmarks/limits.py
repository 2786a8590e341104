"""Measure what the project promises about its own size and speed, and print it as Markdown.

``python benchmarks/limits.py RUN_DIR`` takes the bundle of a finished run. Processes are started
several times and the median is printed; forecasts are timed in blocks.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from frugal_edge.bundle import open_bundle
from frugal_edge.session import quiet_session

REPEATS, BLOCKS, CALLS = 7, 9, 200


def process(command: list[str]) -> tuple[float, float]:
    """Wall time [s] and peak RSS [MB] of a process, medians."""
    walls, peaks = [], []
    probe = ("import os, resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
             "stdout=subprocess.DEVNULL); "
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")  # fmt: skip
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - start)
        done = subprocess.run(
            [sys.executable, "-c", probe, *command], check=True, capture_output=True, text=True
        )
        peaks.append(int(done.stdout.split()[-1]) / 1000)
    return statistics.median(walls), statistics.median(peaks)


def block(work: Callable[[], object]) -> float:
    """Wall time of one call [us], median over blocks."""
    times = []
    for _ in range(BLOCKS):
        start = time.perf_counter()
        for _ in range(CALLS):
            work()
        times.append((time.perf_counter() - start) / CALLS)
    return statistics.median(times[1:]) * 1e6


def forecaster(bundle: Path) -> Callable[[], object]:
    opened = open_bundle(bundle)
    session = quiet_session(opened.content["model.onnx"])
    rng = np.random.default_rng(0)
    feed = {}
    for tensor in opened.manifest.inputs.values():
        shape = [1 if size is None else size for size in tensor.shape]
        feed[tensor.name] = (
            np.array([opened.manifest.created], np.int64)
            if tensor.dtype == "int64"
            else rng.normal(10, 1, shape).astype(np.float32)
        )
    return lambda: session.run(None, feed)


def main(run: Path) -> None:
    programs, bundle = Path(sys.executable).parent, run / "bundle"
    example = run / "example"
    edge = [str(programs / "frugal-edge"), "forecast", str(bundle)]
    edge += ["--history", str(example / "history.csv"), "--known", str(example / "known.csv")]
    print("| what | wall [s] | peak RSS [MB] |\n|---|---|---|")
    for name, command in {
        "`import frugal_ai`": [sys.executable, "-c", "import frugal_ai"],
        "`frugal-ai --help`": [str(programs / "frugal-ai"), "--help"],
        "`frugal-edge forecast`": edge,
    }.items():
        wall, peak = process(command)
        print(f"| {name} | {wall:.3f} | {peak:.0f} |")
    size = (bundle / "model.onnx").stat().st_size
    warm = block(forecaster(bundle))
    print(f"\nmodel.onnx: {size / 1000:.1f} kB; one forecast, warm: {warm:.0f} µs")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
