"""Kill installs with SIGKILL at random instants, and look at what is left each time.

``python -m benchmarks.gateway.kills [KILLS [SEED]]``. A worker installs release after release of
the committed load bundle, some at once, some on trial, some to be rolled back, until it is killed;
the next one goes on with what it finds. Every second worker leaves out the self-test, which takes
most of the time of an install and writes nothing, so that more kills meet a step that writes.

After each kill a broken state is one in which the bundle that runs is neither the one before nor
the one on its way, is not whole as signed, does not reproduce its golden cases, or in which a file
of the state cannot be read. A kill does not undo what was written and not yet synced, as a loss of
power does.
"""

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from frugal_edge.bundle import open_bundle
from frugal_edge.errors import EdgeError
from frugal_edge.install import audit, floors, installer, slots
from frugal_edge.install.installer import LOCK, How, install, recover
from frugal_edge.install.lock import sole
from frugal_edge.install.models import Models
from frugal_edge.install.rollback import roll_back
from frugal_edge.install.selftest import Replayed
from frugal_edge.runtime import Forecaster
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.sigstore import sign_statement
from frugal_edge.trust.statement import Statement
from frugal_edge.trust.verify import verify_folder

from frugal_ai.release.keys import read_private_key
from frugal_ai.release.pack import tar_of

MODELS = Path(__file__).parents[2] / "models"
RELEASES = 40
LONGEST = 3.0  # installs in the time after which a worker is killed at the latest
STARTING_S = 60.0


@dataclass
class Tally:
    """What a campaign found."""

    kills: int = 0
    broken: list[str] = field(default_factory=list)
    runs: Counter[str] = field(
        default_factory=Counter
    )  # what ran before the step, or what it brought
    left: Counter[str] = field(default_factory=Counter)  # what lay about: how far installs had come


def make_releases(folder: Path, count: int = RELEASES) -> None:
    """Write signed archives of the committed load bundle, release 1 to `count`."""
    (source,) = (path.parent for path in (MODELS / "load").glob("*/manifest.json"))
    key = read_private_key(MODELS / "demo.pem")
    for number in range(1, count + 1):
        place = folder / f"release-{number}"
        shutil.copytree(source, place)
        (place / "model.sig").unlink()
        manifest = json.loads((place / "manifest.json").read_bytes())
        manifest |= {"id": place.name, "sequence": number}
        (place / "manifest.json").write_text(json.dumps(manifest))
        digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in place.iterdir()}
        (place / "model.sig").write_bytes(sign_statement(Statement(place.name, digests), key))
        place.with_suffix(".tar").write_bytes(tar_of(open_bundle(place), signed=True))
        shutil.rmtree(place)


def work(state: Path, releases: Path, *, tested: bool) -> None:
    """Install release after release; say before each step what runs and what may run next."""
    if not tested:
        vars(installer)["self_test"] = lambda *_: Replayed(1, 0.0)
    (series,) = Models(state).series()
    store = TrustStore.read(state / "trust")
    models = Models(state)
    while models.line(series).trial_left:
        _cycle(models, series, passes=True)
    known = slots.read(state, series)
    number = max(_number(one.id) for one in (known.current, known.previous, *known.rejected) if one)
    while (tar := releases / f"release-{(number := number + 1)}.tar").exists():
        kind = number % 4
        _say(slots.read(state, series), f"release-{number}")
        install(state, tar, store, How(trial=0 if kind < 2 else 2))
        while models.line(series).trial_left:
            _cycle(models, series, passes=kind == 2)
        if kind == 1:
            _say(slots.read(state, series), None)
            roll_back(state, series, store, "to see")


def _cycle(models: Models, series: str, *, passes: bool) -> None:
    line = models.line(series)
    print("may", *(_runs(p) for p in (line.current, line.previous) if p), flush=True)
    models.begin(series)
    if passes:
        models.passed(series)
    else:
        models.failed(series, "to see")


def _say(record: slots.Record, new: str | None) -> None:
    known = [one.id for one in (record.current, record.previous) if one]
    print("may", *(known if new is None else [*known[:1], new]), flush=True)


def _number(identity: str) -> int:
    return int(identity.removeprefix("release-"))


def _runs(folder: Path) -> str:
    return open_bundle(folder).manifest.id


