"""An install is killed before every step that touches the disk: the old or the new bundle runs."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from frugal_edge.bundle import open_bundle
from frugal_edge.install import audit, installer, slots
from frugal_edge.install.installer import How, install
from frugal_edge.install.models import Models
from frugal_edge.install.rollback import roll_back
from frugal_edge.install.selftest import Replayed
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_folder

# What the interpreter reports just before it does it. The self-test, which writes nothing and has
# tests of its own, is left out.
DRIVER = """
import os, signal, sys
from pathlib import Path
from frugal_edge.install import installer
from frugal_edge.install.selftest import Replayed
from frugal_edge.trust.keys import TrustStore

state, source, left = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
installer.self_test = lambda *_: Replayed(1, 0.0)
store = TrustStore.read(state / "trust")
steps = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate"}

def before(event, arguments):
    global left
    if event in steps or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(before)
installer.install(state, source, store, installer.How(trial=0))
"""


def whole(folder: Path, state: Path) -> str:
    """Return the bundle of a folder, verified."""
    signature = verify_folder(folder, TrustStore.read(state / "trust"))
    return open_bundle(folder, signature.digests).manifest.id


def killed(state: Path, source: Path, step: int) -> bool:
    """Install in a process that is killed before a step; return whether it came to that."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, state, source, str(step)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def leftovers(state: Path) -> list[Path]:
    return [path for path in state.rglob("*") if path.suffix in {".part", ".old", ".draft"}]


def test_an_install_may_be_killed_before_any_step(
    tmp_path: Path,
    state: Path,
    store: TrustStore,
    release: Callable[..., Path],
    pack: Callable[[Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installer, "self_test", lambda *_: Replayed(1, 0.0))
    for sequence in (1, 2):
        install(state, release(sequence), store, How(trial=0))
    tar, step, found = pack(release(3)), 0, []
    while True:
        step += 1
        place = tmp_path / f"killed-{step}"
        shutil.copytree(state, place)
        if not killed(place, tar, step):
            break
        line = Models(place).line("feeder")
        assert line.current is not None
        found.append(whole(line.current, place))
        audit.read(place)
        if step % 2:
            now = roll_back(place, "feeder", store, "after a kill").current
            assert now is not None
            assert now.id == {"bundle-2": "bundle-1", "bundle-3": "bundle-2"}[found[-1]]
        else:
            install(place, tar, TrustStore.read(place / "trust"), How(trial=0))
            assert not leftovers(place)
        for folder in (Models(place).line("feeder").current, Models(place).line("feeder").previous):
            assert folder is None or whole(folder, place).startswith("bundle-")
        shutil.rmtree(place)
    assert len(found) > 30
    assert found == sorted(found)  # first the old one runs, then the new one
    assert set(found) == {"bundle-2", "bundle-3"}


@pytest.mark.parametrize("step", range(1, 40, 8))
def test_a_first_install_may_be_killed(
    state: Path, store: TrustStore, release: Callable[..., Path], step: int
) -> None:
    folder = release(1)
    killed(state, folder, step)
    line = Models(state).line("feeder")
    assert line.current is None or whole(line.current, state) == "bundle-1"
    install(state, folder, store, How(trial=0))
    assert not leftovers(state)
    current = slots.folder_of(state, "feeder", slots.read(state, "feeder").current)
    assert current is not None
    assert whole(current, state) == "bundle-1"
