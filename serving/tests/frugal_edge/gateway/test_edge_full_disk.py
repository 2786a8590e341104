"""A disk that fills up under a gateway that runs: forecasts come, and all goes on after."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from frugal_edge.errors import StoreError
from frugal_edge.quality import Quality

ORIGIN, DAY = 1_717_192_800, 86400


def fill(path: Path) -> None:
    """Write until nothing fits any more."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(512)):
                pass
        except OSError:
            return


def test_forecasts_come_and_readings_are_refused_until_there_is_room(
    site: Any, small_disk: Path, readings_of_days: Callable[..., dict[int, float]]
) -> None:
    here = replace(site, state=small_disk / "state", opened=site.opened)
    here.install(site.bundle())
    gateway = here.open()
    here.feed(gateway, readings_of_days(3))
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.MODEL
    fill(small_disk / "others")
    here.now += DAY
    tomorrow = readings_of_days(1, end=ORIGIN + DAY)
    with pytest.raises(StoreError, match="full"):
        here.feed(gateway, tomorrow)
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.origin) == (Quality.FALLBACK, ORIGIN + DAY)
    assert gateway.body("feeder") == issued.as_json()
    (small_disk / "others").unlink()
    assert here.feed(gateway, tomorrow).accepted == len(tomorrow)
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.origin) == (Quality.MODEL, ORIGIN + DAY)
    gateway = here.open()  # a process after this one finds all
    assert gateway.stores.database.set_aside is None
    kept = gateway.stores.readings.table("feeder", ["value"], 0, 2**40)
    assert kept.columns["value"].tolist()[-48:] == list(tomorrow.values())
    assert gateway.body("feeder") == issued.as_json()
