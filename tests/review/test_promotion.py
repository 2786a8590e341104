"""Decisions taken and carried out in the registry, and bundles pulled after them."""

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frugal_edge.bundle import open_bundle
from frugal_edge.runtime import Forecaster
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import FEATURE_DISABLED
from mlflow.tracking import MlflowClient

from frugal_ai.errors import ReviewError, StaleEvidenceError, TrackingError, UnknownModelError
from frugal_ai.report import RunReport
from frugal_ai.review.promotion import decide, sentence
from frugal_ai.review.pull import pull, with_decisions
from frugal_ai.review.situation import Proposal, Situation, look
from frugal_ai.tracking import registry as registries
from frugal_ai.tracking.registry import open_registry
from frugal_ai.tracking.stages import Stage

Fixture = Any


def proposal(run_id: str, stage: Stage = "champion", **given: Any) -> Proposal:
    return Proposal(**{"run_id": run_id, "stage": stage, "by": "ada", "why": "good"} | given)


def aliases(store: Fixture, name: str = "load") -> dict[str, str]:
    found = MlflowClient(store.uri).get_registered_model(name).aliases
    return {alias: str(version) for alias, version in found.items()}


def worse(make_rungs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Rungs of which the chosen one is worse than the seasonal naive."""
    return tuple(
        rung.model_copy(update={"skill": -0.2, "skill_ci": (-0.3, -0.1)}) if rung.chosen else rung
        for rung in make_rungs
    )


@pytest.fixture
def failing(store: Fixture) -> str:
    """Log a run whose chosen model fails a gate."""
    report = RunReport.read(store.runs / "first")
    run_id: str = store.log("failing", rungs=worse(report.rungs))
    return run_id


def test_a_champion_retires_the_former_one(store: Fixture) -> None:
    assert aliases(store) == {"candidate": "1"}
    first = decide(store.uri, store.record, proposal("first"))
    assert (first.models, first.replaces, first.failed_gates) == ({"load": "1"}, {}, ())
    assert aliases(store) == {"champion": "1"}
    store.log("second")
    assert aliases(store) == {"champion": "1", "candidate": "2"}
    second = decide(store.uri, store.record, proposal("second"))
    assert second.replaces == {"load": "1"}
    assert aliases(store) == {"champion": "2", "retired": "1"}
    client = MlflowClient(store.uri)
    stages = {v.version: v.tags["frugal.stage"] for v in client.search_model_versions()}
    assert {str(version): stage for version, stage in stages.items()} == {
        "1": "retired", "2": "champion",
    }  # fmt: skip
    assert [one.number for one in store.record.history("first")] == [1, 2]
    back = decide(store.uri, store.record, proposal("first"))
    assert back.replaces == {"load": "2"}
    assert aliases(store) == {"champion": "1", "retired": "2"}


def test_a_rejected_model_is_no_candidate_any_more(store: Fixture) -> None:
    decide(store.uri, store.record, proposal("first", "rejected"))
    assert aliases(store) == {}
    decide(store.uri, store.record, proposal("first", "candidate"))
    assert aliases(store) == {"candidate": "1"}
    decide(store.uri, store.record, proposal("first", "retired"))
    assert aliases(store) == {"retired": "1"}


def test_the_champion_is_not_rejected_and_nothing_is_recorded(store: Fixture) -> None:
    decide(store.uri, store.record, proposal("first"))
    with pytest.raises(ReviewError, match="is the champion"):
        decide(store.uri, store.record, proposal("first", "rejected"))
    assert len(store.record.all()) == 1


def test_a_model_that_is_not_registered_yet_is_registered(store: Fixture) -> None:
    client = MlflowClient(store.uri)
    client.delete_registered_model("load")
    decision = decide(store.uri, store.record, proposal("first"))
    assert decision.models == {"load": "1"}
    version = client.get_model_version_by_alias("load", "champion")
    assert version.tags["frugal.bundle"] == "load-basis_ridge-feeder_load"
    assert Path(client.download_artifacts(version.run_id, "model/MLmodel")).is_file()


def test_each_series_has_its_champion(store: Fixture) -> None:
    store.log("two", bundles=("bundle/north", "bundle/south"))
    decision = decide(store.uri, store.record, proposal("two"))
    assert decision.models == {"load-north": "1", "load-south": "1"}
    assert aliases(store, "load-south") == {"champion": "1"}


def test_failed_gates_need_an_override_that_stays(
    store: Fixture, failing: str, tmp_path: Path
) -> None:
    told = "skill -0.300 to -0.100 on the test: worse than the seasonal naive"
    with pytest.raises(ReviewError, match=f"gates failed: {told}: expected an override"):
        decide(store.uri, store.record, proposal(failing))
    assert store.record.all() == ()
    decision = decide(store.uri, store.record, proposal(failing, override=True))
    assert decision.failed_gates == (told,)
    assert f"OVERRIDING FAILED GATES: {told}" in sentence(decision)
    decide(store.uri, store.record, proposal("first"))
    bundle, _, decisions = pull(store.uri, "retired/load", tmp_path)
    assert [one.number for one in decisions] == [1, 2]
    card = bundle.content["MODEL_CARD.md"].decode()
    assert r"> **Gates overridden** in decision 1 by ada: skill \-0.300" in card


def test_failed_gates_stop_no_rejection(store: Fixture, failing: str) -> None:
    decision = decide(store.uri, store.record, proposal(failing, "rejected"))
    assert decision.failed_gates == ()


def test_an_override_where_nothing_failed_is_not_told(store: Fixture) -> None:
    assert decide(store.uri, store.record, proposal("first", override=True)).failed_gates == ()


def test_decisions_are_on_what_is_there(store: Fixture) -> None:
    seen = look(store.uri, "first").evidence.digest
    run = look(store.uri, "first").run.mlflow_run_id
    MlflowClient(store.uri).log_metric(run, "mae", 0.5)
    assert look(store.uri, "first").evidence.digest != seen
    with pytest.raises(StaleEvidenceError):
        decide(store.uri, store.record, proposal("first", evidence=seen))
    now = look(store.uri, "first").evidence.digest
    assert decide(store.uri, store.record, proposal("first", evidence=now)).evidence == now


def test_a_database_and_mlflow_say_the_same_of_a_run(store: Fixture) -> None:
    store.log("two", bundles=("bundle/north", "bundle/south"))
    with open_registry(store.uri, writing=False) as registry:
        for run_id in ("first", "two"):
            assert Situation.of(registry.run(run_id)) == look(store.uri, run_id)


@pytest.mark.parametrize("file", ["model.onnx", "golden.json", "MODEL_CARD.md"])
def test_a_bundle_that_was_tampered_with_is_not_decided_on(store: Fixture, file: str) -> None:
    path = next(store.runs.glob(f"mlartifacts/**/artifacts/bundle/{file}"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ReviewError, match="a gateway would refuse it"):
        decide(store.uri, store.record, proposal("first"))
    assert store.record.all() == ()


def test_an_interrupted_run_has_nothing_to_decide_on(store: Fixture) -> None:
    report = RunReport.read(store.runs / "first")
    rungs = tuple(rung.model_copy(update={"chosen": False}) for rung in report.rungs)
    store.log("none", chosen=None, rungs=rungs, bundles=())
    with pytest.raises(ReviewError, match="has none to decide on"):
        decide(store.uri, store.record, proposal("none"))


@pytest.mark.parametrize("run_id", ["nothing", "", "a' or '1'='1", "../first", "x" * 500])
@pytest.mark.parametrize("through", ["database", "mlflow"])
def test_a_run_that_is_not_there(store: Fixture, run_id: str, through: str) -> None:
    def ask() -> object:
        if through == "database":
            return look(store.uri, run_id)
        return decide(store.uri, store.record, proposal(run_id))

    with pytest.raises(UnknownModelError, match="has no finished run"):
        ask()


def test_where_there_is_no_store_none_is_made(store: Fixture, tmp_path: Path) -> None:
    for call in (
        lambda: look(f"sqlite:///{tmp_path}/no.db", "first"),
        lambda: decide(f"sqlite:///{tmp_path}/no.db", store.record, proposal("first")),
        lambda: pull(f"sqlite:///{tmp_path}/no.db", "champion/load", tmp_path),
    ):
        with pytest.raises(TrackingError, match="no run has been logged there"):
            call()
    assert not (tmp_path / "no.db").exists()


def test_a_store_without_a_registry(store: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def disabled(*_: object) -> None:
        raise MlflowException("Model registry functionality is unavailable", FEATURE_DISABLED)

    monkeypatch.setattr(MlflowClient, "search_model_versions", disabled)
    with pytest.raises(TrackingError, match="has no registry of models"):
        decide(store.uri, store.record, proposal("first"))
    assert store.record.all() == ()


def test_what_is_recorded_stays_when_the_registry_fails_and_is_done_again(
    store: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise TrackingError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(registries.Registry, "set_stage", broken)
        with pytest.raises(TrackingError, match=r"decision 1 is recorded.*disk full; decide once"):
            decide(store.uri, store.record, proposal("first"))
    assert len(store.record.all()) == 1
    assert aliases(store) == {"candidate": "1"}
    decide(store.uri, store.record, proposal("first"))
    assert aliases(store) == {"champion": "1"}


def test_two_who_decide_at_once_lose_nothing_and_agree_on_the_champion(store: Fixture) -> None:
    store.log("second")
    failed: list[Exception] = []

    def approve(run_id: str, by: str) -> None:
        try:
            decide(store.uri, store.record, proposal(run_id, by=by))
        except (ReviewError, TrackingError) as error:
            failed.append(error)

    threads = [
        threading.Thread(target=approve, args=one) for one in (("first", "ada"), ("second", "bob"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    first, last = store.record.all()
    assert {first.by, last.by} == {"ada", "bob"}
    assert last.replaces == first.models
    assert aliases(store) == {"champion": last.models["load"], "retired": first.models["load"]}


# What is pulled.


def test_a_pulled_bundle_says_who_approved_it_and_a_gateway_takes_it(
    store: Fixture, tmp_path: Path
) -> None:
    decision = decide(store.uri, store.record, proposal("first", why="a | <b>\nsecond line"))
    bundle, version, decisions = pull(store.uri, "champion/load", tmp_path)
    assert (version.shown, decisions) == ("load/1", [decision])
    Forecaster(bundle).self_test()
    original = open_bundle(store.runs / "first" / "bundle")
    assert bundle.manifest.id == original.manifest.id
    for name in ("model.onnx", "golden.json", "fallback.json"):
        assert bundle.content[name] == original.content[name]
    card = bundle.content["MODEL_CARD.md"].decode()
    assert card.startswith("# Model card\n\n## Decisions\n\n| no. |")
    line = f"| 1 | {decision.at:%Y-%m-%d %H:%M} UTC | ada | load/1 champion "
    assert f"{line}| a \\| &lt;b&gt; / second line | {decision.evidence[:12]} |\n" in card


def test_a_card_has_one_section_of_decisions(store: Fixture) -> None:
    once = with_decisions("# Card\n", [])
    assert once.endswith("## Decisions\n\nNone: nobody has approved this model.\n")
    assert with_decisions(once, []) == once


def test_a_candidate_is_pulled_as_what_nobody_approved(store: Fixture, tmp_path: Path) -> None:
    bundle, _, decisions = pull(store.uri, "candidate/load", tmp_path)
    assert decisions == []
    assert "nobody has approved this model" in bundle.content["MODEL_CARD.md"].decode()


def test_a_champion_that_no_decision_made_is_not_pulled(store: Fixture, tmp_path: Path) -> None:
    MlflowClient(store.uri).set_registered_model_alias("load", "champion", "1")
    with pytest.raises(ReviewError, match="expected a decision that made it so"):
        pull(store.uri, "champion/load", tmp_path)
    decide(store.uri, store.record, proposal("first", "retired"))
    MlflowClient(store.uri).set_registered_model_alias("load", "champion", "1")
    with pytest.raises(ReviewError, match="expected a decision that made it so"):
        pull(store.uri, "champion/load", tmp_path)


def test_a_bundle_that_was_swapped_after_the_decision_is_not_pulled(
    store: Fixture, tmp_path: Path
) -> None:
    decide(store.uri, store.record, proposal("first"))
    folder = next(store.runs.glob("mlartifacts/**/artifacts/bundle"))
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "MODEL_CARD.md").write_text("# Another\n")
    content = (folder / "MODEL_CARD.md").read_bytes()
    manifest["files"]["MODEL_CARD.md"] = {
        "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content),
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ReviewError, match="it was changed after the decision"):
        pull(store.uri, "champion/load", tmp_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("champion/nope", "no model 'nope' is registered; there are: load"),
        ("champion/load", "there is no such version; aliases of load: candidate/load"),
        ("load/9", "there is no such version; aliases of load: candidate/load"),
        ("load", "expected champion, candidate, retired and a name, such as champion/load"),
        ("production/load", "expected champion, candidate, retired and a name"),
        ("champion/../load", "expected champion, candidate, retired and a name"),
        ("champion/", "expected champion, candidate, retired and a name"),
    ],
)
def test_what_is_not_there_to_pull(store: Fixture, tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UnknownModelError, match=told):
        pull(store.uri, name, tmp_path)


def test_a_version_of_somebody_else_is_not_pulled(
    store: Fixture, tmp_path: Path, make_run: Callable[..., Path]
) -> None:
    client = MlflowClient(store.uri)
    run = client.create_run(client.create_experiment("other"))
    client.create_registered_model("other")
    client.create_model_version("other", f"{run.info.artifact_uri}/model", run.info.run_id)
    with pytest.raises(UnknownModelError, match="other/1 was not registered by frugal-ai"):
        pull(store.uri, "other/1", tmp_path)
