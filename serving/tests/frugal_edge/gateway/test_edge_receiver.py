import json
from collections.abc import Callable
from typing import Any

import pytest
from frugal_edge import cli
from frugal_edge.errors import InputError, StoreError
from frugal_edge.gateway.config import SeriesSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.store.readings import Readings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ORIGIN, STEP = 1_717_192_800, 1800
SERIES = {"feeder": SeriesSettings("MW", STEP, 4, 0.0, 50.0)}

Site = Any  # of conftest.py
GOOD = {"timestamp": "2024-05-31T21:30:00Z", "value": 12}
json_values = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def kept(gateway: Gateway) -> list[tuple[str, str, str]]:
    return [(one.series, one.reason, one.content) for one in gateway.stores.quarantine.last(5000)]


def test_good_rows_are_stored_and_bad_ones_quarantined(site: Site) -> None:
    gateway = site.open(series=SERIES)
    receipt = gateway.observe("feeder", [GOOD, {**GOOD, "value": 1e6}, 5], "mqtt")
    assert (receipt.accepted, receipt.changed) == (1, True)
    assert [index for index, _ in receipt.refused] == [1, 2]
    assert gateway.stores.readings.newest("feeder") == ORIGIN - STEP
    first, second = reversed(kept(gateway))
    assert first == ("feeder", receipt.refused[0][1], repr({**GOOD, "value": 1e6}))
    assert second == ("feeder", "expected an object with a timestamp, got 5", "5")
    assert gateway.stores.counters.get("observations_refused_total", source="mqtt") == 2


def test_the_same_again_changes_nothing(site: Site) -> None:
    gateway = site.open(series=SERIES)
    assert gateway.observe("feeder", GOOD, "http").changed
    again = gateway.observe("feeder", GOOD, "http")
    assert (again.accepted, again.changed) == (1, False)


def test_a_message_without_rows_is_refused_whole(site: Site) -> None:
    gateway = site.open(series=SERIES)
    with pytest.raises(InputError, match="at least one row"):
        gateway.observe("feeder", [], "http")
    assert kept(gateway) == [
        ("feeder", "observations: expected a list with at least one row, got []", "[]")
    ]


def test_a_series_that_is_not_here_is_refused_whatever_its_name(site: Site) -> None:
    gateway = site.open(series=SERIES)
    for name in ("other", "x" * 10_000, "a\nb\x00", "\ud800"):
        with pytest.raises(InputError, match="no series"):
            gateway.observe(name, GOOD, "http")
        series, reason, _ = kept(gateway)[0]
        assert series.isprintable()
        assert len(series) < 80
        assert reason == f"no series {series} here"


def test_of_a_flood_of_bad_rows_a_hundred_are_kept_and_one_line_is_logged(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = site.open(series=SERIES)
    capsys.readouterr()
    receipt = gateway.observe("feeder", [{"n": n} for n in range(20_000)], "http")
    assert len(receipt.refused) == 20_000
    assert len(kept(gateway)) == 100
    assert kept(gateway)[0][2] == "{'n': 19999}"
    assert capsys.readouterr().err.count("\n") == 1
    assert gateway.stores.counters.get("observations_refused_total", source="http") == 20_000


def test_what_was_refused_is_kept_up_to_a_length(site: Site) -> None:
    gateway = site.open(series=SERIES)
    gateway.observe("feeder", [{**GOOD, "value": "x" * 10_000}], "http")
    ((_, reason, content),) = kept(gateway)
    assert len(reason) < 200
    assert len(content) == 503


@pytest.mark.parametrize("depth", [500, 5000, 100_000])
def test_a_message_that_is_nested_deeply_is_refused(site: Site, depth: int) -> None:
    gateway = site.open(series=SERIES)
    payload: Any = 1
    for _ in range(depth):
        payload = [payload]
    receipt = gateway.observe("feeder", [{**GOOD, "value": payload}], "http")
    assert "expected a finite number or null" in receipt.refused[0][1]
    while isinstance(payload, list):  # or its end would be recursive
        payload = payload[0]


def test_when_nothing_can_be_stored_the_sender_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = site.open(series=SERIES)

    def full(*_: object) -> int:
        raise StoreError("gateway.db: database or disk is full")

    monkeypatch.setattr(Readings, "put", full)
    with pytest.raises(StoreError, match="disk is full"):
        gateway.observe("feeder", GOOD, "http")
    monkeypatch.undo()
    assert gateway.observe("feeder", GOOD, "http").accepted == 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(json_values | st.dictionaries(st.text(), json_values), max_size=4), st.text())
def test_whatever_arrives_is_stored_or_quarantined(site: Site, payload: object, name: str) -> None:
    gateway = site.opened[0] if site.opened else site.open(series=SERIES)
    for series in ("feeder", name):
        try:
            receipt = gateway.observe(series, payload, "http")
        except InputError:
            continue
        assert receipt.accepted + len(receipt.refused) >= 1


def test_readings_of_one_series_leave_the_others_alone(
    site: Site, readings_of_days: Callable[..., dict[int, float]]
) -> None:
    gateway = site.open(series={**SERIES, "other": SeriesSettings("MW", STEP, 4)})
    site.feed(gateway, readings_of_days(2), series="other")
    gateway.cycle()
    assert gateway.cycle() == []
    site.feed(gateway, {ORIGIN - STEP: 99.0}, series="other")
    assert [one.series_id for one in gateway.cycle()] == []  # no better than the fallback it was


def test_an_operator_is_shown_what_was_refused(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["quarantine", "--state", str(site.state)]
    assert cli.main(asked) == 0
    assert "nothing was refused" in capsys.readouterr().out
    assert not site.state.exists()  # looking makes nothing
    gateway = site.open(series=SERIES)
    assert cli.main(asked) == 0
    assert "nothing was refused" in capsys.readouterr().out
    gateway.observe("feeder", [5, {**GOOD, "value": 1e6}], "mqtt")
    capsys.readouterr()
    assert cli.main([*asked, "--last", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2024-05-31T22:01:00Z  mqtt  feeder  value: 1e+06 is beyond the limits")
    assert cli.main([*asked, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["content"] for row in rows] == [repr({**GOOD, "value": 1e6}), "5"]
