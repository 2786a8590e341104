from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from frugal_ai.data.policy import QualityPolicy


def test_the_defaults_refuse_what_cannot_be_put_right() -> None:
    policy = QualityPolicy()
    assert (policy.duplicates, policy.unsorted, policy.outside) == ("refuse", "sort", "refuse")
    assert policy.max_gap == timedelta(hours=6)
    assert policy.flatline == timedelta(days=7)


def test_durations_are_written_as_a_user_does() -> None:
    assert QualityPolicy.model_validate({"max_gap": "90min"}).max_gap == timedelta(minutes=90)
    assert QualityPolicy().model_dump()["max_gap"] == "6h"


@pytest.mark.parametrize(
    "settings",
    [
        {"max_gap": "long"},
        {"max_gaps": "1h"},
        {"fill": "spline"},
        {"duplicates": "last"},
        {"jump": 1.0},
        {"minimum": 2.0, "maximum": 1.0},
        {"minimum": float("nan")},
    ],
)
def test_a_policy_that_is_none(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        QualityPolicy.model_validate(settings)
