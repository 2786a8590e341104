"""The signed list of bundles from which gateways take their updates, and who takes which when."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from frugal_edge.digest import sha256_hex
from frugal_edge.errors import InstallError
from frugal_edge.strict_json import Node, parse

NAME = "channel.json"
PAYLOAD_TYPE = "application/vnd.frugal-ai.channel+json"
DEFAULT_GROUP = "default"
FORMAT = 1
_URL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Offer:
    """A bundle of a channel.

    Attributes
    ----------
    series_id, id, sequence
        As the bundle's manifest has them.
    url
        Where its tar is, relative to the channel file.
    sha256, size
        Of the tar; size in [bytes].
    rollout
        Per group, the percentage of gateways that take it.
    """

    series_id: str
    id: str
    sequence: int
    url: str
    sha256: str
    size: int
    rollout: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Channel:
    """What a channel file says; its serial never goes back."""

    name: str
    serial: int
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Gateway:
    """Who asks: the gateway's identifier, its group, and the series that it forecasts."""

    id: str
    group: str
    series: Collection[str]


def read_channel(payload: bytes) -> Channel:
    """Read a channel whose signature was verified.

    Raises
    ------
    InstallError
        If it is not a channel of this format.
    """
    root = Node(parse(payload, NAME, InstallError), NAME, error=InstallError)
    if root.integer("format") != FORMAT:
        root.refuse("format", str(FORMAT))
    channel = Channel(
        root.text("channel"), root.integer("serial"), tuple(map(_offer, root.nodes("bundles")))
    )
    root.close()
    return channel


def _offer(node: Node) -> Offer:
    shares = node.node("rollout")
    rollout = {group: shares.number(group) for group in shares.names()}
    for group, percent in rollout.items():
        if not 0 <= percent <= 100:
            shares.refuse(group, "a percentage from 0 to 100")
    offer = Offer(
        series_id=node.text("series_id"),
        id=node.text("id"),
        sequence=node.integer("sequence"),
        url=node.text("url"),
        sha256=node.text("sha256"),
        size=node.integer("bytes", 1),
        rollout=rollout,
    )
    if not _URL.fullmatch(offer.url):
        node.refuse("url", "a path of plain names below the channel file")
    if not _SHA256.fullmatch(offer.sha256):
        node.refuse("sha256", "64 hex digits")
    node.close()
    return offer


def share(gateway_id: str, bundle_id: str) -> int:
    """Return the place of a gateway in the rollout of a bundle, 0 to 99.

    The same for ever, and another one for the next bundle, so that no gateway always goes first.
    """
    return int(sha256_hex(f"{gateway_id}\n{bundle_id}".encode()), 16) % 100


def takes(gateway: Gateway, offer: Offer) -> bool:
    """Whether a gateway is among those that a bundle is rolled out to."""
    if offer.series_id not in gateway.series:
        return False
    percent = offer.rollout.get(gateway.group, 0.0)
    return share(gateway.id, offer.id) < percent


def newest(gateway: Gateway, channel: Channel) -> tuple[Offer, ...]:
    """Return the newest bundle of each series that a gateway takes, sorted by series."""
    best: dict[str, Offer] = {}
    for offer in channel.offers:
        known = best.get(offer.series_id)
        if takes(gateway, offer) and (known is None or offer.sequence > known.sequence):
            best[offer.series_id] = offer
    return tuple(best[series] for series in sorted(best))
