import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frugal_ai.backtest.compare import Interval, difference_interval, resample_origins
from frugal_ai.backtest.metrics import OriginErrors
from frugal_ai.errors import DataError, PipelineError
from frugal_ai.selection.candidate import Candidate
from frugal_ai.selection.verdicts import verdicts

RESAMPLES = resample_origins(56, 300, 7, seed=0)
DAYS = 1 + 0.2 * np.random.default_rng(0).random(56)  # hard and easy days, for all rungs


def rung(
    name: str, level: float, co2e_g: float, noise: float = 0.0, spread: float = 0.0
) -> Candidate:
    own = np.random.default_rng(len(name)).normal(size=56)
    means = level * DAYS + noise * (own - own.mean())
    errors = OriginErrors(means[None], np.full((1, 56), 48, dtype=np.int64))
    return Candidate(name, errors, co2e_g, spread)


def words(candidates: list[Candidate]) -> dict[str, tuple[str, str | None]]:
    found = verdicts(candidates, RESAMPLES)
    assert [verdict.rung for verdict in found] == [candidate.rung for candidate in candidates]
    return {verdict.rung: (verdict.verdict, verdict.over) for verdict in found}


def test_a_ladder_is_judged_step_by_step() -> None:
    assert words(
        [
            rung("persistence", 100, 1),
            rung("seasonal", 110, 1.5),
            rung("ridge", 80, 5),
            rung("noisy_ridge", 79.9, 10, noise=20),
            rung("boosting", 70, 50),
            rung("twice_as_dear", 70, 100),
        ]
    ) == {
        "persistence": ("baseline", None),
        "seasonal": ("dominated", "persistence"),
        "ridge": ("worth it", "persistence"),
        "noisy_ridge": ("not proven", "ridge"),
        "boosting": ("worth it", "ridge"),
        "twice_as_dear": ("dominated", "boosting"),
    }


def test_gains_are_relative_reductions_of_the_error() -> None:
    low, high = rung("low", 80, 5), rung("high", 100, 1)
    baseline, better = verdicts([high, low], RESAMPLES)
    assert baseline.gain is None
    assert better.gain == difference_interval(high.errors, low.errors, RESAMPLES)
    assert better.gain is not None
    assert better.gain.value == pytest.approx(0.2)


def test_the_order_given_does_not_matter() -> None:
    candidates = [rung("a", 70, 50), rung("bb", 100, 1), rung("ccc", 80, 5)]
    assert words(candidates) == words(candidates[::-1]) == words(candidates[1:] + candidates[:1])


def test_a_dearer_first_rung_can_be_dominated_by_the_baseline() -> None:
    assert words([rung("dear", 100, 9), rung("cheap", 100, 1)]) == {
        "dear": ("dominated", "cheap"),
        "cheap": ("baseline", None),
    }


def test_costs_too_close_to_tell_apart_count_as_equal() -> None:
    assert words([rung("a", 100, 10, spread=0.1), rung("bb", 90, 11, spread=0.1)]) == {
        "a": ("dominated", "bb"),
        "bb": ("baseline", None),
    }
    assert words([rung("a", 100, 10, spread=0.01), rung("bb", 90, 11, spread=0.01)]) == {
        "a": ("baseline", None),
        "bb": ("worth it", "a"),
    }


def test_a_single_rung_is_the_baseline() -> None:
    assert words([rung("ridge", 80, 5)]) == {"ridge": ("baseline", None)}


def test_of_equal_rungs_the_first_is_the_baseline() -> None:
    assert words([rung("a", 80, 5), rung("bb", 80, 5), rung("ccc", 80, 5)]) == {
        "a": ("baseline", None),
        "bb": ("dominated", "a"),
        "ccc": ("dominated", "a"),
    }
    assert verdicts([rung("a", 80, 5), rung("bb", 80, 5)], RESAMPLES)[1].gain == Interval(0, 0, 0)


def test_too_few_origins_prove_nothing() -> None:
    count = np.full((1, 5), 48, dtype=np.int64)
    candidates = [
        Candidate("cheap", OriginErrors(np.full((1, 5), 9.0), count), 1.0),
        Candidate("dear", OriginErrors(np.full((1, 5), 1.0), count), 2.0),
    ]
    found = verdicts(candidates, resample_origins(5, 100, 2, seed=0))
    assert [verdict.verdict for verdict in found] == ["baseline", "not proven"]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1.0, 1.05, 2.0, 10.0]), st.sampled_from([70.0, 80.0, 80.5, 100.0])
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([0.0, 0.1]),
)
def test_there_is_one_baseline_and_no_dominated_rung_is_needed(
    points: list[tuple[float, float]], spread: float
) -> None:
    candidates = [
        rung(f"r{index}", error, cost, noise=2.0, spread=spread)
        for index, (cost, error) in enumerate(points)
    ]
    by_name = {candidate.rung: candidate for candidate in candidates}
    found = verdicts(candidates, RESAMPLES)
    assert [verdict.verdict for verdict in found].count("baseline") == 1
    for verdict in found:
        one = by_name[verdict.rung]
        if verdict.over is None or verdict.gain is None:
            assert verdict.verdict == "baseline"
            continue
        other = by_name[verdict.over]
        assert other.co2e_g <= one.co2e_g * (1 + 2 * spread)
        assert (verdict.verdict == "dominated") == (other.mae <= one.mae)
        assert (verdict.verdict == "worth it") == (one.mae < other.mae and verdict.gain.low > 0)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(PipelineError, match="got none"):
        verdicts([], RESAMPLES)
    other_days = OriginErrors(np.ones((1, 55)), np.full((1, 55), 48, dtype=np.int64))
    with pytest.raises(DataError, match="same targets"):
        verdicts([rung("a", 80, 5), Candidate("b", other_days, 9.0)], RESAMPLES)
