"""The CPU-time model against loads measured with RAPL.

    python benchmarks/power_model.py FOLDER

FOLDER is `codecarbon/data/hardware/cpu_load_profiling` of a checkout of github.com/mlco2/codecarbon
(MIT licence), which is not part of this repository. Each row of its tables is a processor under
stress-ng at some load for half a minute; its energy by its duration is the power of all packages.
(The column rapl_power is left alone: it repeats the power of the row before.) The model is
TDP x (0.2 + 0.6 load), with the makers' TDP x the number of processors, which follows from the
threads of the machine. Its two numbers were fitted to these tables; how well such a line carries
over is told by fitting it anew without one kind of processor after the other, and asking it about
that one.
"""

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frugal_ai.cost.power.cpu_time import CpuTimeModel
from frugal_ai.errors import CostError
from frugal_ai.units import J_PER_KWH

PROCESSORS = {
    "AMD EPYC 8024P": (90.0, 16),
    "AMD Ryzen Threadripper 1950X": (180.0, 32),
    "Intel(R) Xeon(R) CPU E3-1240 V2": (69.0, 8),
    "Intel(R) Xeon(R) CPU E5-2620 v3": (85.0, 12),
}
"""TDP [W] and threads of one processor, as AMD and Intel state them."""

OTHERS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "CodeCarbon, machine": lambda load: 0.1 + 0.9 * load**3,
    "CodeCarbon, process": lambda load: load,
    "half of the TDP": lambda load: np.full_like(load, 0.5),
}
"""Shares of the TDP that others take at a load [1]."""

LEAST_LOAD = 0.05
BAND = (0.9, 1.1)


@dataclass(frozen=True)
class Reading:
    """A load [1] of a machine, its TDP, the power that RAPL counted and that the model says [W]."""

    machine: str
    processor: str
    load: float
    tdp_w: float
    rapl_w: float
    model_w: float


def read(folder: Path) -> list[Reading]:
    """Read every table below a folder, loads of 5 % or more."""
    found = []
    for path in sorted(folder.rglob("compare_cpu_load_and_RAPL-*.csv")):
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        found += [reading(path, row, threads_of(path.parent)) for row in rows]
    if not found:
        raise CostError(f"{folder}: expected tables compare_cpu_load_and_RAPL-*.csv, found none")
    return [one for one in found if one.load >= LEAST_LOAD]


def threads_of(folder: Path) -> int:
    """Return the threads of a machine: those that its fullest load used."""
    rows = [
        row
        for path in folder.glob("*all_cores*.csv")
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    ]
    return max(int(row["cores_used"]) for row in rows)


def reading(path: Path, row: dict[str, str], threads: int) -> Reading:
    """Compare one row with the model."""
    processor = next(name for name in PROCESSORS if name in row["cpu_name"])
    tdp_w, of_one = PROCESSORS[processor]
    tdp_w *= threads / of_one
    model = CpuTimeModel.from_tdp(tdp_w, threads, threads)
    load = float(row["cpu_load"]) / 100
    energy = model.energy(cpu_s=load * threads, wall_s=1.0)
    return Reading(
        machine=path.parent.name,
        processor=processor,
        load=load,
        tdp_w=tdp_w,
        rapl_w=float(row["rapl_energy"]) * J_PER_KWH / float(row["duration"]),
        model_w=energy.dynamic_j + energy.idle_share_j,
    )


def unseen(readings: list[Reading]) -> dict[str, NDArray[np.float64]]:
    """Return model / RAPL of each kind of processor, by a line fitted to the other kinds.

    The line is share of TDP = a + b x load, by least squares.
    """
    found = {}
    for name in dict.fromkeys(one.processor for one in readings):
        others = [one for one in readings if one.processor != name]
        share = np.array([one.rapl_w / one.tdp_w for one in others])
        design = np.array([[1.0, one.load] for one in others])
        (a, b), *_ = np.linalg.lstsq(design, share, rcond=None)
        asked = [one for one in readings if one.processor == name]
        found[name] = np.array([(a + b * one.load) * one.tdp_w / one.rapl_w for one in asked])
    return found


def line(name: str, ratios: NDArray[np.float64]) -> float:
    """Print the geometric mean and the band of model / RAPL, and return the mean."""
    mean = float(np.exp(np.log(ratios).mean()))
    low, high = np.percentile(ratios, [5, 95])
    print(f"{name:40}{len(ratios):6}{mean:8.2f}{low:8.2f}{high:8.2f}")
    return mean


def main() -> None:
    """Print ratios by machine and of all; exit with 1 outside of the band."""
    readings = read(Path(sys.argv[1]))
    ratio = np.array([one.model_w / one.rapl_w for one in readings])
    machine = np.array([one.machine for one in readings])
    print(f"{'model / RAPL':40}{'points':>6}{'mean':>8}{'5 %':>8}{'95 %':>8}")
    for name in dict.fromkeys(machine.tolist()):
        line(name, ratio[machine == name])
    mean = line("all", ratio)
    held_out = unseen(readings)
    for name, ratios in held_out.items():
        line(f"unseen {name}", ratios)
    line("unseen, all", np.concatenate([*held_out.values()]))
    load = np.array([one.load for one in readings])
    tdp_by_rapl = np.array([one.tdp_w / one.rapl_w for one in readings])
    for name, share in OTHERS.items():
        line(name, tdp_by_rapl * share(load))
    met = BAND[0] <= mean <= BAND[1]
    print(f"target: geometric mean within {BAND[0]} and {BAND[1]}: {'met' if met else 'missed'}")
    sys.exit(not met)


if __name__ == "__main__":
    main()
