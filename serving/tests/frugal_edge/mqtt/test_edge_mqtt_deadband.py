from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from frugal_edge.gateway.issued import Issued
from frugal_edge.mqtt.deadband import band, is_news
from frugal_edge.quality import Quality

STEP = 900
LAST = Issued(
    series_id="feeder",
    unit="MW",
    step_s=STEP,
    horizon=8,
    origin=0,
    issued_at=0,
    quality=Quality.MODEL,
    model="m",
    values=np.arange(8, dtype=np.float32),
    levels=(0.5,),
    quantiles=np.arange(8, dtype=np.float32)[:, None],
)


def after(steps: int, **changes: Any) -> Issued:
    """Forecast the same values of the same intervals some steps later."""
    values = np.arange(steps, 8 + steps, dtype=np.float32)
    same = replace(LAST, origin=steps * STEP, values=values, quantiles=values[:, None])
    return replace(same, **changes)


@pytest.mark.parametrize("steps", range(5))
def test_the_same_again_is_no_news_for_half_a_horizon(steps: int) -> None:
    assert not is_news(after(steps), LAST, 0.5)


@pytest.mark.parametrize("steps", [-1, 5, 8, 100])
def test_a_forecast_that_reaches_farther_is_news(steps: int) -> None:
    assert is_news(after(steps), LAST, 0.5)


@pytest.mark.parametrize(("move", "news"), [(0.4, False), (0.5, False), (0.6, True), (-0.6, True)])
@pytest.mark.parametrize("what", ["values", "quantiles"])
def test_a_move_beyond_the_band_is_news(what: str, move: float, news: bool) -> None:
    new = after(2)
    moved = getattr(new, what).copy()
    moved[5] += move
    assert is_news(replace(new, **{what: moved}), LAST, 0.5) is news


def test_moves_of_intervals_that_the_last_one_did_not_cover_are_no_news() -> None:
    new = after(2)
    new.values[6:] += 100
    assert not is_news(new, LAST, 0.5)


@pytest.mark.parametrize(
    "changes",
    [
        {"quality": Quality.FALLBACK},
        {"model": "n"},
        {"unit": "kW"},
        {"levels": (0.9,)},
        {"quantiles": None},
        {"origin": 1},
        {"values": np.arange(7, dtype=np.float32)},
    ],
)
def test_a_change_of_kind_is_news(changes: dict[str, Any]) -> None:
    assert is_news(after(0, **changes), LAST, 100.0)


def test_the_first_one_and_one_of_unknown_range_are_news() -> None:
    assert is_news(LAST, None, 0.5)
    assert is_news(LAST, LAST, None)


def test_unavailable_is_told_once_in_half_a_horizon() -> None:
    empty = np.empty(0, np.float32)
    none = replace(
        LAST, quality=Quality.UNAVAILABLE, model=None, values=empty, levels=(), quantiles=None
    )
    assert not is_news(replace(none, origin=4 * STEP), none, 0.5)
    assert is_news(replace(none, origin=5 * STEP), none, 0.5)


def test_drift_in_small_moves_adds_up_to_news() -> None:
    sent, count = LAST, 0
    for step in range(1, 5):  # each 0.3 higher than the one before, 0.5 allowed
        new = after(step)
        new = replace(new, values=new.values + np.float32(0.3 * step), quantiles=LAST.quantiles)
        new = replace(new, quantiles=after(step).quantiles)
        if is_news(new, sent, 0.5):
            sent, count = new, count + 1
        at = int((new.origin - sent.origin) / STEP)
        assert np.abs(new.values[: 8 - at] - sent.values[at:]).max() <= 0.5
    assert count == 2


def test_the_band_is_a_share_of_the_range_in_training() -> None:
    # a range of 0 to 10 in training stands as -5 to 15 in the manifest
    assert band(0.05, (-5.0, 15.0), (-500.0, 500.0)) == 0.5
    assert band(0.05, None, (0.0, 10.0)) == 0.5
    assert band(0.05, None, (0.0, float("inf"))) is None
    assert band(0.05, None, None) is None
