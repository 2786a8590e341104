"""The climb of the ladder: rung after rung, but not what cannot be expected to be worth it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from frugal_ai.accounts import Account
from frugal_ai.backtest.compare import difference_interval, draw_resamples, mean_error
from frugal_ai.backtest.evaluate import Task, evaluate, try_out
from frugal_ai.backtest.metrics import OriginErrors, origin_errors
from frugal_ai.backtest.origins import IntArray
from frugal_ai.backtest.split import thinned, training_origins_of, trials
from frugal_ai.cost.context import Cost
from frugal_ai.data.panel import FloatArray
from frugal_ai.errors import ParityError, PipelineError, RungError
from frugal_ai.export.model import check_parity, to_onnx
from frugal_ai.features.graph import FeatureGraph
from frugal_ai.judge import Climbed
from frugal_ai.ladder.rung import Rung
from frugal_ai.pipeline import Pipeline
from frugal_ai.prepare import Prepared, task
from frugal_ai.report import NotRun
from frugal_ai.selection.climbing import LEAST_ORIGINS, Expectation
from frugal_ai.size import size_of
from frugal_ai.tuning import Tuned, tune

_SHARES = (4, 2, 1)  # of the weeks, by the levels of a search

Open = Callable[[str], Account]
Why = Literal["gain", "unsupported", "parity"]


@dataclass
class Climb:
    """A climb under way: what is climbed, what was not run, and what trials found.

    Parameters
    ----------
    pipeline, prepared
        What is climbed, with what.
    account
        Opens the account of a rung.
    tell
        Hears which rung turned out not to be possible, and why.
    """

    pipeline: Pipeline
    prepared: Prepared
    account: Open
    tell: Callable[[str], None]
    climbed: list[Climbed] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)
    _tried: dict[tuple[str, int], OriginErrors] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._task = task(self.pipeline, self.prepared)

    def step(self, rung: Rung) -> None:
        """Run a rung, or say why not.

        Raises
        ------
        DataError
            If the data cannot be forecast from at all.
        """
        account = self.account(rung.name)
        if reason := self.prepared.left_out.get(rung.name):
            self.not_run.append(
                NotRun(rung=rung.name, family=rung.family, why="unsupported", reason=reason)
            )
            return  # it was told when the data were checked
        try:
            account.size = size_of(self.pipeline, rung, self.prepared.grids[0], self.prepared.split)
            if expected := self._not_worth_it(rung, account):
                self._leave_out(rung, account, "gain", str(expected), **_figures(expected))
            else:
                self.climbed.append(self._run(rung, account))
        except ParityError as error:
            self._leave_out(rung, account, "parity", str(error))
        except (RungError, PipelineError) as error:
            self._leave_out(rung, account, "unsupported", str(error))

    def require_some(self) -> None:
        """Refuse a climb in which every rung was left out.

        Raises
        ------
        RungError
            With the reason of the first.
        """
        if not self.climbed and self.not_run:
            first = self.not_run[0]
            raise RungError(f"no rung is left; {first.rung}: {first.reason}")

    def _leave_out(
        self, rung: Rung, account: Account, why: Why, reason: str, **figures: Any
    ) -> None:
        spent = account.spent
        left = NotRun(
            rung=rung.name, family=rung.family, why=why, reason=reason,
            spent_cpu_s=spent.cpu_s, spent_co2e_g=spent.co2e_g, **figures,
        )  # fmt: skip
        self.not_run.append(left)
        if why != "gain":
            self.tell(f"rung {rung.name} is left out: {reason}")

    def _run(self, rung: Rung, account: Account) -> Climbed:
        tuned = self._tuned(rung, account)
        evaluation = evaluate(tuned.rung, self._task, account)
        exported = account.export(lambda: tuple(to_onnx(model) for model in evaluation.models))
        test, all_series = self.prepared.split.test, self.prepared.series
        for series, model, graph, native, drift in zip(
            all_series, evaluation.models, exported, evaluation.test_forecasts,
            evaluation.test_drift, strict=True,
        ):  # fmt: skip
            windows = series.windows(test, model.graph.reach)
            mean = float(np.nanmean(np.abs(series.panel.values[series.index])))
            account.replay(partial(check_parity, graph, windows, native, mean, drift))
        reach = evaluation.models[0].graph.reach
        cost = account.close(exported[0].forecaster(all_series[0].windows(test[:1], reach)))
        return Climbed(tuned.rung, evaluation, exported, cost, int(time.time()), tuned.bill)

    def _tuned(self, rung: Rung, account: Account) -> Tuned:
        if rung.tune is None:
            return Tuned(rung)
        most = max(1, self._training_origins(rung) // LEAST_ORIGINS)
        shares = [share for share in _SHARES if share <= most]

        def attempt(one: Rung, share: int) -> tuple[float, Cost]:
            part = replace(self._part(share), levels=())  # a search heeds the point forecast
            work = partial(try_out, one, part)
            forecast, cost = account.attempt(work, "a trial of the search")
            return mean_error(origin_errors(forecast, _actual(part))), cost

        return tune(rung, rung.tune, shares, self.pipeline.seed, attempt)

    def _not_worth_it(self, rung: Rung, account: Account) -> Expectation | None:
        """Try a rung of trees cheaply; return what is expected of it where that is too little.

        Of the others a trial costs about as much as the rung.
        """
        rule = self.pipeline.climbing
        learnt = any(one.rung.family != "naive" for one in self.climbed)
        asked_for = self.pipeline.climb == "full" or rung.tune is not None
        if asked_for or rung.family != "boosting" or not learnt:
            return None
        n_origins = self._training_origins(rung)
        share = rule.part_of(n_origins)
        if share == 1:
            return None
        best = min(self.climbed, key=self._validation_mae).rung
        part = self._part(share)
        before = account.spent
        mine = self._errors(rung, share, account)
        trial = account.spent
        over = self._errors(best, share, account)
        times = self._learnt(rung, self._task) / self._learnt(rung, part)
        draws = draw_resamples(
            part.split.validation, self.pipeline.selection.resamples, self.pipeline.seed
        )
        expected = Expectation(
            rung=rung.name,
            gain=difference_interval(over, mine, draws, self.pipeline.selection.level),
            over=best.name,
            origins=len(part.split.validation),
            cpu_s=(trial.cpu_s - before.cpu_s) * times,
            co2e_g=(trial.co2e_g - before.co2e_g) * times,
        )
        return None if expected.worth_it(rule) else expected

    def _errors(self, rung: Rung, share: int, account: Account) -> OriginErrors:
        """Return the errors of a rung on a part of the task, from a trial the first time."""
        key = (rung.name, share)
        if key not in self._tried:
            part = self._part(share)
            forecast, _ = account.attempt(partial(try_out, rung, part), f"a trial of {rung.name}")
            self._tried[key] = origin_errors(forecast, _actual(part))
        return self._tried[key]

    def _part(self, share: int) -> Task:
        if share == 1:
            return self._task
        return replace(self._task, split=thinned(self._task.split, share))

    def _validation_mae(self, one: Climbed) -> float:
        return mean_error(origin_errors(one.evaluation.validation, _actual(self._task)))

    def _training_origins(self, rung: Rung) -> int:
        """Count what a final fit learns from, in the series with the least."""
        return min(len(origins) for origins in self._origins(rung, self._task))

    def _origins(self, rung: Rung, of: Task) -> list[IntArray]:
        found = []
        for series, grid in zip(of.series, of.grids, strict=True):
            graph = FeatureGraph(rung.blocks(of.recipe), grid)
            found.append(training_origins_of(series, graph, of.split))
        return found

    def _learnt(self, rung: Rung, of: Task) -> int:
        """Count the origins that all models of a task learn from, final ones in full tasks only."""
        origins, horizon_s = self._origins(rung, of), self.pipeline.steps * self.pipeline.step_s
        fits = [*trials(of.split)]
        total = sum(int(trial.learns(one, horizon_s).sum()) for trial in fits for one in origins)
        return total + (sum(len(one) for one in origins) if of is self._task else 0)


def _figures(expected: Expectation) -> dict[str, Any]:
    gain = expected.gain
    return {
        "gain": gain.value,
        "gain_ci": (gain.low, gain.high),
        "over": expected.over,
        "origins": expected.origins,
        "expected_cpu_s": expected.cpu_s,
        "expected_co2e_g": expected.co2e_g,
    }


def _actual(of: Task) -> FloatArray:
    return np.stack([series.targets(of.split.validation) for series in of.series])
