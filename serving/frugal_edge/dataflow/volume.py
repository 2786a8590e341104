"""How much is sent, from how many flows, how often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from frugal_edge.dataflow.assumptions import Assumption

DAY_S = 86400
DAYS = 365  # of the year that volumes are given for


@dataclass(frozen=True, slots=True)
class Flow:
    """Series of one kind, in each copy of what is described.

    Attributes
    ----------
    name
        What the series say.
    count
        Number of such series in a copy.
    step_s
        Time between two values [s].
    values_per_message
        How many values wait for each other.
    share
        Part of the values that is sent, less than 1 with report by exception.
    """

    name: str
    count: int
    step_s: int
    values_per_message: int = 1
    share: float = 1.0

    @property
    def values_per_day(self) -> float:
        """Values that are sent for a copy in a day."""
        return self.count * DAY_S / self.step_s * self.share

    @property
    def messages_per_day(self) -> float:
        """Messages that carry them."""
        return self.values_per_day / self.values_per_message


@dataclass(frozen=True, slots=True)
class Volume:
    """What flows take in a day, for one copy.

    Attributes
    ----------
    values, messages
        In a day.
    payload, protocol
        Bytes in a day: of the values and what goes with them, and of everything else.
    """

    values: float
    messages: float
    payload: float
    protocol: float

    @property
    def bytes(self) -> float:
        """All bytes in a day."""
        return self.payload + self.protocol


def volume(flows: Sequence[Flow], assumed: Mapping[str, Assumption]) -> Volume:
    """Add up what flows take in a day."""

    def given(name: str) -> float:
        return assumed[name].value

    values = sum(flow.values_per_day for flow in flows)
    messages = sum(flow.messages_per_day for flow in flows)
    connections = given("connections_per_day") if messages else 0.0
    return Volume(
        values=values,
        messages=messages,
        payload=values * given("value_bytes") + messages * given("payload_bytes"),
        protocol=messages * (given("topic_bytes") + given("message_bytes"))
        + connections * given("connect_bytes"),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """Flows at their native step, and what of them is sent.

    Attributes
    ----------
    title
        What it is about.
    copies
        How often it all exists.
    everything, sent
        All flows at their native step, and what is sent of them.
    assumed
        By name, all of `frugal_edge.dataflow.assumptions.DEFAULTS`.
    notes
        Sentences for the reader.
    """

    title: str
    copies: int
    everything: tuple[Flow, ...]
    sent: tuple[Flow, ...]
    assumed: Mapping[str, Assumption]
    notes: tuple[str, ...] = ()
