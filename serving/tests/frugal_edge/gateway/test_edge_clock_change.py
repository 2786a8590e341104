"""Days of 23 and 25 hours: an origin at each local midnight, once, and no reading lost."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from frugal_edge.quality import Quality

STEP, QUARTER = 1800, 900
PARIS = ZoneInfo("Europe/Paris")


def created(manifest: dict[str, Any]) -> None:
    manifest["created"] = "2024-01-02T00:00:00Z"


def value(time: int) -> float:
    return 10.0 + time // STEP * 37 % 101 / 10


def midnight(month: int, day: int) -> int:
    return int(datetime(2024, month, day, tzinfo=PARIS).timestamp())


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 31, 23), (10, 27, 25)])
def test_each_local_midnight_is_forecast_once(site: Any, month: int, day: int, hours: int) -> None:
    """Readings carry local times with their offset; in October an hour comes twice."""
    site.install(site.bundle(edit=created))
    site.now = start = midnight(month, day - 4)
    gateway, issued, accepted = site.open(), [], 0
    end = midnight(month, day) + (hours + 24) * 3600
    while site.now <= end:
        last = int(site.now) - STEP
        if last % STEP == 0:
            local = datetime.fromtimestamp(last, PARIS).isoformat()
            accepted += gateway.observe(
                "feeder", {"timestamp": local, "value": value(last)}, "test"
            ).accepted
        issued += gateway.cycle()
        site.now += QUARTER
    assert accepted == (end - start) // STEP + 1
    good = [one for one in issued if one.quality is Quality.MODEL]
    change = midnight(month, day)
    assert [one.origin for one in good][-3:] == [change, change + hours * 3600, end]
    assert len({one.origin for one in good}) == len(good)
    for one in good:
        wanted = [value(one.origin - 48 * STEP + n * STEP) for n in range(48)]
        np.testing.assert_allclose(one.values, wanted, rtol=1e-6)
