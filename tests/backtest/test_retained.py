import numpy as np
import pytest

from frugal_ai.backtest.compare import Interval, resample_origins, retained_interval, skill_interval
from frugal_ai.backtest.metrics import FloatArray, OriginErrors
from frugal_ai.errors import DataError

DRAWS = resample_origins(90, 400, 7, seed=3)


def errors_of(means: FloatArray) -> OriginErrors:
    means = np.atleast_2d(means)
    return OriginErrors(24 * means, np.full(means.shape, 24, dtype=np.int64))


def kept(student: FloatArray, teacher: FloatArray, naive: FloatArray) -> Interval:
    return retained_interval(errors_of(student), errors_of(teacher), errors_of(naive), DRAWS)


def days(seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).gamma(4, 1, 90)


def test_it_is_the_ratio_of_two_skills() -> None:
    naive, teacher, student = 2.0 * days(), days(1) * 0.6, days(1) * 0.7
    found = kept(student, teacher, naive)
    skills = [
        skill_interval(errors_of(one), errors_of(naive), DRAWS).value for one in (student, teacher)
    ]
    assert found.value == pytest.approx(skills[0] / skills[1])
    assert found.low < found.value < found.high


def test_the_teacher_itself_keeps_everything_for_sure() -> None:
    teacher, naive = errors_of(days(1)), errors_of(3.0 * days())
    found = retained_interval(teacher, teacher, naive, DRAWS)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_pairing_makes_it_far_surer_than_the_skills_are() -> None:
    naive, teacher = 2.0 * days(), days(1)
    student = teacher + 0.02
    share = kept(student, teacher, naive)
    skill = skill_interval(errors_of(student), errors_of(naive), DRAWS)
    assert share.high - share.low < 0.2 * (skill.high - skill.low)


def test_a_teacher_without_skill_has_nothing_to_keep() -> None:
    with pytest.raises(DataError, match="expected a teacher with less error than the baseline"):
        kept(days(), days(1) + 9.0, days(2))


def test_all_three_are_scored_on_the_same_targets() -> None:
    short = OriginErrors(np.ones((1, 90)), np.full((1, 90), 23, dtype=np.int64))
    with pytest.raises(DataError, match="scored on the same targets"):
        retained_interval(errors_of(days()), short, errors_of(3 * days()), DRAWS)
