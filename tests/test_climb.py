"""What is climbed, what is not run and what that cost, on the simulated feeder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frugal_ai import climb as climbing
from frugal_ai.check import check_pipeline
from frugal_ai.cost.ledger_file import read_ledger
from frugal_ai.errors import FrugalError, ParityError, RungError
from frugal_ai.export.model import check_parity
from frugal_ai.ladder.boosting import Boosting
from frugal_ai.ladder.ridge import Ridge
from frugal_ai.ladder.rung import Fitted, Rows
from frugal_ai.pipeline import read_pipeline
from frugal_ai.report import RunReport
from frugal_ai.run import Order, run
from frugal_ai.terminal import Terminal, summary_json

WriteSmall = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("store_beside")

# one tree says nothing
NAIVE: list[Any] = [
    {"rung": "seasonal_naive", "season": "1d"},
    {"rung": "seasonal_naive", "season": "7d"},
]
POOR: dict[str, Any] = {"rung": "boosting", "label": "poor", "trees": 1, "leaves": 2}
GOOD: dict[str, Any] = {"rung": "basis_ridge", "label": "good"}
LONG: dict[str, Any] = {
    "source": {"name": "sample", "first": "2022-01-01", "last": "2023-05-10"},
    "rungs": [*NAIVE, "ridge", POOR, GOOD],
    "periods": {
        "train": "2022-01-01T00:00:00Z",
        "validation": {"first": "2023-03-01", "last": "2023-03-28"},
        "test": {"first": "2023-04-01", "last": "2023-04-28"},
    },
}


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []

    def tell(self, sentence: str) -> None:
        self.said.append(sentence)

    def step(self, what: str, done: int, total: int) -> None:
        """Hear of progress."""

    def climb(self, rung: str, done: int, total: int) -> None:
        pass


def climb(path: Path, out: Path, heard: Heard | None = None) -> RunReport:
    order = Order(path, out, {}, f"sqlite:///{out.parent / 'mlflow.db'}")
    return run(read_pipeline(path), order, heard or Heard())


def test_a_rung_without_an_expected_gain_is_not_run_and_its_trial_is_on_the_bill(
    write_small: WriteSmall, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    report = climb(write_small(**LONG), out)
    names = ["seasonal_naive_1d", "seasonal_naive_7d", "ridge", "good"]
    assert [rung.rung for rung in report.rungs] == names
    (left,) = report.not_run
    assert (left.rung, left.family, left.why) == ("poor", "boosting", "gain")
    assert left.over == "ridge"
    assert left.gain_ci is not None
    assert left.gain is not None
    assert left.gain_ci[0] <= left.gain <= left.gain_ci[1] < 0.01
    assert left.origins == 14  # every second one
    booked = read_ledger(out / "ledger.jsonl")
    assert not any("trial" in one.note for one in booked if one.rung == "good")  # it is linear
    lines = [one for one in booked if one.rung == "poor"]
    assert {one.stage for one in lines} == {"tuning"}
    assert [one.note for one in lines] == ["a trial of poor", "a trial of ridge"]
    assert left.spent_cpu_s == pytest.approx(sum(one.cpu_time_s for one in lines))
    assert left.spent_co2e_g == pytest.approx(1000 * sum(one.emissions for one in lines))
    # in full it learns from all weeks, once for the choice and once more
    assert left.expected_cpu_s is not None
    assert lines[0].cpu_time_s * 3.5 < left.expected_cpu_s < lines[0].cpu_time_s * 4.7

    Terminal().print_run(report, out)
    printed = capsys.readouterr().out
    assert f"not run: poor, {left.reason}\n" in printed
    assert left.reason.startswith("expected gain -")
    assert json.loads(summary_json(report, out))["not_run"] == [left.model_dump(mode="json")]
    card = (out / report.bundles[0] / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"- poor: {left.reason}\n" in card


def test_full_runs_everything(write_small: WriteSmall, tmp_path: Path) -> None:
    report = climb(write_small(**LONG, climb="full"), tmp_path / "out")
    assert [rung.rung for rung in report.rungs][2:] == ["ridge", "poor", "good"]
    assert report.not_run == ()
    lines = read_ledger(tmp_path / "out" / "ledger.jsonl")
    assert not any("trial" in one.note for one in lines)


def test_a_rung_with_a_search_is_run_whatever_its_declared_settings_promise(
    write_small: WriteSmall, tmp_path: Path
) -> None:
    searched = POOR | {"tune": {"trials": 1, "budget_cpu_s": 5}}
    path = write_small(**LONG | {"rungs": [NAIVE[1], "ridge", searched]})
    report = climb(path, tmp_path / "out")
    assert [rung.rung for rung in report.rungs] == ["seasonal_naive_7d", "ridge", "poor"]
    assert report.not_run == ()


def test_a_short_history_is_climbed_without_trials(write_small: WriteSmall, tmp_path: Path) -> None:
    report = climb(write_small(rungs=[NAIVE[0], "ridge", POOR]), tmp_path / "out")
    assert [rung.rung for rung in report.rungs] == ["seasonal_naive_1d", "ridge", "poor"]


def test_a_tuned_rung_bears_its_search(write_small: WriteSmall, tmp_path: Path) -> None:
    searched = {"rung": "boosting", "trees": 5, "tune": {"trials": 3, "budget_cpu_s": 1.5}}
    path = write_small(rungs=[*NAIVE, searched], climb="full")
    report = climb(path, tmp_path / "out")
    rung = report.rungs[-1]
    lines = [
        one for one in read_ledger(tmp_path / "out" / "ledger.jsonl") if one.rung == "boosting"
    ]
    search = [one for one in lines if "search" in one.note]
    assert rung.tuning is not None
    assert rung.tuning.trials == len(search) > 1
    assert {one.stage for one in search} == {"tuning"}
    assert rung.tuning.cpu_s == pytest.approx(sum(one.cpu_time_s for one in search))
    assert rung.co2e_g == pytest.approx(
        1000 * sum(one.emissions for one in lines if one.stage not in {"inference", "deployment"})
    )
    assert isinstance(rung.params["trees"], int)
    assert rung.params["trees"] > 5  # five trees are too few, and every proposal has a hundred


def test_a_rung_that_history_does_not_support_is_left_out_with_the_reason(
    write_small: WriteSmall, tmp_path: Path
) -> None:
    periods = LONG["periods"] | {"train": "2023-02-21T00:00:00Z"}
    path = write_small(rungs=[NAIVE[0], "ridge"], periods=periods)
    heard = Heard()
    report = climb(path, tmp_path / "out", heard)
    assert [rung.rung for rung in report.rungs] == ["seasonal_naive_1d"]
    (left,) = report.not_run
    assert (left.rung, left.why, left.spent_cpu_s) == ("ridge", "unsupported", 0)
    assert "expected a training origin of ridge" in left.reason
    assert heard.said.count(f"rung ridge is left out: {left.reason}") == 1
    facts = dict(check_pipeline(path, {}, lambda _: None).facts)
    assert facts["rung ridge"] == f"would be left out: {left.reason}"


def refuse(self: Ridge, rows: Rows) -> Fitted:
    raise RungError("ridge: expected more")


def test_a_rung_that_cannot_be_fitted_is_left_out(
    write_small: WriteSmall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ridge, "fit", refuse)
    heard = Heard()
    report = climb(write_small(rungs=[NAIVE[0], "ridge"]), tmp_path / "out", heard)
    assert report.chosen == "seasonal_naive_1d"
    (left,) = report.not_run
    assert (left.why, left.reason) == ("unsupported", "ridge: expected more")
    assert left.spent_cpu_s > 0  # its features are on the bill
    assert heard.said.count("rung ridge is left out: ridge: expected more") == 1


def test_a_run_fails_where_no_rung_is_left(
    write_small: WriteSmall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ridge, "fit", refuse)
    with pytest.raises(FrugalError, match=r"^no rung is left; ridge: ridge: expected more$"):
        climb(write_small(rungs=["ridge"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_rung_whose_export_disagrees_is_left_out(
    write_small: WriteSmall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disagree(model: Any, *others: Any) -> float:
        if len(model.content) > 20_000:  # of trees
            raise ParityError("parity: 1 MW apart")
        return check_parity(model, *others)

    monkeypatch.setattr(climbing, "check_parity", disagree)
    rungs = [NAIVE[0], {"rung": "boosting", "trees": 50}]
    report = climb(write_small(rungs=rungs), tmp_path / "out")
    (left,) = report.not_run
    assert (left.rung, left.why, left.reason) == (
        Boosting(trees=50).name,
        "parity",
        "parity: 1 MW apart",
    )
    assert report.chosen == "seasonal_naive_1d"