def examine(state: Path, may: list[str], tally: Tally) -> None:
    """Look at a state as the next process would find it."""
    try:
        (series,) = Models(state).series()
        record = slots.read(state, series)
        folder = Models(state).line(series).current
        if record.current is None or folder is None:
            raise EdgeError("nothing runs")  # noqa: TRY301 - told below, as all the others
        _check(state, folder, record.current.id)
        if record.current.id not in may:
            raise EdgeError(f"{record.current.id} runs, expected one of {may}")  # noqa: TRY301 - as above
        audit.read(state)
        floors.read(state)
        _note_leftovers(state, record, tally)
        tally.runs["what ran" if record.current.id == may[0] else "what came"] += 1
        with sole(state / LOCK, "look"):
            recover(state)
        if record.previous is not None:
            before = slots.folder_of(state, series, record.previous)
            _check(state, before or state, record.previous.id)
    except EdgeError as error:
        tally.broken.append(f"kill {tally.kills}: {error}")


def _check(state: Path, folder: Path, identity: str) -> None:
    signature = verify_folder(folder, TrustStore.read(state / "trust"))
    bundle = open_bundle(folder, signature.digests)
    if bundle.manifest.id != identity:
        raise EdgeError(f"{folder}: expected {identity}, got {bundle.manifest.id}")
    Forecaster(bundle).self_test()


def _note_leftovers(state: Path, record: slots.Record, tally: Tally) -> None:
    tally.left["an unpacked bundle"] += (state / slots.INCOMING).exists()
    tally.left["a slot put aside"] += any(state.glob("models/*/*.old"))
    tally.left["a draft of slots.json or floors.json"] += any(state.rglob("*.draft"))
    tally.left["a trial"] += record.trial_left > 0
    tally.left["a cycle of a trial"] += record.in_cycle


def new_state(folder: Path, releases: Path) -> float:
    """Make a gateway on which release 1 runs, and return what its install took [s]."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "trust").mkdir(parents=True)
    shutil.copy(MODELS / "demo.pub", folder / "trust")
    store = TrustStore.read(folder / "trust")
    return install(folder, releases / "release-1.tar", store, How(trial=0)).seconds


def kill_one(
    state: Path, releases: Path, after_s: float, *, tested: bool
) -> tuple[list[str], bool]:
    """Start a worker and kill it; return what may run, and whether it was killed."""
    what = "work" if tested else "work-untested"
    command = [sys.executable, "-m", "benchmarks.gateway.kills", what, str(state), str(releases)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        if worker.stdout is None:
            raise EdgeError("no output to read")
        line = worker.stdout.readline()
        time.sleep(after_s)
        worker.send_signal(signal.SIGKILL)
        lines = [line, *worker.stdout.read().splitlines()]
        killed = worker.wait(STARTING_S) == -signal.SIGKILL
    said = [one.split()[1:] for one in lines if one.startswith("may ")]
    if not killed and worker.returncode:
        raise EdgeError(f"a worker failed with {worker.returncode}")
    return (said[-1] if said else []), killed


def campaign(kills: int, seed: int, place: Path) -> Tally:
    """Kill so many workers, and tell what was found."""
    rng, tally = random.Random(seed), Tally()
    releases, state = place / "releases", place / "state"
    make_releases(releases)
    takes_s = new_state(state, releases)
    while tally.kills < kills:
        tested = tally.kills % 2 == 0
        after_s = rng.uniform(0, LONGEST * (takes_s if tested else takes_s / 5))
        may, killed = kill_one(state, releases, after_s, tested=tested)
        if not killed:  # out of releases
            takes_s = new_state(state, releases)
            continue
        tally.kills += 1
        examine(state, may, tally)
    return tally


def main(kills: int, seed: int) -> int:
    """Print what a campaign found."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        tally = campaign(kills, seed, Path(place))
    print(f"{tally.kills} kills with seed {seed}, {time.monotonic() - start:.0f} s")
    for title, counts in (("runs", tally.runs), ("left lying", tally.left)):
        print(f"{title}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
    print(f"{len(tally.broken)} broken states")
    print("".join(f"{one}\n" for one in tally.broken), end="")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    if "".join(sys.argv[1:2]).startswith("work"):
        work(Path(sys.argv[2]), Path(sys.argv[3]), tested=sys.argv[1] == "work")
    else:
        numbers = [int(text) for text in sys.argv[1:3]]
        sys.exit(main(*(numbers + [500, 1][len(numbers) :])))
