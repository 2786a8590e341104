"""Models that are installed, on trial, altered or broken, as a running gateway meets them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from frugal_edge.errors import ForecastError, InstallError
from frugal_edge.gateway.config import ForecastSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.install import floors, slots
from frugal_edge.install.models import Models
from frugal_edge.install.rollback import roll_back
from frugal_edge.quality import Quality
from frugal_edge.runtime import Forecaster
from frugal_edge.trust.keys import TrustStore

ORIGIN, DAY, STEP = 1_717_192_800, 86400, 1800

Site = Any  # of conftest.py
Days = Callable[..., dict[int, float]]


def fails(monkeypatch: pytest.MonkeyPatch, model: str, error: BaseException) -> None:
    """Let the forecasts of one model end with an error."""
    real = Forecaster.forecast

    def forecast(self: Forecaster, *inputs: Any) -> Any:
        if self.manifest.id == model:
            raise error
        return real(self, *inputs)

    monkeypatch.setattr(Forecaster, "forecast", forecast)


def next_day(site: Site, gateway: Gateway, readings_of_days: Days) -> Any:
    site.now += DAY
    site.feed(gateway, readings_of_days(1, end=int(site.now) - 60))
    (issued,) = gateway.cycle()
    return issued


def counted(gateway: Gateway, result: str) -> float:
    return gateway.stores.counters.get("updates_total", result=result)


def test_a_model_that_passes_its_trial_is_committed(site: Site, readings_of_days: Days) -> None:
    gateway = site.open()
    model = site.install(site.bundle(), trial=3)
    gateway.cycle()  # takes it up; until then the series was not known
    site.feed(gateway, readings_of_days(3))
    for left in (3, 2, 1):
        assert Models(site.state).line("feeder").trial_left == left
        assert counted(gateway, "committed") == 0
        gateway.cycle()
    assert Models(site.state).line("feeder").trial_left == 0
    assert counted(gateway, "committed") == 1
    assert floors.read(site.state)
    assert json.loads(gateway.body("feeder") or b"")["model"] == model


def test_a_trial_without_readings_says_nothing_on_the_model(
    site: Site, readings_of_days: Days
) -> None:
    site.install(site.bundle(), trial=2)
    gateway = site.open()
    for _ in range(5):
        gateway.cycle()
    assert Models(site.state).line("feeder").trial_left == 2
    site.feed(gateway, readings_of_days(3))
    gateway.cycle()
    gateway.cycle()
    assert Models(site.state).line("feeder").trial_left == 0


def test_a_model_that_fails_its_trial_gives_way_to_the_one_before(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    gateway.cycle()
    bad = site.install(site.bundle(), trial=3)
    fails(monkeypatch, bad, ForecastError("no usable number"))
    issued = next_day(site, gateway, readings_of_days)
    assert (issued.quality, issued.model) == (Quality.MODEL, old)  # in the same look
    assert counted(gateway, "rolled_back") == 1
    assert "no usable number" in (site.state / "audit.jsonl").read_text()
    assert slots.read(site.state, "feeder").rejected[-1].id == bad


def test_the_first_model_that_fails_its_trial_leaves_the_fallback(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = site.install(site.bundle(), trial=3)
    fails(monkeypatch, bad, ForecastError("no usable number"))
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    assert gateway.cycle()[0].quality is Quality.FALLBACK
    issued = next_day(site, gateway, readings_of_days)
    assert issued.quality is Quality.FALLBACK
    assert issued.warnings == ("no model is installed",)


def test_a_committed_model_that_fails_stays(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    fails(monkeypatch, model, ForecastError("out of memory"))
    assert gateway.cycle()[0].warnings[0] == "out of memory"
    monkeypatch.undo()
    issued = next_day(site, gateway, readings_of_days)
    assert (issued.quality, issued.model) == (Quality.MODEL, model)
    assert counted(gateway, "rolled_back") == 0


def test_a_slow_model_fails_its_trial(site: Site, readings_of_days: Days) -> None:
    old = site.install(site.bundle())
    site.install(site.bundle(), trial=3)
    gateway = site.open(forecast=ForecastSettings(slowest_s=0.0))
    site.feed(gateway, readings_of_days(3))
    gateway.cycle()
    assert "more than 0 s" in (site.state / "audit.jsonl").read_text()
    assert next_day(site, gateway, readings_of_days).model == old


def test_a_model_that_brings_the_process_down_is_rolled_back_at_the_next_start(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    bad = site.install(site.bundle(), trial=3)
    fails(monkeypatch, bad, SystemExit(139))  # stands for a signal
    with pytest.raises(SystemExit):
        gateway.cycle()
    gateway = site.open()
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.model) == (Quality.MODEL, old)
    assert "began and did not end" in (site.state / "audit.jsonl").read_text()


def test_what_another_process_installs_is_taken_up_by_the_next_look(
    site: Site, readings_of_days: Days
) -> None:
    site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    gateway.cycle()
    new = site.install(site.bundle())
    assert gateway.cycle() == []  # the forecast of today stands
    assert gateway.installed.loaded["feeder"].forecaster.manifest.id == new
    assert next_day(site, gateway, readings_of_days).model == new


@pytest.mark.parametrize("name", ["model.onnx", "golden.json", "manifest.json", "model.sig"])
def test_a_bundle_that_was_altered_on_disk_does_not_run(
    site: Site, readings_of_days: Days, name: str
) -> None:
    site.install(site.bundle())
    line = Models(site.state).line("feeder")
    assert line.current is not None
    path = line.current / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    gateway = site.open()
    assert "feeder" not in gateway.installed.loaded
    assert name in gateway.installed.broken["feeder"]


def test_a_bundle_whose_key_is_trusted_no_longer_does_not_run(
    site: Site, readings_of_days: Days
) -> None:
    site.install(site.bundle())
    for path in (site.state / "trust").glob("*.pub"):
        path.unlink()
    gateway = site.open()
    assert "no key is trusted" in gateway.installed.broken["feeder"]


def test_a_broken_model_leaves_the_fallback_with_the_reason(
    site: Site, readings_of_days: Days
) -> None:
    site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    line = Models(site.state).line("feeder")
    assert line.current is not None
    with slots.changing(site.state, "feeder") as record:
        assert record.current is not None
        slots.write(site.state, record.installed(record.current, 0))  # changed, so read anew
    (line.current / "model.onnx").write_bytes(b"nonsense")
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.FALLBACK
    assert "model.onnx" in issued.warnings[0]


def test_a_state_that_cannot_be_read_leaves_what_runs(site: Site, readings_of_days: Days) -> None:
    model = site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    (slots.line_folder(site.state, "feeder") / slots.NAME).write_text("{")
    (issued,) = gateway.cycle()
    assert (issued.quality, issued.model) == (Quality.MODEL, model)


def test_a_trial_that_cannot_be_recorded_is_not_begun(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(site.bundle(), trial=3)
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))

    def full(*_: object) -> None:
        raise InstallError("slots.json: cannot be written: No space left on device")

    monkeypatch.setattr(Models, "begin", full)
    (issued,) = gateway.cycle()
    assert issued.quality is Quality.FALLBACK
    assert "No space left on device" in issued.warnings[0]
    monkeypatch.undo()
    assert gateway.cycle()[0].quality is Quality.MODEL


def test_a_verdict_that_cannot_be_recorded_costs_no_forecast(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(site.bundle(), trial=3)
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))

    def full(*_: object) -> None:
        raise InstallError("slots.json: cannot be written: No space left on device")

    monkeypatch.setattr(Models, "passed", full)
    assert gateway.cycle()[0].quality is Quality.MODEL


def test_readings_in_the_unit_of_the_bundle_before_are_not_used(
    site: Site, readings_of_days: Days, capsys: pytest.CaptureFixture[str]
) -> None:
    site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    (first,) = gateway.cycle()
    assert (first.unit, first.quality) == ("MW", Quality.MODEL)

    def in_kw(manifest: dict[str, Any]) -> None:
        manifest["unit"] = "kW"
        manifest["bounds"]["history"] = [0, 1e6]

    kw = site.install(site.bundle(edit=in_kw))
    site.now += DAY
    (blind,) = gateway.cycle()
    assert (blind.unit, blind.quality) == ("kW", Quality.UNAVAILABLE)
    assert '"event": "unit_changed"' in capsys.readouterr().err
    thousands = {
        time: 1000 * value for time, value in readings_of_days(3, end=int(site.now) - 60).items()
    }
    assert site.feed(gateway, thousands).accepted == len(thousands)
    (issued,) = gateway.cycle()
    assert (issued.model, issued.quality) == (kw, Quality.MODEL)
    assert min(issued.values) > 1000
    roll_back(site.state, "feeder", TrustStore.read(site.state / "trust"), "by hand", "test")
    site.now += DAY
    (stand_in,) = gateway.cycle()  # with the readings of then, and none of the last two days
    assert (stand_in.unit, stand_in.quality) == ("MW", Quality.FALLBACK)
    assert max(stand_in.values) < 1000
    site.feed(gateway, readings_of_days(3, end=int(site.now) - 60))
    (back,) = gateway.cycle()
    assert (back.unit, back.quality) == ("MW", Quality.MODEL)


def test_a_trial_in_another_unit_that_fails_leaves_the_readings_of_the_one_before(
    site: Site, readings_of_days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = site.install(site.bundle())
    gateway = site.open()
    site.feed(gateway, readings_of_days(3))
    gateway.cycle()
    new = site.install(site.bundle(edit=lambda manifest: manifest.update(unit="kW")), trial=3)
    fails(monkeypatch, new, ForecastError("no"))
    site.now += DAY
    gateway.cycle()
    site.feed(gateway, readings_of_days(3, end=int(site.now) - 60, offset=1000.0))
    (issued,) = gateway.cycle()  # the new one is asked, fails, and makes way
    assert (issued.unit, issued.quality) == ("MW", Quality.FALLBACK)
    assert max(issued.values) < 1000
    site.feed(gateway, readings_of_days(1, end=int(site.now) - 60))
    (issued,) = gateway.cycle()
    assert (issued.model, issued.unit, issued.quality) == (old, "MW", Quality.MODEL)
