"""A bundle on trial passes its cycles and stays, or what ran before runs again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from frugal_edge.bundle import open_bundle
from frugal_edge.errors import InstallError, SignatureError
from frugal_edge.install import audit, floors, slots
from frugal_edge.install.installer import How, install
from frugal_edge.install.models import Line, Models
from frugal_edge.install.rollback import roll_back
from frugal_edge.trust.keys import TrustStore

Release = Callable[..., Path]


@pytest.fixture
def models(state: Path, store: TrustStore, release: Release) -> Models:
    """Give a gateway where bundle 1 is committed and bundle 2 is on trial for three cycles."""
    install(state, release(1), store, How(trial=0))
    install(state, release(2), store, How(trial=3))
    return Models(state)


def runs(line: Line) -> str | None:
    return None if line.current is None else open_bundle(line.current).manifest.id


def said(state: Path) -> list[object]:
    return [event["what"] for event in audit.read(state)]


def test_where_nothing_is_installed_there_is_no_line(tmp_path: Path) -> None:
    models = Models(tmp_path / "nowhere")
    assert models.series() == ()
    nothing = Line("feeder", None, None, 0)
    models.begin("feeder")
    assert models.line("feeder") == models.passed("feeder") == nothing
    assert models.failed("feeder", "why") == nothing
    assert models.stamp("feeder") == models.stamp("feeder")
    assert not (tmp_path / "nowhere").exists()


def test_cycles_that_pass_commit(models: Models, state: Path) -> None:
    for left in (2, 1, 0):
        assert models.line("feeder").trial_left == left + 1
        models.begin("feeder")
        line = models.passed("feeder")
        assert (runs(line), line.trial_left) == ("bundle-2", left)
    (by_series,) = floors.read(state).values()
    assert by_series["feeder"] == floors.Floor(2, "bundle-2")
    assert said(state) == ["install", "commit", "install", "commit"]
    assert models.failed("feeder", "late failure") == line


def test_the_floor_rises_with_the_commit_alone(models: Models, state: Path) -> None:
    models.begin("feeder")
    models.passed("feeder")
    (by_series,) = floors.read(state).values()
    assert by_series["feeder"].sequence == 1


def test_a_failed_cycle_brings_back_what_ran_before(models: Models, state: Path) -> None:
    models.begin("feeder")
    line = models.failed("feeder", "no forecast\nin time")
    assert (runs(line), line.previous, line.trial_left) == ("bundle-1", None, 0)
    (rejected,) = slots.read(state, "feeder").rejected
    assert (rejected.id, rejected.why) == ("bundle-2", "no forecast in time")
    assert audit.read(state)[-1]["what"] == "automatic-rollback"
    assert audit.read(state)[-1]["why"] == "no forecast in time"


def test_a_cycle_that_does_not_end_counts_as_failed(models: Models, state: Path) -> None:
    models.begin("feeder")
    again = Models(state)  # the process crashed, and another one starts
    again.begin("feeder")
    assert runs(again.line("feeder")) == "bundle-1"
    assert "did not end" in str(audit.read(state)[-1]["why"])
    again.begin("feeder")
    assert runs(again.passed("feeder")) == "bundle-1"


def test_a_cycle_without_data_says_nothing(models: Models, state: Path) -> None:
    models.begin("feeder")
    models.undecided("feeder")
    models.begin("feeder")
    assert models.line("feeder").trial_left == 3
    assert runs(models.line("feeder")) == "bundle-2"
    models.undecided("feeder")
    models.undecided("feeder")
    assert said(state) == ["install", "commit", "install"]


def test_a_first_bundle_that_fails_leaves_none(
    state: Path, store: TrustStore, release: Release
) -> None:
    install(state, release(1), store, How())
    models = Models(state)
    assert models.failed("feeder", "crash") == Line("feeder", None, None, 0)
    assert models.series() == ("feeder",)
    install(state, release(2), store, How(trial=0))
    assert runs(models.line("feeder")) == "bundle-2"


def test_the_stamp_tells_when_another_bundle_runs(
    models: Models, state: Path, store: TrustStore, release: Release
) -> None:
    seen = [models.stamp("feeder")]

    def changed() -> bool:
        seen.append(Models(state).stamp("feeder"))
        return seen[-1] not in seen[:-1]

    models.begin("feeder")
    assert not changed()
    models.passed("feeder")
    assert not changed()
    models.failed("feeder", "why")
    assert changed()
    install(state, release(3), store, How(trial=0))
    assert changed()
    for _ in range(4):  # back and forth between the same two bundles
        roll_back(state, "feeder", store, "why")
        assert changed()


def test_an_operator_goes_back_and_forth(state: Path, store: TrustStore, release: Release) -> None:
    for sequence in (1, 2):
        install(state, release(sequence), store, How(trial=0))
    models = Models(state)
    for runs_now, bad in (("bundle-1", "bundle-2"), ("bundle-2", "bundle-1")):
        roll_back(state, "feeder", store, "too high at noon", "Ada")
        assert runs(models.line("feeder")) == runs_now
        assert [one.id for one in slots.read(state, "feeder").rejected] == [bad]
    event = audit.read(state)[-1]
    assert (event["what"], event["id"], event["to"]) == ("rollback", "bundle-1", "bundle-2")
    assert (event["why"], event["by"]) == ("too high at noon", "Ada")


def test_an_operator_ends_a_trial(models: Models, state: Path, store: TrustStore) -> None:
    roll_back(state, "feeder", store, "why")
    line = models.line("feeder")
    assert (runs(line), line.previous) == ("bundle-1", None)
    with pytest.raises(InstallError, match="feeder: no bundle is kept from before bundle-1"):
        roll_back(state, "feeder", store, "why")


def test_a_series_that_is_not_there_cannot_go_back(
    models: Models, state: Path, store: TrustStore
) -> None:
    with pytest.raises(InstallError, match="roof: nothing is installed; there is feeder"):
        roll_back(state, "roof", store, "why")
    assert models.series() == ("feeder",)


def test_where_the_first_was_rolled_back_there_is_nothing_to_roll_back(
    state: Path, store: TrustStore, release: Release
) -> None:
    install(state, release(1), store, How(trial=3))
    roll_back(state, "feeder", store, "why")
    with pytest.raises(
        InstallError, match=r"^feeder: no bundle runs, and none is kept from before"
    ):
        roll_back(state, "feeder", store, "why")


def test_a_damaged_version_before_is_not_brought_back(
    state: Path, store: TrustStore, release: Release
) -> None:
    for sequence in (1, 2):
        install(state, release(sequence), store, How(trial=0))
    (state / "models" / "feeder" / "a" / "golden.json").write_bytes(b"{}")
    with pytest.raises(SignatureError, match=r"golden\.json: altered"):
        roll_back(state, "feeder", store, "why")
    assert runs(Models(state).line("feeder")) == "bundle-2"


def test_a_version_before_by_a_key_that_is_trusted_no_longer_is_not_brought_back(
    state: Path, store: TrustStore, release: Release
) -> None:
    for sequence in (1, 2):
        install(state, release(sequence), store, How(trial=0))
    nobody = TrustStore(store.place, ())
    with pytest.raises(SignatureError, match="expected a signature by a trusted key"):
        roll_back(state, "feeder", nobody, "why")
    assert runs(Models(state).line("feeder")) == "bundle-2"
    assert said(state)[-1] == "commit"


def test_rejections_are_bounded() -> None:
    record = slots.Record("feeder")
    for number in range(40):
        record = record.installed(slots.Entry("a", f"b{number}", number, "key"), trial=1)
        record = record.rolled_back("why")
    assert [one.sequence for one in record.rejected] == list(range(24, 40))
