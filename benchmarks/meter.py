"""What the meter can tell: short jobs, children, two rungs with a busy neighbour, its own cost.

    python -m benchmarks.meter RUN_DIR [LONG_RUN_DIR]

RUN_DIR is a finished run of pipelines/load.yaml, whose ledger is compared with the envelope around
it by CodeCarbon; LONG_RUN_DIR one of more than 60 s, for the share that metering takes. Prints a
page, and writes it into docs/benchmarks.md with --page. About two minutes.
"""

import argparse
import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from benchmarks.markdown import fill, table
from benchmarks.sections import write_section
from frugal_ai.calibrate import spinning
from frugal_ai.cost.context import CostContext, CostSettings, build_context
from frugal_ai.cost.envelope import Envelope
from frugal_ai.cost.hardware import detect_host
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.cost.meter import CpuMeter
from frugal_ai.cost.record import Record
from frugal_ai.units import J_PER_KWH

_CHILD_S = 0.3
_PAIRS = 100
_ROUNDS = 20
_STEPS = 20_000  # of a job of about 1 ms


@dataclass(frozen=True)
class Target:
    """A figure, what it should be, and whether it is."""

    what: str
    wanted: str
    found: str
    met: bool


def job(steps: int = _STEPS) -> int:
    """Work for about 1 ms."""
    found = 0
    for step in range(steps):
        found ^= step
    return found


def child() -> None:
    """Work for 0.3 CPU-s."""
    start = time.process_time()
    while time.process_time() - start < _CHILD_S:
        job(1000)


def children(count: int = 2) -> None:
    """Start children that work, and wait for them."""
    started = [get_context("fork").Process(target=child) for _ in range(count)]
    for one in started:
        one.start()
    for one in started:
        one.join()


def codecarbon_cpu_s(context: CostContext, work: object) -> float:
    """Return the CPU time that CodeCarbon books for work, in process mode [s]."""
    with Envelope(context, "benchmark") as envelope:
        work()  # type: ignore[operator]  # any callable
    return envelope.result.cpu_energy_kwh * J_PER_KWH / context.power.w_per_core_dynamic


def short_jobs(context: CostContext) -> tuple[Target, list[list[str]]]:
    """Meter a job of 1 ms five times, over and over."""
    costs = [[CpuMeter().measure(job)[1] for _ in range(5)] for _ in range(_ROUNDS)]
    rounds = [[one.cpu_s for one in five] for five in costs]
    spreads = [(max(one) - min(one)) / median(one) for one in rounds]
    said = [max(one.rel_spread or 0.0 for one in five) for five in costs]
    within = sum(found <= told for found, told in zip(spreads, said, strict=True)) / _ROUNDS
    theirs = [codecarbon_cpu_s(context, job) for _ in range(5)]
    usual, worst, least = median(spreads), max(spreads), min(min(one) for one in rounds)
    rows = [
        [
            "job of 1 ms, CPU-ms",
            listed(1000 * v for v in rounds[0]),
            listed(1000 * v for v in theirs),
        ]
    ]
    found = (
        f"{usual:.1%}, worst of {_ROUNDS} rounds {worst:.1%}; within what the meter says of itself"
        f" in {within:.0%}"
    )
    met = usual <= 0.1 and least > 0
    return Target("1 ms job, five times: spread", "<= 10 %, never 0", found, met), rows


