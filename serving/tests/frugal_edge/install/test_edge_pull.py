"""Updates come from a web server or a directory, and what is cut off goes on."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.errors import InstallError, SignatureError, TransportError
from frugal_edge.install import audit, slots, web
from frugal_edge.install.archive import Limits
from frugal_edge.install.channel import PAYLOAD_TYPE, Gateway
from frugal_edge.install.installer import How
from frugal_edge.install.lock import sole
from frugal_edge.install.models import Models
from frugal_edge.install.pull import Step, gateway_id, pull
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import sign_payload

Key = ec.EllipticCurvePrivateKey
Publish = Callable[..., None]
GATEWAY = Gateway("gateway-1", "default", ("feeder", "roof"))
HOW = How(trial=0)


@pytest.fixture
def publish(
    folder: Path, release: Callable[..., Path], pack: Callable[[Path], Path], key: Key
) -> Publish:
    """Write a channel of new bundles."""

    def write(
        *sequences: int,
        serial: int = 1,
        by: Key = key,
        series: str = "feeder",
        edit: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        offers = []
        for sequence in sequences:
            tar = folder / f"bundle-{sequence}.tar"
            if not tar.exists():
                pack(release(sequence, series=series)).rename(tar)
            offers.append(
                {
                    "series_id": series, "id": tar.stem, "sequence": sequence, "url": tar.name,
                    "sha256": hashlib.sha256(tar.read_bytes()).hexdigest(),
                    "bytes": tar.stat().st_size, "rollout": {"default": 100},
                }
            )  # fmt: skip
        content = {"format": 1, "channel": "stable", "serial": serial, "bundles": offers}
        edit(content)
        payload = json.dumps(content).encode()
        (folder / "channel.json").write_bytes(sign_payload(payload, PAYLOAD_TYPE, by))

    return write


def current(state: Path) -> str | None:
    entry = slots.read(state, "feeder").current
    return None if entry is None else entry.id


def test_a_bundle_comes_from_a_server(
    state: Path, store: TrustStore, server: Any, publish: Publish
) -> None:
    publish(1, 2)
    assert pull(state, server.address, store, GATEWAY, HOW) == (
        Step("feeder", "bundle-2", "installed", "committed"),
    )
    assert current(state) == "bundle-2"
    assert audit.read(state)[0]["source"] == server.address
    assert [path for path, _ in server.asked] == ["/channel.json", "/bundle-2.tar"]
    assert not list((state / "pull").glob("*.part*"))


def test_an_unchanged_channel_is_not_sent_again(
    state: Path, store: TrustStore, server: Any, publish: Publish
) -> None:
    publish(1)
    for _ in range(2):
        pull(state, f"{server.address}/channel.json", store, GATEWAY, HOW)
    (_, headers) = server.asked[-1]
    assert "If-None-Match" in headers
    assert len(server.asked) == 3
    publish(1, 2, serial=2)
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.id == "bundle-2"


@pytest.mark.parametrize("form", ["{0}", "file://{0}", "file://{0}/channel.json"])
def test_a_bundle_comes_from_a_directory(
    state: Path, store: TrustStore, folder: Path, publish: Publish, form: str
) -> None:
    publish(1)
    (step,) = pull(state, form.format(folder), store, GATEWAY, How(trial=2))
    assert step == Step("feeder", "bundle-1", "installed", "2 cycles on trial")
    assert (folder / "bundle-1.tar").exists()


def test_a_download_that_was_cut_off_goes_on(
    state: Path, store: TrustStore, server: Any, publish: Publish, folder: Path
) -> None:
    publish(1)
    size = (folder / "bundle-1.tar").stat().st_size
    server.cut_after = 3000
    for done in (3000, 6000):
        (step,) = pull(state, server.address, store, GATEWAY, HOW)
        assert step.what == "failed"
        assert f"cut off after {done} of {size} bytes" in step.why
        assert current(state) is None
    server.cut_after = None
    pull(state, server.address, store, GATEWAY, HOW)
    assert current(state) == "bundle-1"
    ranges = [h.get("Range") for path, h in server.asked if path.endswith(".tar")]
    assert ranges == [None, "bytes=3000-", "bytes=6000-"]


@pytest.mark.parametrize("fault", ["changed", "no ranges", "no tags"])
def test_a_download_that_cannot_go_on_starts_anew(
    state: Path, store: TrustStore, server: Any, publish: Publish, folder: Path, fault: str
) -> None:
    publish(1)
    server.tags = fault != "no tags"
    server.cut_after = 3000
    pull(state, server.address, store, GATEWAY, HOW)
    server.cut_after = None
    server.ranges = fault != "no ranges"
    if fault == "changed":
        (tag,) = (state / "pull").glob("*.part.etag")
        tag.write_text('{"etag": "\\"other\\""}')
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "installed", step.why


def test_another_file_than_announced_is_refused_and_forgotten(
    state: Path, store: TrustStore, server: Any, publish: Publish, folder: Path
) -> None:
    publish(1)
    tar = folder / "bundle-1.tar"
    good = tar.read_bytes()
    tar.write_bytes(good[:-1] + b"\x01")
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "failed"
    assert "as the channel says" in step.why
    tar.write_bytes(good)
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "installed"


def test_more_bytes_than_announced_are_not_read(
    state: Path, store: TrustStore, server: Any, publish: Publish
) -> None:
    publish(1)
    pull(state, server.address, store, GATEWAY, How(trial=0, limits=Limits(100)))
    assert [path for path, _ in server.asked] == ["/channel.json"]
    server.more, server.tags = bytes(1 << 21), False
    with pytest.raises(TransportError, match="the server sends more"):
        pull(state, server.address, store, GATEWAY, HOW)
    assert current(state) is None


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://192.0.2.1/x", "https:///x"],
)
def test_a_redirect_to_where_one_may_not_go_is_refused(
    state: Path, store: TrustStore, server: Any, publish: Publish, target: str
) -> None:
    publish(1)
    server.redirect = target
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "failed"
    assert current(state) is None


def test_a_redirect_to_where_one_may_go_is_followed(
    state: Path, store: TrustStore, server: Any, publish: Publish, folder: Path
) -> None:
    publish(1)
    (folder / "moved").mkdir()
    (folder / "bundle-1.tar").rename(folder / "moved" / "bundle-1.tar")
    server.redirect = f"{server.address}/moved/bundle-1.tar".replace("127.0.0.1", "localhost")
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "installed", step.why


def test_a_channel_that_was_cut_off_is_not_read(
    state: Path, store: TrustStore, server: Any, publish: Publish
) -> None:
    publish(1)
    server.cut_channel = True
    with pytest.raises(TransportError, match="cut off, 1 bytes did not come"):
        pull(state, server.address, store, GATEWAY, HOW)


def test_a_server_that_says_a_part_cannot_be_had_is_asked_anew(
    state: Path, store: TrustStore, server: Any, publish: Publish
) -> None:
    publish(1)
    server.cut_after = 3000
    pull(state, server.address, store, GATEWAY, HOW)
    server.cut_after, server.archive_status = None, 416
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert "the server answers 416" in step.why
    server.archive_status = 200
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "installed", step.why
    assert "Range" not in server.asked[-1][1]


def test_a_damaged_tag_of_a_part_is_forgotten(
    state: Path, store: TrustStore, server: Any, publish: Publish
) -> None:
    publish(1)
    server.cut_after = 3000
    pull(state, server.address, store, GATEWAY, HOW)
    server.cut_after = None
    (tag,) = (state / "pull").glob("*.part.etag")
    tag.write_text("{")
    (step,) = pull(state, server.address, store, GATEWAY, HOW)
    assert step.what == "installed", step.why
    assert "Range" not in server.asked[-1][1]


@pytest.mark.parametrize("garbage", [b"x" * 100 + b"\r\n\r\n", b"HTTP/1.0 abc\r\n\r\n", b"\r\n"])
def test_an_answer_that_is_none_is_told(
    state: Path, store: TrustStore, server: Any, publish: Publish, garbage: bytes
) -> None:
    publish(1)
    server.garbage = garbage
    with pytest.raises(TransportError, match="cannot be read: "):
        pull(state, server.address, store, GATEWAY, HOW)


@pytest.mark.parametrize(
    "address", ["http://192.0.2.1", "http://example.org/channel.json", "http://127.0.0.1.evil.org"]
)
def test_http_is_for_this_machine_alone(state: Path, store: TrustStore, address: str) -> None:
    with pytest.raises(TransportError, match="expected https://"):
        pull(state, address, store, GATEWAY, HOW)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/x", "file://server/share"])
def test_other_schemes_are_refused(state: Path, store: TrustStore, address: str) -> None:
    with pytest.raises(InstallError, match="expected https://, file:/// or a path"):
        pull(state, address, store, GATEWAY, HOW)


def test_a_server_that_refuses_or_is_not_there_is_told(
    state: Path, store: TrustStore, server: Any, publish: Publish, folder: Path
) -> None:
    with pytest.raises(TransportError, match="the server answers 404"):
        pull(state, server.address, store, GATEWAY, HOW)
    server.status = 503
    with pytest.raises(TransportError, match="the server answers 503"):
        pull(state, server.address, store, GATEWAY, HOW)
    with pytest.raises(TransportError, match="Connection refused"):
        pull(state, "http://127.0.0.1:9", store, GATEWAY, HOW)
    with pytest.raises(InstallError, match="there is no such file"):
        pull(state, str(folder), store, GATEWAY, HOW)


def test_the_certificate_of_a_server_is_verified(
    state: Path, store: TrustStore, encrypted: Path, server: Any, publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    publish(1)
    with pytest.raises(TransportError, match=r"is not trusted: .* check its name"):
        pull(state, server.address, store, GATEWAY, HOW)
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypted))
    pull(state, server.address, store, GATEWAY, HOW)
    assert current(state) == "bundle-1"


def test_an_answer_that_does_not_come_is_given_up(
    state: Path, store: TrustStore, monkeypatch: pytest.MonkeyPatch, server: Any,
    publish: Publish,
) -> None:  # fmt: skip
    publish(1)
    monkeypatch.setattr(web, "_WHOLE_S", -1.0)
    with pytest.raises(TransportError, match="not complete after"):
        pull(state, server.address, store, GATEWAY, HOW)


def test_a_channel_by_another_key_is_refused(
    state: Path, store: TrustStore, folder: Path, publish: Publish, make_key: Callable[[], Key]
) -> None:
    publish(1, by=make_key())
    with pytest.raises(SignatureError, match=f"^{folder}: expected a signature by a trusted key"):
        pull(state, str(folder), store, GATEWAY, HOW)
    assert current(state) is None


def test_a_channel_never_goes_back(
    state: Path, store: TrustStore, folder: Path, publish: Publish
) -> None:
    publish(1, serial=5)
    pull(state, str(folder), store, GATEWAY, HOW)
    publish(1, 2, serial=4)
    with pytest.raises(InstallError, match=r"older than one seen before: .* from 5, got 4"):
        pull(state, str(folder), store, GATEWAY, HOW)
    assert current(state) == "bundle-1"


def test_what_runs_is_kept_with_the_reason(
    state: Path, store: TrustStore, folder: Path, publish: Publish
) -> None:
    def why() -> str:
        (step,) = pull(state, str(folder), store, GATEWAY, How(trial=1))
        assert step.what == "kept"
        return step.why

    publish(2)
    pull(state, str(folder), store, GATEWAY, HOW)
    assert why() == "it is installed"
    publish(1, serial=2)
    assert why() == "sequence 1 is not above 2 of bundle-2"
    publish(3, serial=3)
    pull(state, str(folder), store, GATEWAY, How(trial=1))
    publish(4, serial=4)
    assert why() == "bundle-3 is on trial, 1 cycles left"
    Models(state).failed("feeder", "too slow")
    publish(3, serial=5)
    assert why() == "it was rolled back: too slow"
    assert current(state) == "bundle-2"


def test_one_series_that_fails_does_not_stop_the_others(
    state: Path, store: TrustStore, folder: Path, publish: Publish
) -> None:
    publish(8, series="roof")
    first = json.loads((folder / "channel.json").read_bytes())
    assert first["payloadType"] == PAYLOAD_TYPE

    def with_missing(content: dict[str, Any]) -> None:
        one = dict(content["bundles"][0])
        content["bundles"].append(one | {"series_id": "feeder", "url": "missing.tar", "id": "x"})

    publish(8, series="roof", edit=with_missing)
    steps = pull(state, str(folder), store, GATEWAY, HOW)
    assert [(step.series_id, step.what) for step in steps] == [
        ("feeder", "failed"), ("roof", "installed"),
    ]  # fmt: skip


def test_a_bundle_under_the_name_of_another_is_refused(
    state: Path, store: TrustStore, folder: Path, publish: Publish
) -> None:
    def renamed(content: dict[str, Any]) -> None:
        content["bundles"][0]["id"] = "bundle-9"

    publish(1, edit=renamed)
    (step,) = pull(state, str(folder), store, GATEWAY, HOW)
    assert "expected bundle-9 as announced, got bundle-1" in step.why
    assert current(state) is None


def test_downloads_that_are_not_offered_any_more_are_removed(
    state: Path, store: TrustStore, server: Any, publish: Publish
) -> None:
    publish(1)
    server.cut_after = 3000
    pull(state, server.address, store, GATEWAY, HOW)
    assert len(list((state / "pull").glob("*.part*"))) == 2
    publish(2, serial=2)
    server.cut_after = None
    pull(state, server.address, store, GATEWAY, HOW)
    assert not list((state / "pull").glob("*.part*"))


def test_two_pulls_at_once(state: Path, store: TrustStore, folder: Path, publish: Publish) -> None:
    publish(1)
    with (
        sole(state / "pull.lock", "pull from elsewhere"),
        pytest.raises(InstallError, match=r"held by process .*: pull from elsewhere"),
    ):
        pull(state, str(folder), store, GATEWAY, HOW)


def test_a_gateway_names_itself_once(state: Path) -> None:
    first = gateway_id(state)
    assert len(first) == 32
    assert gateway_id(state) == first
    (state / "gateway.id").unlink()
    assert gateway_id(state) != first
