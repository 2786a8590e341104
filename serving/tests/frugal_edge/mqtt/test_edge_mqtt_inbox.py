import json
import math
from pathlib import Path
from typing import Any

import pytest
from frugal_edge.clock import format_time
from frugal_edge.errors import StoreError
from frugal_edge.gateway.config import GatewayConfig, SeriesSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.mqtt.inbox import LARGEST, Inbox
from frugal_edge.mqtt.topics import Topics
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

START = 1_780_000_200
TOPIC = "frugal/gw/feeder/readings"
TIME = format_time(START)


class Door:
    """An inbox, and what became of what it took."""

    def __init__(self, state: Path) -> None:
        series = {"feeder": SeriesSettings(unit="MW", step_s=900, horizon=96)}
        config = GatewayConfig(name="gw", state=state, series=series)
        self.gateway = Gateway(config, lambda: START + 900)
        self.inbox = Inbox(self.gateway, Topics("frugal", "gw"))

    def take(self, payload: bytes | object, topic: str = TOPIC) -> None:
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.inbox.take(topic, content)

    def values(self) -> list[float]:
        readings = self.gateway.stores.readings
        table = readings.table("feeder", ["value"], 0, 2**40)
        return [] if table is None else table.columns["value"].tolist()

    def refusals(self) -> list[str]:
        return [one.reason for one in self.gateway.stores.quarantine.last(1000)]

    def refused(self) -> float:
        return self.gateway.stores.counters.get("observations_refused_total", source="mqtt")


@pytest.fixture
def door(tmp_path: Path) -> Any:
    door = Door(tmp_path)
    yield door
    door.gateway.close()


@pytest.fixture(scope="module")
def shared_door(tmp_path_factory: pytest.TempPathFactory) -> Any:
    door = Door(tmp_path_factory.mktemp("inbox"))
    yield door
    door.gateway.close()


def test_readings_are_stored_and_bytes_counted(door: Door) -> None:
    payload = json.dumps({"timestamp": TIME, "value": 4.5}).encode()
    door.take(payload)
    assert door.values() == [4.5]
    assert door.refusals() == []
    counters = door.gateway.stores.counters
    assert counters.get("downlink_bytes_total") == len(TOPIC) + len(payload)
    assert counters.get("observations_total", series="feeder", source="mqtt") == 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"timestamp": "\xff"}', "not valid JSON"),
        (b"\xff\xfe{\x00}\x00", "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"timestamp": "%s", "value": NaN}' % TIME.encode(), "NaN"),
        (b'{"timestamp": "%s", "value": Infinity}' % TIME.encode(), "Infinity"),
        (b'{"timestamp": "%s", "value": 1e999}' % TIME.encode(), "finite number"),
        (b'{"timestamp": "%s", "value": 1%s}' % (TIME.encode(), b"0" * 5000), "digits"),
        (b'{"timestamp": "%s", "value": 1, "value": 2}' % TIME.encode(), "repeated"),
        (b'{"timestamp": "%s", "value": true}' % TIME.encode(), "finite number"),
        (b"[" + b" " * LARGEST + b"]", "at most"),
        (b"null", "an object with a timestamp"),
        (b"[]", "at least one row"),
    ],
)
def test_what_is_no_reading_goes_to_quarantine(door: Door, payload: bytes, reason: str) -> None:
    door.take(payload)
    assert door.values() == []
    assert len(door.refusals()) == door.refused() == 1
    assert reason in door.refusals()[0]


def test_series_that_are_not_here_and_other_topics_go_to_quarantine(door: Door) -> None:
    door.take({"timestamp": TIME, "value": 1}, "frugal/gw/other/readings")
    door.take({"timestamp": TIME, "value": 1}, "frugal/gw/%FF/readings")
    assert door.refused() == 2
    assert any("no series 'other' here" in reason for reason in door.refusals())


def test_good_rows_of_a_message_are_kept(door: Door) -> None:
    door.take([{"timestamp": TIME, "value": 1}, {"timestamp": TIME, "value": "x"}])
    assert door.values() == [1.0]
    assert door.refused() == 1


def test_a_reading_that_cannot_be_stored_is_not_taken(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise StoreError("database or disk is full")

    monkeypatch.setattr(door.gateway.stores.readings, "put", full)
    with pytest.raises(StoreError):
        door.take({"timestamp": TIME, "value": 1})


numbers = st.one_of(st.integers(), st.floats(), st.just(10**400))
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
rows = st.fixed_dictionaries(
    {}, optional={"timestamp": st.just(TIME) | values, "value": values, "unit": values}
)
messages = st.one_of(
    st.binary(),
    st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.one_of(values, rows, st.lists(rows), st.fixed_dictionaries({"observations": values})).map(
        lambda content: json.dumps(content).encode("utf-8", "surrogatepass")
    ),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=messages, series=st.sampled_from(["feeder", "other", "%", "%FF", "a/b"]))
def test_no_payload_crashes(shared_door: Door, payload: bytes, series: str) -> None:
    before = shared_door.inbox.messages
    shared_door.take(payload, f"frugal/gw/{series}/readings")
    assert shared_door.inbox.messages == before + 1
    assert all(map(math.isfinite, shared_door.values()))
