from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from frugal_ai.settings import Duration, Settings, format_duration


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
