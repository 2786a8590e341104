"""The demonstration, its days in no time."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from frugal_edge.gateway.issued import Issued
from frugal_edge.quality import Quality

from demo.__main__ import run
from demo.broker import Broker
from demo.feeder import DAY, HISTORY_DAYS, SERIES, STEP, UNIT, Feeder
from demo.spectator import Arrival
from demo.story import STORY, away, begins
from demo.summary import lines

THERE = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is not None


@pytest.mark.skipif(not THERE, reason="mosquitto is not installed: apt-get install mosquitto")
def test_forecasts_arrive_and_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "gateway.svg"
    outcome = run(tmp_path, days=4, seconds=0.0, svg=picture)
    qualities = [one.issued.quality.value for one in outcome.arrivals]
    assert qualities == ["model", "model", "model", "gap_filled", "model"]
    assert (outcome.issued, outcome.dropped) == (5, 0)
    assert outcome.up > sum(one.bytes for one in outcome.arrivals)
    out = capsys.readouterr().out
    assert "4 days: 5 forecasts issued, 5 arrived, 0 dropped" in out
    assert "▁" not in out  # quiet where nobody looks
    drawn = picture.read_text()
    assert "gap_filled" in drawn
    assert "cdn" not in drawn


def test_no_broker_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(SystemExit, match="mosquitto is not installed"):
        Broker(tmp_path / "broker")


@pytest.fixture(scope="module")
def feeder() -> Feeder:
    return Feeder.simulate(3)


def test_readings_and_weather_reach_as_far_as_they_must(feeder: Feeder) -> None:
    first = feeder.first
    assert len(feeder.readings(first - HISTORY_DAYS * DAY, first)) == HISTORY_DAYS * 48
    rows = feeder.readings(first, first + 3 * DAY) + feeder.forecast(first, first + 5 * DAY)
    numbers = [value for row in rows for value in row.values() if isinstance(value, float)]
    assert np.isfinite(numbers).all()


def test_only_values_that_lay_ahead_count(feeder: Feeder) -> None:
    came = feeder.came(np.arange(feeder.first, feeder.first + DAY, STEP))
    off = came.astype(np.float32) + np.float32(1)
    off[:10] += 100  # was over when it was issued
    issued = Issued(
        series_id=SERIES,
        unit=UNIT,
        step_s=STEP,
        horizon=48,
        origin=feeder.first,
        issued_at=feeder.first + 10 * STEP,
        quality=Quality.FALLBACK,
        model="seasonal",
        values=off,
    )
    (line,) = lines([Arrival(issued, 0.0, 0)], feeder, feeder.first + 20 * STEP)
    assert (line.quality, line.forecasts, line.values) == (Quality.FALLBACK, 1, 10)
    assert line.mae == pytest.approx(1.0, abs=1e-6)


def test_the_story_has_its_times() -> None:
    for one in STORY:
        assert begins(one.since) is one
        assert away(one.since, one.what) is away(one.until - 1, one.what) is one
        assert away(one.until, one.what) is away(one.since - 1, one.what) is None
        assert one.back >= one.until
