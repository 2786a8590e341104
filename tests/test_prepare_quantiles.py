"""Levels that the validation origins cannot support are refused before anything is trained."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frugal_ai.check import check_pipeline
from frugal_ai.data.panel import Panel
from frugal_ai.data.sources.sample import Source
from frugal_ai.errors import PipelineError

WriteSmall = Callable[..., Path]
VALIDATION = {"first": "2023-03-01", "last": "2023-03-28"}  # 28 origins
TEST = {"first": "2023-04-01", "last": "2023-04-28"}


def check(path: Path) -> None:
    check_pipeline(path, {}, lambda _: None)


def periods(small: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return dict(small["periods"]) | changes


def test_too_few_origins_for_a_level_are_refused(write_small: WriteSmall) -> None:
    said = (
        "feeder_load: quantiles: expected at least 39 validation origins with an observation at "
        "each lead time for the level 0.025, got 28 at step 0; declare more"
    )
    with pytest.raises(PipelineError, match=f"^{said}"):
        check(write_small(quantiles=[0.025, 0.5]))


def test_origins_at_each_local_time_must_be_enough(
    write_small: WriteSmall, small_settings: dict[str, Any]
) -> None:
    at = {"at": ["00:00", "12:00"], "every": "4d"}
    declared = periods(small_settings, validation=VALIDATION | at, test=TEST | at)
    with pytest.raises(PipelineError, match=r"at least 9 .* got 7 at step 0 of origins at 00:00;"):
        check(write_small(periods=declared))
    at["every"] = "3d"
    check(write_small(periods=periods(small_settings, validation=VALIDATION | at, test=TEST | at)))


def test_missing_observations_do_not_count(
    write_small: WriteSmall, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Source.load

    def holed(self: Source, request: Any) -> Panel:
        panel = load(self, request)
        values = panel.values.copy()
        first = panel.index(1_677_625_200)  # 2023-02-28T23:00:00Z, the first validation origin
        for day in range(20):
            values[0, first + 48 * day + 5] = np.nan
        return replace(panel, values=values)

    monkeypatch.setattr(Source, "load", holed)
    with pytest.raises(PipelineError, match=r"at least 9 .* got 8 at step 5;"):
        check(write_small())


def test_without_levels_nothing_is_asked_for(
    write_small: WriteSmall, small_settings: dict[str, Any]
) -> None:
    few = periods(small_settings, validation=VALIDATION | {"last": "2023-03-02"})
    with pytest.raises(PipelineError, match=r"at least 9 .* got 2"):
        check(write_small(periods=few))
    check(write_small(periods=few, quantiles=[]))
    check(write_small(periods=few, quantiles=[0.5]))