def short_children(context: CostContext) -> tuple[Target, list[list[str]]]:
    """Meter two children of 0.3 s five times."""
    true = 2 * _CHILD_S
    ours = [CpuMeter().measure(children, repeat=False)[1].children_cpu_s / true for _ in range(5)]
    theirs = [codecarbon_cpu_s(context, children) / true for _ in range(5)]
    worst = max(abs(value - 1) for value in ours)
    rows = [
        ["two children of 0.3 CPU-s, % counted", listed(100 * v for v in ours),
         listed(100 * v for v in theirs)]
    ]  # fmt: skip
    return Target("children of 0.3 s: off by", "<= 5 %", f"{worst:.1%}", worst <= 0.05), rows


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process and its children on one core, so that a neighbour is in the way."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def ranking() -> tuple[Target, list[list[str]]]:
    """Rank two jobs, one of 20 % more work, beside a process that never rests."""
    right = {"CPU time": 0, "wall time": 0}
    with one_core(), spinning(1):
        for _ in range(_PAIRS):
            _, less = CpuMeter().measure(job)
            _, more = CpuMeter().measure(lambda: job(_STEPS * 12 // 10))
            right["CPU time"] += less.cpu_s < more.cpu_s
            right["wall time"] += less.wall_s < more.wall_s
    shares = {name: count / _PAIRS for name, count in right.items()}
    rows = [[f"ranked right by {name}, % of {_PAIRS}", f"{100 * share:.0f}", "-"]
            for name, share in shares.items()]  # fmt: skip
    met = shares["CPU time"] >= 0.95
    return Target("20 % more work ranked right, busy neighbour", ">= 95 %",
                  f"{shares['CPU time']:.0%}", met), rows  # fmt: skip


def envelope(run: Path) -> Target:
    """Compare the lines of a run with CodeCarbon's envelope around it, CPU part."""
    records = read_ledger(run / "ledger.jsonl")
    (rest,) = (one for one in records if one.stage == "unattributed")
    lines = sum(one.energy_dynamic_J for one in records[: records.index(rest)])
    seen = lines + rest.energy_dynamic_J
    off = lines / seen - 1
    return Target(
        f"{rest.experiment_id}: lines against CodeCarbon's envelope, CPU",
        "within 10 %", f"{off:+.1%}", abs(off) <= 0.1,
    )  # fmt: skip


def overhead(run: Path) -> list[Target]:
    """Return the share of CPU time of a long run that metering takes, tracking beside it."""
    records = read_ledger(run / "ledger.jsonl")
    all_s = sum(one.cpu_time_s for one in records)
    metering = [one for one in records if one.stage == "metering"]
    tracked = tracking_s(run) / all_s
    name = f"{records[0].experiment_id}, {all_s:.0f} CPU-s"
    share = total(metering) / all_s - tracked
    return [
        Target(f"{name}: metering", "<= 2 %", f"{share:.1%}", share <= 0.02),
        Target(f"{name}: metering and MLflow", "<= 2 %", f"{share + tracked:.1%}",
               share + tracked <= 0.02),
    ]  # fmt: skip


def tracking_s(run: Path) -> float:
    """Return the CPU time that MLflow took in a run [s]."""
    records = read_ledger(run / "ledger.jsonl")
    return total([one for one in records if one.note.startswith("MLflow")])


def total(records: list[Record]) -> float:
    """Add CPU times up [s]."""
    return sum(one.cpu_time_s for one in records)


def listed(values: Iterable[float]) -> str:
    """Write values one after the other."""
    return " ".join(f"{value:.3g}" for value in values)


def about_mlflow(run: Path) -> str:
    """Say what MLflow takes, which is the same for a short run and a long one."""
    took = tracking_s(run)
    return fill(
        f"Logging to MLflow's store took {took:.2f} CPU-s, which hardly depends on how long a run"
        f" is: alone it is 2 % of a run of {took / 0.02:.0f} CPU-s. A SQLite store is written to"
        " without mlflow, which takes three CPU-s to import; the first run of a folder makes the"
        " store with it, once."
    )


def page(run: Path, long_run: Path | None) -> str:
    """Measure everything and write the page."""
    context = build_context(CostSettings(country="FRA"))
    parts = [short_jobs(context), short_children(context), ranking()]
    targets = [target for target, _ in parts] + [envelope(run)]
    targets += overhead(long_run) if long_run else []
    host = detect_host()
    rows = [row for _, part in parts for row in part]
    done = [[one.what, one.wanted, one.found, "yes" if one.met else "no"] for one in targets]
    return "\n\n".join(
        (
            "# What the meter can tell",
            fill(
                "`make benchmark-meter` writes this part. Jobs are loops in Python; the spread of "
                f"five is the median of {_ROUNDS} such rounds, which swing with what else the host "
                "does: a neighbour on the other thread of a core stays for seconds, and no number "
                "of blocks sees past that. The meter has such a phase in the spread it states, "
                "and the row says in how many rounds that holds the spread of the five; the second "
                "table shows the first round. Children are "
                "forked and work until their own clock says 0.3 CPU-s; the neighbour is a process "
                "that never rests, on the same core. CodeCarbon is in process mode, told the same "
                "watts, so that its energy is CPU time, too. The envelope is that of a run of "
                "pipelines/load.yaml; metering is everything booked on that stage, MLflow apart."
            ),
            fill(f"Machine: {host.cpu}, {host.threads} threads, {platform.platform()}."),
            "## Targets",
            table(["what", "target", "measured", "reached"], done),
            *([about_mlflow(long_run)] if long_run else []),
            "## Five times each",
            table(["what", "frugal-ai", "CodeCarbon"], rows),
        )
    )


def main() -> None:
    """Print the page, or write it into docs/benchmarks.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("long_run", type=Path, nargs="?")
    parser.add_argument("--page", type=Path)
    asked = parser.parse_args()
    text = page(asked.run, asked.long_run)
    print(text)
    if asked.page:
        write_section(asked.page, "make benchmark-meter", text)


if __name__ == "__main__":
    main()
