"""Measure compressed models: ``python -m benchmarks.edge [T1 ...] [--reuse]``.

All tasks together write their part of ``docs/benchmarks.md``, where none fails; some of them are
printed. The data of the tasks T1 to T6 are in ``../shared`` beside the checkout.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from frugal_ai.cost.threads import pinned_threads

pinned_threads(1)

from benchmarks.edge.nodes import nodes_of  # noqa: E402 - threads are pinned before numpy loads
from benchmarks.edge.page import Section  # noqa: E402
from benchmarks.edge.result import Failed, Result  # noqa: E402
from benchmarks.edge.speed import Effort, Place, measure  # noqa: E402
from benchmarks.edge.teacher import fitted_again  # noqa: E402
from benchmarks.edge.tools import TOOLS  # noqa: E402
from benchmarks.edge.variants import VARIANTS, Variant  # noqa: E402
from benchmarks.peers import environments, work  # noqa: E402
from benchmarks.peers.environments import ROOT, Installed, UnavailableError  # noqa: E402
from benchmarks.peers.own import COMPRESSED  # noqa: E402
from benchmarks.peers.work import FailedError  # noqa: E402
from benchmarks.sections import write_section  # noqa: E402
from frugal_ai.cost.hardware import detect_host  # noqa: E402
from frugal_ai.errors import DataError, FrugalError  # noqa: E402
from frugal_ai.files import write_text  # noqa: E402
from frugal_ai.report import RunReport  # noqa: E402

_WORK = ROOT / "runs" / "edge"
_PAGE = ROOT / "docs" / "benchmarks.md"
_SECTION = "make benchmark-edge"
_ORIGINS = 32  # that forecasts are timed from
_LOCK = ROOT / "requirements.lock"
_LIBRARIES = ("onnxruntime", "lightgbm", "numpy")


def main(arguments: Sequence[str]) -> int:
    names = [variant.name for variant in VARIANTS]
    parser = argparse.ArgumentParser("python -m benchmarks.edge", description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(names)}")
    parser.add_argument("--reuse", action="store_true", help="take former runs where they fit")
    asked = parser.parse_args(arguments)
    for name in asked.tasks:
        if name not in names:
            parser.error(f"expected a task of {', '.join(names)}, got {name!r}")
    chosen = [one for one in VARIANTS if not asked.tasks or one.name in asked.tasks]
    try:
        return _benchmark(chosen, whole=not asked.tasks, reuse=asked.reuse)
    except (FrugalError, UnavailableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _benchmark(chosen: Sequence[Variant], *, whole: bool, reuse: bool) -> int:
    started = time.monotonic()
    own = environments.inspect(
        Path(sys.executable), _LOCK, (ROOT / "frugal_ai", ROOT / "serving" / "frugal_edge")
    )
    installed = {tool.name: environments.environment(tool, _tell) for tool in TOOLS}
    results: list[Result] = []
    failed: list[Failed] = []
    for count, variant in enumerate(chosen, 1):
        _tell(f"{count}/{len(chosen)} {variant.name}")
        try:
            results.append(_result(variant, own, installed, reuse=reuse))
        except (FrugalError, FailedError) as error:
            failed.append(Failed(variant.name, str(error)))
            _tell(f"{variant.name}: failed: {error}")
    command = "make benchmark-edge" if whole else "python -m benchmarks.edge"
    section = Section(tuple(results), tuple(failed), detect_host(), _versions(), command)
    if whole and not failed:
        write_section(_PAGE, _SECTION, section.text())
        _tell(f"wrote {_PAGE.relative_to(ROOT)}")
    else:
        print(section.text(), end="")
    _tell(f"done in {(time.monotonic() - started) / 60:.1f} minutes")
    return 1 if failed else 0


def _result(
    variant: Variant, own: Installed, installed: dict[str, Installed], *, reuse: bool
) -> Result:
    """Run a task, fit its teacher once more for LightGBM, and measure."""
    folder = _WORK / variant.name
    folder.mkdir(parents=True, exist_ok=True)
    pipeline, run_dir = folder / "pipeline.yaml", folder / "run"
    write_text(pipeline, variant.text())
    job = work.run_job(variant.name, "run", pipeline, run_dir, own, options=(COMPRESSED,))
    if not (reuse and work.done(job)):
        _tell(f"{variant.name}: run and compress")
        work.carry_out(job)
    report = RunReport.read(run_dir)
    if report.compression is None:
        raise DataError(f"{run_dir}: expected a compressed rung, got none: {report.reason}")
    _tell(f"{variant.name}: the teacher in LightGBM")
    teacher = fitted_again(pipeline, _ORIGINS)
    _tell(f"{variant.name}: speed")
    shutil.rmtree(folder / "speed", ignore_errors=True)
    speed = measure(run_dir, teacher, Place(folder / "speed", installed), Effort())
    whole = run_dir / "original"
    graph = (whole if whole.exists() else run_dir / "bundle") / "model.onnx"
    nodes = nodes_of(graph.read_bytes())
    alone = f", {', '.join(variant.series)} alone" if variant.series else ""
    title = f"{report.title or report.pipeline}{alone}"
    return Result(variant.name, title, report.kind, report.compression, nodes, speed)


def _versions() -> tuple[str, ...]:
    """Name the libraries that are timed, and the compiler."""
    found = [f"{name} {version(name)}" for name in _LIBRARIES]
    for tool in TOOLS:
        pinned = tool.requirements.read_text(encoding="utf-8").split(f"{tool.name}==", 1)[1]
        found.append(f"{tool.name} {pinned.split()[0]}")
    if gcc := shutil.which("gcc"):
        done = subprocess.run(
            [gcc, "-dumpfullversion"], capture_output=True, text=True, check=False
        )
        found.append(f"gcc {done.stdout.strip()}")
    return tuple(dict.fromkeys(found))


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
