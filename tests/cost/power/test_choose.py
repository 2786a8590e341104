from pathlib import Path

import pytest
from pydantic import ValidationError

from frugal_ai.cost.power.choose import PowerSettings, Source, Way, choose, ways_of
from frugal_ai.cost.replay import ReplayGauge
from frugal_ai.errors import CostError


def there() -> ReplayGauge:
    return ReplayGauge()


def absent() -> ReplayGauge:
    raise CostError("not there")


def ways(**opened: tuple[bool, bool]) -> dict[Source, Way]:
    """Whether each is there, and whether it can be expected to be."""
    names: tuple[Source, ...] = ("http", "file", "rapl", "pmic")
    return {n: Way(there if opened[n][0] else absent, opened[n][1]) for n in names if n in opened}


def test_best_that_is_there() -> None:
    told: list[str] = []
    found = choose(PowerSettings(), ways(rapl=(False, False), pmic=(True, True)), told.append)
    assert found is not None
    assert told == []


def test_nothing_there_is_the_model_and_nothing_to_tell() -> None:
    told: list[str] = []
    assert choose(PowerSettings(), ways(rapl=(False, False)), told.append) is None
    assert told == []


def test_source_that_can_be_expected_is_told_when_it_fails() -> None:
    told: list[str] = []
    assert choose(PowerSettings(), ways(rapl=(False, True)), told.append) is None
    assert told == ["power is not measured by rapl: not there"]


def test_meter_that_was_named_stops_where_that_is_asked_for() -> None:
    settings = PowerSettings(url="http://127.0.0.1/", on_failure="stop")
    with pytest.raises(CostError, match="not there"):
        choose(settings, ways(http=(False, True), rapl=(True, True)), print)


def test_source_that_was_asked_for_must_be_there() -> None:
    with pytest.raises(CostError, match="not there"):
        choose(PowerSettings(source="rapl"), ways(rapl=(False, True)), print)
    found = choose(PowerSettings(source="pmic"), ways(rapl=(True, True), pmic=(True, True)), print)
    assert found is not None


def test_cpu_time_opens_nothing() -> None:
    assert choose(PowerSettings(source="cpu_time"), ways(rapl=(True, True)), print) is None


def test_ways_best_first(tmp_path: Path) -> None:
    settings = PowerSettings(url="http://127.0.0.1:9/", file=Path("meter.csv"))
    assert list(ways_of(settings, tmp_path)) == ["http", "file", "rapl", "pmic"]
    with pytest.raises(CostError, match=str(tmp_path / "meter.csv")):
        ways_of(settings, tmp_path)["file"].open()
    with pytest.raises(CostError, match=r"127\.0\.0\.1:9"):
        ways_of(settings, tmp_path)["http"].open()
    assert list(ways_of(PowerSettings(), tmp_path)) == ["rapl", "pmic"]


@pytest.mark.parametrize(
    "settings",
    [{"source": "file"}, {"source": "http"}, {"url": "ftp://x"}, {"source": "sun"}, {"watts": 3}],
)
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PowerSettings.model_validate(settings)
