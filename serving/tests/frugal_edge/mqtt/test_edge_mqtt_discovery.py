import json

import pytest
from frugal_edge.gateway.target import Target
from frugal_edge.mqtt.discovery import configurations
from frugal_edge.mqtt.topics import Topics
from frugal_edge.quality import Quality


def found(series_id: str = "feeder", unit: str = "MW", gateway: str = "gw") -> dict[str, bytes]:
    target = Target(series_id=series_id, unit=unit, step_s=1800, horizon=48)
    return configurations("homeassistant", gateway, Topics("frugal", gateway), target)


def test_value_and_quality_have_what_home_assistant_asks_for() -> None:
    content = {topic: json.loads(payload) for topic, payload in found().items()}
    value = content["homeassistant/sensor/gw/feeder_forecast/config"]
    quality = content["homeassistant/sensor/gw/feeder_quality/config"]
    assert len(content) == 2
    for one in (value, quality):
        assert one["state_topic"] == "frugal/gw/feeder/forecast"
        assert one["availability_topic"] == "frugal/gw/status"
        assert (one["payload_available"], one["payload_not_available"]) == ("online", "offline")
        assert one["device"]["identifiers"] == ["frugal_gw"]
        assert one["device"]["name"] == "gw"
        assert one["origin"]["name"] == "frugal-edge"
        assert one["expire_after"] == 86400
        assert "value_json" in one["value_template"]
    assert value["unit_of_measurement"] == "MW"
    assert (value["device_class"], value["state_class"]) == ("power", "measurement")
    assert value["json_attributes_topic"] == value["state_topic"]
    assert quality["options"] == [one.value for one in Quality]
    assert value["unique_id"] != quality["unique_id"]


@pytest.mark.parametrize(
    ("unit", "device_class", "state_class"),
    [("kWh", "energy", None), ("W", "power", "measurement"), ("m/s", None, "measurement")],
)
def test_classes_fit_the_unit(unit: str, device_class: str | None, state_class: str | None) -> None:
    value = json.loads(found(unit=unit)["homeassistant/sensor/gw/feeder_forecast/config"])
    assert (value.get("device_class"), value.get("state_class")) == (device_class, state_class)


def test_identifiers_are_allowed_ones_and_never_shared() -> None:
    names = ["a/b", "a+b", "a#b", "a_b", "a.b", "é"]
    topics = [topic for name in names for topic in found(name, gateway="gw.1")]
    assert len(set(topics)) == 2 * len(names)
    for topic in topics:
        for level in topic.split("/"):
            assert all(c.isascii() and (c.isalnum() or c in "_-") for c in level)
