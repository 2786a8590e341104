"""Home Assistant finds the forecasts by itself: one retained configuration for each entity."""

import hashlib
import json
import re
from collections.abc import Mapping

from frugal_edge import __version__
from frugal_edge.gateway.target import Target
from frugal_edge.mqtt.topics import OFFLINE, ONLINE, Topics
from frugal_edge.quality import Quality

_POWER = {"mW", "W", "kW", "MW", "GW", "TW"}
_ENERGY = {"Wh", "kWh", "MWh", "GWh", "TWh"}
_OTHER = re.compile(r"[^A-Za-z0-9_-]")


def configurations(first: str, gateway: str, topics: Topics, target: Target) -> dict[str, bytes]:
    """Describe the entities of a series: the value of the next interval, and its quality.

    See https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery.

    Parameters
    ----------
    first
        First level of discovery topics.
    gateway
        Name of the gateway.
    topics
        Of the gateway.
    target
        The series.

    Returns
    -------
    dict[str, bytes]
        Payload by topic.
    """
    node, series = _identifier(gateway), _identifier(target.series_id)
    source = topics.forecast(target.series_id)
    shared = {
        "state_topic": source,
        "qos": 1,
        "expire_after": target.horizon_s,  # no interval of it is still to come
        "availability_topic": topics.status,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "device": {
            "identifiers": [f"frugal_{node}"],
            "name": gateway,
            "manufacturer": "frugal-ai",
            "model": "frugal-edge",
            "sw_version": __version__,
        },
        "origin": {"name": "frugal-edge", "sw_version": __version__},
    }
    entities = {
        "forecast": {"name": f"{target.series_id} forecast", **_value(source, target), **shared},
        "quality": {"name": f"{target.series_id} quality", **_quality(), **shared},
    }
    return {
        f"{first}/sensor/{node}/{series}_{what}/config": json.dumps(
            {"unique_id": f"frugal_{node}_{series}_{what}", **content}, ensure_ascii=False
        ).encode()
        for what, content in entities.items()
    }


def _value(source: str, target: Target) -> Mapping[str, object]:
    kind: dict[str, object] = {}
    if target.unit in _POWER | _ENERGY:
        kind["device_class"] = "power" if target.unit in _POWER else "energy"
    if target.unit not in _ENERGY:
        kind["state_class"] = "measurement"
    return {
        **kind,
        "unit_of_measurement": target.unit,
        "value_template": "{{ value_json['values'][0] if value_json['values'] else None }}",
        "json_attributes_topic": source,
    }


def _quality() -> Mapping[str, object]:
    return {
        "device_class": "enum",
        "options": [one.value for one in Quality],
        "value_template": "{{ value_json['quality'] }}",
        "entity_category": "diagnostic",
    }


def _identifier(name: str) -> str:
    """Keep what an identifier may hold; a name that loses something is told by its digest."""
    plain = _OTHER.sub("_", name)
    if plain == name:
        return name
    return f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
