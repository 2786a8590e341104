"""An install lets the new bundle run, or leaves everything as it is and says why."""

import errno
import fcntl
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.bundle import open_bundle
from frugal_edge.errors import BundleError, EdgeError, InstallError, SignatureError
from frugal_edge.install import audit, disk, floors, installer, slots
from frugal_edge.install.archive import Limits
from frugal_edge.install.installer import How, Outcome, install
from frugal_edge.install.models import Models
from frugal_edge.install.rollback import roll_back
from frugal_edge.trust.keys import TrustStore, pem
from frugal_edge.trust.verify import verify_folder

Key = ec.EllipticCurvePrivateKey
Release = Callable[..., Path]
AT_ONCE = How(trial=0)
CASES = 3  # golden ones of a small bundle


def running(state: Path, series: str = "feeder") -> str | None:
    """Return what runs, whole and signed."""
    current = Models(state).line(series).current
    if current is None:
        return None
    verify_folder(current, TrustStore.read(state / "trust"))
    return open_bundle(current).manifest.id


def everything(state: Path) -> dict[str, bytes]:
    """Return all files but locks and drafts."""
    return {
        str(path.relative_to(state)): path.read_bytes()
        for path in sorted(state.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def refused(
    state: Path, source: Path, error: type[EdgeError] = InstallError, how: How = AT_ONCE
) -> str:
    """Install what must be refused, and return the message; nothing may have changed."""
    before = everything(state)
    with pytest.raises(error) as caught:
        install(state, source, TrustStore.read(state / "trust"), how)
    assert type(caught.value) is error
    assert everything(state) == before
    message = str(caught.value)
    assert "\n" not in message
    assert "incoming.part" not in message
    return message


def test_a_tar_is_installed_and_committed_at_once(
    state: Path, store: TrustStore, release: Release, pack: Callable[[Path], Path]
) -> None:
    done = install(state, pack(release(5)), store, AT_ONCE)
    key = store.keys[0].id
    entry = slots.Entry("a", "bundle-5", 5, key)
    assert done == Outcome("feeder", entry, 0, CASES, done.seconds)
    assert running(state) == "bundle-5"
    assert floors.read(state) == {key: {"feeder": floors.Floor(5, "bundle-5")}}
    assert [event["what"] for event in audit.read(state)] == ["install", "commit"]
    assert {p.name for p in state.iterdir()} == {"trust", "models", "install.lock", "audit.jsonl"}


def test_slots_are_taken_in_turn_and_the_version_before_is_kept(
    state: Path, store: TrustStore, release: Release
) -> None:
    for sequence in (1, 2, 3):
        install(state, release(sequence), store, AT_ONCE)
    line = Models(state).line("feeder")
    assert line.current is not None
    assert line.previous is not None
    assert (line.current.name, line.previous.name) == ("a", "b")
    assert open_bundle(line.current).manifest.id == "bundle-3"
    assert open_bundle(line.previous).manifest.id == "bundle-2"
    assert {p.name for p in line.current.parent.iterdir()} == {"a", "b", "slots.json"}


def test_series_are_apart(state: Path, store: TrustStore, release: Release) -> None:
    names = ("feeder", "..", "a/../b", "ö b")
    for number, series in enumerate(names):
        install(state, release(number + 1, series=series), store, AT_ONCE)
    assert Models(state).series() == tuple(sorted(names))
    assert [running(state, series) for series in names] == [f"bundle-{n}" for n in (1, 2, 3, 4)]
    assert len(list((state / "models").iterdir())) == 4


def test_what_is_installed_is_not_installed_again(
    state: Path, store: TrustStore, release: Release
) -> None:
    folder = release(5)
    install(state, folder, store, AT_ONCE)
    before = everything(state)
    assert install(state, folder, store, AT_ONCE).cases == 0
    assert everything(state) == before
    assert install(state, folder, store, How(trial=0, force=True)).cases == CASES
    assert running(state) == "bundle-5"


def test_what_another_key_signed_anew_is_installed(
    state: Path,
    release: Release,
    sign_folder: Callable[[Path, Key], None],
    make_key: Callable[[], Key],
) -> None:
    folder, new = release(5), make_key()
    (state / "trust" / "new.pub").write_bytes(pem(new.public_key()))
    store = TrustStore.read(state / "trust")
    first = install(state, folder, store, AT_ONCE)
    sign_folder(folder, new)
    second = install(state, folder, store, AT_ONCE)
    assert second.cases == CASES
    assert second.entry.key != first.entry.key


@pytest.fixture
def old(state: Path, store: TrustStore, release: Release) -> None:
    """Let bundle 5 run."""
    install(state, release(5), store, AT_ONCE)


@pytest.mark.usefixtures("old")
class TestRefused:
    """What runs is left alone, whatever arrives."""

    @pytest.fixture(autouse=True)
    def _runs_on(self, state: Path, old: None) -> Any:
        yield
        assert running(state) == "bundle-5"

    def test_another_key(self, state: Path, release: Release, make_key: Callable[[], Key]) -> None:
        message = refused(state, release(6, by=make_key()), SignatureError)
        assert "expected a signature by a trusted key" in message

    def test_nothing_is_parsed_before_the_signature_holds(
        self,
        state: Path,
        release: Release,
        make_key: Callable[[], Key],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def parsed(*_: object) -> None:
            pytest.fail("parsed before it was verified")

        for name in ("open_bundle", "self_test"):
            monkeypatch.setattr(installer, name, parsed)
        refused(state, release(6, by=make_key()), SignatureError)

    def test_no_signature(self, state: Path, release: Release) -> None:
        folder = release(6)
        (folder / "model.sig").unlink()
        assert "not signed" in refused(state, folder, SignatureError)

    @pytest.mark.parametrize("name", ["model.onnx", "manifest.json", "golden.json", "model.sig"])
    def test_a_corrupt_file(self, state: Path, release: Release, name: str) -> None:
        folder = release(6)
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)
        refused(state, folder, SignatureError)

    def test_an_extra_file(self, state: Path, release: Release) -> None:
        folder = release(6)
        (folder / "extra.py").write_text("evil")
        assert "extra.py" in refused(state, folder, SignatureError)

    def test_a_signed_file_that_the_manifest_does_not_list(
        self, state: Path, release: Release, sign_folder: Callable[[Path, Key], None], key: Key
    ) -> None:
        folder = release(6)
        (folder / "extra.py").write_text("evil")
        sign_folder(folder, key)
        assert "not listed in manifest.json: extra.py" in refused(state, folder, BundleError)

    def test_a_missing_file(self, state: Path, release: Release) -> None:
        folder = release(6)
        (folder / "golden.json").unlink()
        assert "golden.json" in refused(state, folder, SignatureError)

    def test_a_truncated_archive(
        self, state: Path, release: Release, pack: Callable[[Path], Path]
    ) -> None:
        tar = pack(release(6))
        whole = tar.read_bytes()
        for part in (0.0, 0.3, 0.6):
            tar.write_bytes(whole[: int(len(whole) * part)])
            assert "cut off" in refused(state, tar)

    def test_an_oversized_bundle(
        self, state: Path, release: Release, pack: Callable[[Path], Path]
    ) -> None:
        how = How(limits=Limits(2000))
        folder = release(6)
        assert "too large" in refused(state, folder, how=how)
        assert "too large" in refused(state, pack(folder), how=how)

    def test_a_downgrade(self, state: Path, release: Release) -> None:
        assert "downgrade: expected a sequence above 5" in refused(state, release(4))
        refused(state, release(3), how=How(force=True))
        assert "downgrade" in refused(state, release(5, name="another"))

    def test_a_failing_golden_case(self, state: Path, release: Release) -> None:
        def wrong(golden: dict[str, Any]) -> None:
            golden["cases"][1]["outputs"]["forecast"][3] += 1

        message = refused(state, release(6, edit_golden=wrong))
        assert "self-test: golden.json: case 1, forecast, step 3" in message

    def test_a_graph_that_is_none(self, state: Path, release: Release) -> None:
        message = refused(state, release(6, model=b"no graph"))
        assert "self-test: model.onnx: onnxruntime" in message

    def test_no_room(self, state: Path, release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "no room" in refused(state, release(6), how=How(margin=1 << 60))

    def test_an_archive_that_is_announced_as_another(self, state: Path, release: Release) -> None:
        how = How(expected="bundle-7")
        assert "expected bundle-7 as announced, got bundle-6" in refused(state, release(6), how=how)

    def test_a_second_install_at_the_same_time(self, state: Path, release: Release) -> None:
        with (state / "install.lock").open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(0)
            file.write(b"process 1: install other.tar")
            file.flush()
            message = refused(state, release(6))
        assert message.endswith("install.lock: held by process 1: install other.tar")


def test_a_disk_that_is_full_at_any_write(
    state: Path, store: TrustStore, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, fsync = release(5), release(6), os.fsync
    install(state, old, store, AT_ONCE)
    failures = []
    for call in range(40):
        left = [call]

        def full(handle: int, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            fsync(handle)

        monkeypatch.setattr(os, "fsync", full)
        try:
            install(state, new, store, How(trial=3))
        except InstallError as error:
            failures.append(str(error))
        finally:
            monkeypatch.setattr(os, "fsync", fsync)
        assert not (state / slots.INCOMING).exists()
        if running(state) == "bundle-6":
            break
        assert Models(state).line("feeder").previous is None
    assert len(failures) > 10
    assert all("No space left on device" in message for message in failures)


def test_a_read_only_state_is_told(tmp_path: Path, release: Release, store: TrustStore) -> None:
    place = tmp_path / "file"
    place.write_text("")
    with pytest.raises(InstallError, match=r"Not a directory|File exists"):
        install(place / "state", release(6), store, AT_ONCE)


def test_a_file_system_that_became_read_only_is_told(
    mounted: Callable[[str], Path], release: Release, store: TrustStore
) -> None:
    state = mounted("size=8m")
    install(state, release(5), store, How(trial=0, margin=0))
    subprocess.run(["mount", "-o", "remount,ro", str(state)], check=True)  # noqa: S607 - a system's
    with pytest.raises(InstallError, match="Read-only file system"):
        install(state, release(6), store, How(trial=0, margin=0))
    assert open_bundle(state / "models" / "feeder" / "a").manifest.id == "bundle-5"


def test_a_bundle_on_trial_is_not_replaced(
    state: Path, store: TrustStore, release: Release
) -> None:
    install(state, release(5), store, AT_ONCE)
    install(state, release(6), store, How(trial=2))
    assert "bundle-6 is on trial, 2 cycles left" in refused(state, release(7))
    roll_back(state, "feeder", store, "not wanted")
    install(state, release(8), store, AT_ONCE)
    assert running(state) == "bundle-8"
    line = Models(state).line("feeder")
    assert line.previous is not None
    assert open_bundle(line.previous).manifest.id == "bundle-5"


def test_what_was_rolled_back_comes_again_by_force_alone(
    state: Path, store: TrustStore, release: Release
) -> None:
    install(state, release(5), store, AT_ONCE)
    six = release(6)
    install(state, six, store, How())
    Models(state).failed("feeder", "too slow")
    assert running(state) == "bundle-5"
    assert "bundle-6 was rolled back (too slow): --force" in refused(state, six)
    assert "was rolled back" in refused(state, release(6, name="same-release"))
    install(state, six, store, How(trial=0, force=True))
    assert running(state) == "bundle-6"
    assert slots.read(state, "feeder").rejected == ()


def test_what_a_killed_install_left_is_cleared(
    state: Path, store: TrustStore, release: Release
) -> None:
    for sequence in (5, 6):
        install(state, release(sequence), store, AT_ONCE)
    line = state / "models" / "feeder"
    (state / slots.INCOMING).mkdir()
    (state / slots.INCOMING / "model.onnx").write_bytes(b"half")
    (line / "a").rename(line / "a.old")  # killed between the two renames of an install
    (state / "trust" / "floors.json").unlink()  # and an earlier one before it raised the floor
    with pytest.raises(InstallError, match="downgrade: expected a sequence above 6"):
        install(state, release(4), store, AT_ONCE)
    assert not (state / slots.INCOMING).exists()
    assert open_bundle(line / "a").manifest.id == "bundle-5"
    roll_back(state, "feeder", store, "back")
    assert running(state) == "bundle-5"


def test_a_failure_after_the_slot_was_filled_brings_its_content_back(
    state: Path, store: TrustStore, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sequence in (5, 6):
        install(state, release(sequence), store, AT_ONCE)

    def full(*_: object, **__: object) -> None:
        raise InstallError("audit.jsonl: cannot be written: No space left on device")

    monkeypatch.setattr(audit, "append", full)
    with pytest.raises(InstallError, match="audit"):
        install(state, release(7), store, AT_ONCE)
    line = Models(state).line("feeder")
    assert line.previous is not None
    assert open_bundle(line.previous).manifest.id == "bundle-5"
    assert running(state) == "bundle-6"


def test_a_record_that_is_damaged_is_told(state: Path, store: TrustStore, release: Release) -> None:
    install(state, release(5), store, AT_ONCE)
    path = state / "models" / "feeder" / "slots.json"
    for edit, said in (
        ({"format": 2}, "format: expected 1, got 2"),
        ({"current": {"slot": "c", "id": "x", "sequence": 1, "key": "k"}}, "slot: expected a or b"),
        ({"series_id": "other"}, "series_id: expected feeder, got other"),
        ({"more": 1}, "unknown key 'more'"),
    ):
        content = path.read_text()
        path.write_text(json.dumps(json.loads(content) | edit))
        with pytest.raises(InstallError, match=said):
            Models(state).line("feeder")
        path.write_text(content)


def test_a_file_longer_than_it_may_be_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(11))
    with pytest.raises(InstallError, match="expected at most 10 bytes"):
        disk.read_bounded(tmp_path / "file", 10)
