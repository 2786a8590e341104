from datetime import timedelta
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Gt, MinLen
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from frugal_ai.settings import Duration, Settings, describe, format_duration


class Example(Settings):
    step: Duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("30min", 1800), ("1h", 3600), ("7d", 604800), ("45s", 45), ("0d", 0)]
)
def test_durations_are_read_and_written(text: str, seconds: int) -> None:
    example = Example.model_validate({"step": text})
    assert example.step == timedelta(seconds=seconds)
    assert format_duration(example.step) == text
    assert example.model_dump_json() == f'{{"step":"{text}"}}'


@given(st.integers(0, 10**8))
def test_what_is_written_reads_back(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert Example.model_validate({"step": format_duration(span)}).step == span


@pytest.mark.parametrize("given", ["daily", "1.5h", "-1h", "", 30, None, "30 min"])
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="expected a duration such as 30min, 1h or 7d"):
        Example.model_validate({"step": given})


def test_settings_are_frozen_and_closed() -> None:
    example = Example.model_validate({"step": "1h"})
    with pytest.raises(ValidationError, match="frozen"):
        example.step = timedelta(0)
    with pytest.raises(ValidationError, match="Extra inputs"):
        Example.model_validate({"step": "1h", "stepp": "1h"})


class Spot(Settings):
    north: float
    height: str | Annotated[float, Gt(0)] | None = None


class Several(Settings):
    spots: Annotated[tuple[Spot, ...], MinLen(1)] | Literal["all"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"spots": [{"north": 1}, {}]}, ["spots[1].north: expected, but it is missing"]),
        ({"spots": [{"nort": 1, "north": 1}]}, ["spots[0].nort: unknown key"]),
        (
            {"spots": [{"north": 1, "height": 0}]},
            [
                "spots[0].height: Input should be a valid string, got 0",
                "spots[0].height: Input should be greater than 0, got 0",
            ],
        ),
        (
            {"spots": "some"},
            [
                "spots: Input should be a valid tuple, got 'some'",
                "spots: Input should be 'all', got 'some'",
            ],
        ),
        ({}, ["spots: expected, but it is missing"]),
    ],
)
def test_of_several_types_the_likeliest_is_told(given: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Several.model_validate(given)
    assert describe(caught.value) == "; ".join(said)
    assert describe(caught.value, ("places[3]",)).startswith("places[3].spots")
