"""A channel says who takes which bundle, and means the same on every gateway."""

import json
from typing import Any

import pytest
from frugal_edge.errors import InstallError
from frugal_edge.install.channel import Gateway, Offer, newest, read_channel, share, takes


def offer(**change: Any) -> dict[str, Any]:
    return {
        "series_id": "feeder", "id": "bundle-2", "sequence": 2, "url": "bundle-2.tar",
        "sha256": "0" * 64, "bytes": 10, "rollout": {"default": 100},
    } | change  # fmt: skip


def text(*offers: dict[str, Any], **change: Any) -> bytes:
    content = {"format": 1, "channel": "stable", "serial": 7, "bundles": list(offers)} | change
    return json.dumps(content).encode()


def test_a_channel_is_read() -> None:
    channel = read_channel(text(offer()))
    assert (channel.name, channel.serial) == ("stable", 7)
    assert channel.offers == (
        Offer("feeder", "bundle-2", 2, "bundle-2.tar", "0" * 64, 10, {"default": 100.0}),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text(format=2), "format: expected 1"),
        (text(more=1), "unknown key 'more'"),
        (text(serial=-1), "serial: expected a whole number"),
        (text(offer(url="../bundle.tar")), "url: expected a path of plain names"),
        (text(offer(url="https://evil.example/x")), "url: expected a path of plain names"),
        (text(offer(url="/etc/passwd")), "url: expected a path of plain names"),
        (text(offer(url="a//b")), "url: expected a path of plain names"),
        (text(offer(sha256="0" * 63)), "sha256: expected 64 hex digits"),
        (text(offer(bytes=0)), "bytes: expected a whole number from 1"),
        (text(offer(rollout={"default": 101})), "default: expected a percentage"),
        (text(offer(rollout={"default": True})), "default: expected a finite number"),
        (b"[1]", "expected an object"),
        (b"\xff", "not valid JSON"),
    ],
)
def test_what_is_no_channel_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(InstallError, match=said):
        read_channel(content)


def test_a_rollout_reaches_its_share_of_gateways_and_only_grows() -> None:
    gateways = [Gateway(f"gateway-{i}", "default", {"feeder"}) for i in range(2000)]
    before: set[str] = set()
    for percent in (0, 1, 10, 25, 50, 99, 100):
        (one,) = read_channel(text(offer(rollout={"default": percent}))).offers
        taking = {gateway.id for gateway in gateways if takes(gateway, one)}
        assert before <= taking
        # Five standard deviations of a binomial share.
        assert abs(len(taking) - 20 * percent) <= 5 * (20 * percent * (1 - percent / 100)) ** 0.5
        before = taking


def test_another_bundle_reaches_others_first() -> None:
    shares = [[share(f"gateway-{i}", name) for i in range(200)] for name in ("one", "two")]
    assert shares[0] != shares[1]
    assert share("gateway-1", "one") == 17  # by sha256sum, the same for ever
    assert all(0 <= value < 100 for row in shares for value in row)


def test_groups_are_apart() -> None:
    (one,) = read_channel(text(offer(rollout={"canary": 100, "default": 0}))).offers
    assert takes(Gateway("any", "canary", {"feeder"}), one)
    assert not takes(Gateway("any", "default", {"feeder"}), one)
    assert not takes(Gateway("any", "other", {"feeder"}), one)
    assert not takes(Gateway("any", "canary", {"roof"}), one)


def test_the_newest_bundle_that_a_gateway_takes_counts() -> None:
    channel = read_channel(
        text(
            offer(),
            offer(id="bundle-3", sequence=3),
            offer(id="bundle-4", sequence=4, rollout={"canary": 100}),
            offer(id="roof-1", series_id="roof", sequence=1),
        )
    )
    gateway = Gateway("any", "default", {"feeder", "roof"})
    assert [one.id for one in newest(gateway, channel)] == ["bundle-3", "roof-1"]
