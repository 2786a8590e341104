"""Run the peers beside frugal-ai: ``python -m benchmarks.peers [T1 ...] [--peers NAME,...]``.

All tasks and peers together write their part of ``docs/benchmarks.md``; some of them are printed.
The data of the tasks are in ``../shared`` beside the checkout.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from frugal_ai.cost.threads import pinned_threads

pinned_threads(1)

from benchmarks.peers import environments, work  # noqa: E402 - threads are pinned before numpy loads
from benchmarks.peers.environments import ROOT, Installed, UnavailableError  # noqa: E402
from benchmarks.peers.exchange import Given, given  # noqa: E402
from benchmarks.peers.ours import Ours, read_run  # noqa: E402
from benchmarks.peers.page import Entry, Page, Result  # noqa: E402
from benchmarks.peers.scoring import Judge  # noqa: E402
from benchmarks.peers.systems import LIBRARIES, NAIVE, PEERS, Library, System  # noqa: E402
from benchmarks.peers.task import Measured  # noqa: E402
from benchmarks.peers.work import FailedError, Job  # noqa: E402
from benchmarks.sections import write_section  # noqa: E402
from frugal_ai.cost.hardware import detect_host  # noqa: E402
from frugal_ai.errors import FrugalError  # noqa: E402

_AT_ONCE = 2
_PAGE = ROOT / "docs" / "benchmarks.md"
_SECTION = "make benchmark-peers"


@dataclass(frozen=True)
class Asked:
    """What a user asks for."""

    tasks: tuple[str, ...]
    libraries: tuple[Library, ...]
    ours: bool
    whole: bool
    reuse: bool
    origins: int | None


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    try:
        return _benchmark(asked)
    except FrugalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _asked(arguments: Sequence[str]) -> Asked:
    declared = sorted(path.stem for path in work.TASKS.glob("T*.yaml"))
    names = [library.name for library in LIBRARIES]
    parser = argparse.ArgumentParser("python -m benchmarks.peers", description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(declared)}")
    parser.add_argument("--peers", help=f"of {', '.join([work.OURS, *names])}, by commas")
    parser.add_argument("--origins", type=int, help="the first origins alone, to try the peers")
    parser.add_argument("--reuse", action="store_true", help="take former results where they fit")
    found = parser.parse_args(arguments)
    wanted = found.peers.split(",") if found.peers else [work.OURS, *names]
    for what, given_names, known in (
        ("task", found.tasks, declared),
        ("peer", wanted, [work.OURS, *names]),
    ):
        for name in given_names:
            if name not in known:
                parser.error(f"expected a {what} of {', '.join(known)}, got {name!r}")
    if found.origins is not None and found.origins < 1:
        parser.error(f"--origins: expected at least 1, got {found.origins}")
    return Asked(
        tasks=tuple(found.tasks or declared),
        libraries=tuple(library for library in LIBRARIES if library.name in wanted),
        ours=work.OURS in wanted and not found.origins,
        whole=not (found.tasks or found.peers or found.origins),
        reuse=found.reuse,
        origins=found.origins,
    )


def _benchmark(asked: Asked) -> int:
    started = time.monotonic()
    own = environments.inspect(
        Path(sys.executable), ROOT / "requirements.lock",
        (ROOT / "frugal_ai", ROOT / "serving" / "frugal_edge"),
    )  # fmt: skip
    installed, missing = _install(asked.libraries)
    tasks = {name: _hand_over(name, asked.origins) for name in asked.tasks}
    jobs = _jobs(asked, tasks, installed, own)
    failed = _carry_out(jobs, reuse=asked.reuse)
    results = tuple(_result(one, asked, installed, missing, failed, own) for one in tasks.values())
    command = "make benchmark-peers" if asked.whole else "python -m benchmarks.peers"
    text = Page(results, own, detect_host(), command).text()
    if asked.whole:
        write_section(_PAGE, _SECTION, text)
        _tell(f"wrote {_PAGE.relative_to(ROOT)}")
    else:
        print(text, end="")
    _tell(f"done in {(time.monotonic() - started) / 60:.1f} minutes")
    return 1 if failed else 0


def _install(libraries: Sequence[Library]) -> tuple[dict[str, Installed], dict[str, str]]:
    """Return the environments there are, and of the others why they are not."""
    installed, missing = {}, {}
    for library in libraries:
        try:
            installed[library.name] = environments.environment(library, _tell)
        except UnavailableError as error:
            missing[library.name] = f"skipped: {error}"
            _tell(f"{library.name}: skipped: {error}")
    return installed, missing


def _hand_over(name: str, origins: int | None) -> Given:
    one = given(work.TASKS / f"{name}.yaml", origins)
    path = work.task_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    one.task.write(path)
    return one


def _systems(asked: Asked, one: Given) -> Iterator[System]:
    """List what is run on a task: the peers that were asked for and take it, and the naives."""
    for system in (*PEERS, *NAIVE):
        if (system.library is None or system.library in asked.libraries) and system.takes(one.task):
            yield system


def _jobs(
    asked: Asked, tasks: dict[str, Given], installed: dict[str, Installed], own: Installed
) -> list[Job]:
    jobs = []
    for name, one in tasks.items():
        for system in _systems(asked, one):
            place = installed.get(system.library.name) if system.library else own
            if place is not None:
                jobs.append(work.peer_job(system, name, place))
        if asked.ours:
            jobs.append(work.own_job(name, own))
    order = [system.key for system in PEERS]  # the longest first
    return sorted(jobs, key=lambda job: order.index(job.name) if job.name in order else len(order))


def _carry_out(jobs: Sequence[Job], *, reuse: bool) -> dict[tuple[str, str], str]:
    """Run all jobs, two at a time; return of those that failed why."""
    failed = {}
    left = [job for job in jobs if not (reuse and work.done(job))]
    if len(left) < len(jobs):
        _tell(f"{len(jobs) - len(left)} former results taken")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {pool.submit(_timed(work.carry_out), job): job for job in left}
        for count, future in enumerate(as_completed(running), 1):
            job = running[future]
            try:
                outcome = f"{future.result():.0f} s"
            except FailedError as error:
                outcome = f"failed: {error}"
                failed[job.task, job.name] = outcome
            _tell(f"{count}/{len(left)} {job.task} {job.name}: {outcome}")
    return failed


def _timed(function: Callable[[Job], None]) -> Callable[[Job], float]:
    def timed(job: Job) -> float:
        start = time.monotonic()
        function(job)
        return time.monotonic() - start

    return timed


def _result(
    one: Given,
    asked: Asked,
    installed: dict[str, Installed],
    missing: dict[str, str],
    failed: dict[tuple[str, str], str],
    own: Installed,
) -> Result:
    task = one.task
    naive = [_measured(task.name, system) for system in NAIVE]
    judge = Judge(one, [measured.forecast for measured in naive])
    entries = []
    for system in _systems(asked, one):
        library = system.library
        why = failed.get((task.name, system.key), "")
        if library is not None and library.name in missing:
            why = missing[library.name]
        place = own if library is None else installed.get(library.name)
        if why:
            entries.append(Entry(system, place, failed=why))
            continue
        measured = _measured(task.name, system)
        scored = judge.score(measured.forecast, measured.levels, measured.quantiles)
        entries.append(Entry(system, place, measured, scored))
    why = failed.get((task.name, work.OURS), "")
    ours: Ours | None = None
    if asked.ours and not why:
        ours = read_run(work.WORK / task.name / work.OURS, one, judge)
    title, unit = one.pipeline.title or task.name, one.pipeline.unit
    return Result(task, title, unit, judge, tuple(entries), ours, why)


def _measured(task: str, system: System) -> Measured:
    return Measured.read(work.WORK / task / f"{system.key}.npz")


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
