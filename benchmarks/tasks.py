"""Run the benchmark tasks and print them beside the reference figures, as Markdown.

``python benchmarks/tasks.py [T1 ...]`` needs ``../shared`` beside the checkout: the data of the
tasks and ``bench/peers.csv`` with what other systems reach on them.
"""

import csv
import sys
import tempfile
from pathlib import Path

from frugal_ai.cost.threads import pinned_threads

pinned_threads(1)

from frugal_ai.pipeline import read_pipeline  # noqa: E402 - threads are pinned before numpy loads
from frugal_ai.report import RungReport, RunReport  # noqa: E402
from frugal_ai.run import Order, run  # noqa: E402

HERE = Path(__file__).parent
PEERS = HERE.parents[1] / "shared" / "bench" / "peers.csv"
COLUMNS = ("rung", "MAE", "RMSE", "nMAE %", "MASE", "skill", "fit CPU-s", "µgCO2e training",
           "µgCO2e / 1,000", "kB", "µs", "verdict")  # fmt: skip


class Silent:
    """A watcher with nothing to say."""

    def tell(self, sentence: str) -> None:
        """Hear a remark."""

    def step(self, what: str, done: int, total: int) -> None:
        """Hear of progress."""

    def climb(self, rung: str, done: int, total: int) -> None:
        """Show progress where somebody watches."""
        if sys.stderr.isatty():
            print(f"{done + 1}/{total} {rung}", file=sys.stderr)


def row(rung: RungReport) -> str:
    def amount(value: float | None, digits: str, scale: float = 1.0) -> str:
        return "" if value is None else f"{value * scale:{digits}}"

    cells = (
        f"**{rung.rung}**" if rung.chosen else rung.rung,
        amount(rung.mae, ".4g"),
        amount(rung.rmse, ".4g"),
        amount(rung.nmae, ".3f", 100),
        amount(rung.mase, ".3f"),
        amount(rung.skill, ".3f"),
        amount(rung.fit_cpu_s, ".3g"),
        amount(rung.co2e_g, ".3g", 1e6),
        amount(rung.co2e_g_per_1000, ".3g", 1e6),
        amount(rung.bytes, ".1f", 1e-3),
        amount(rung.latency_us, ".0f"),
        str(rung.verdict),
    )
    return f"| {' | '.join(cells)} |"


def peers(task: str) -> dict[str, float]:
    with PEERS.open(encoding="utf-8") as file:
        return {r["system"]: float(r["MAE"]) for r in csv.DictReader(file) if r["task"] == task}


def climb(task: str) -> RunReport:
    path = HERE / "tasks" / f"{task}.yaml"
    with tempfile.TemporaryDirectory() as folder:
        return run(read_pipeline(path), Order(path, Path(folder) / "run", {}), Silent())


def main(tasks: list[str]) -> None:
    if not PEERS.exists():
        sys.exit(f"expected the benchmark's data and peers, {PEERS}, which is absent")
    for task in tasks or sorted(path.stem for path in (HERE / "tasks").glob("*.yaml")):
        report = climb(task)
        print(f"\n## {task}: {report.title} [{report.unit}]\n")
        print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
        print("\n".join(row(rung) for rung in report.rungs))
        print(f"\n{report.reason}\n")
        found = peers(task)
        naive = next(rung for rung in report.rungs if rung.rung == "seasonal_naive_1d")
        reference = found.pop("seasonal naive (day)")
        print(f"Seasonal naive (day): {naive.mae:.6g}, reference {reference:.6g}.")
        best = sorted(found.items(), key=lambda item: item[1])[:5]
        print("Others: " + "; ".join(f"{name} {mae:.4g}" for name, mae in best) + ".")


if __name__ == "__main__":
    main(sys.argv[1:])
