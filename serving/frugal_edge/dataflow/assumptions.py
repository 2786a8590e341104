"""What a value, a message and a connection take [bytes]; each has a name, and its reason."""

from collections.abc import Mapping
from dataclasses import dataclass

_TCP_ACK, _PACKETS, _TLS_RECORD, _PUBACK, _HEADER = 52, 4, 22, 4, 6
_MESSAGE = _PACKETS * _TCP_ACK + 2 * _TLS_RECORD + _PUBACK + _HEADER


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that a result rests on."""

    value: float
    why: str


DEFAULTS: Mapping[str, Assumption] = {
    "value_bytes": Assumption(
        7.1, "payload of one value [bytes]: a forecast of 48 x 3 values is 1,022 bytes of JSON"
    ),
    "payload_bytes": Assumption(
        60, "payload of one message beside its values [bytes]: names, unit and time"
    ),
    "topic_bytes": Assumption(40, "topic of one message [bytes]"),
    "message_bytes": Assumption(
        _MESSAGE,
        f"protocol of one message [bytes]: MQTT QoS 1 over TLS 1.3 and IPv4, {_PACKETS} packets of"
        f" {_TCP_ACK} (IP and TCP), 2 TLS records of {_TLS_RECORD}, MQTT header {_HEADER} and"
        f" PUBACK {_PUBACK}",
    ),
    "connect_bytes": Assumption(
        2360, "one connection [bytes]: measured, TLS and MQTT handshakes, both ways"
    ),
    "connections_per_day": Assumption(
        1, "connections of each copy in a day: one, that is kept alive"
    ),
}
