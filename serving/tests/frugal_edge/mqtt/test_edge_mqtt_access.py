"""Who is let in, who is not, and what is said of it."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from frugal_edge.clock import format_time
from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import MqttSettings
from frugal_edge.mqtt.tls import context_of

FORECAST = "frugal/gw/feeder%2F1/forecast"
OPEN = Path("/proc/self/fd")
READINGS = "frugal/gw/feeder%2F1/readings"


@pytest.fixture
def passwords(tmp_path: Path, start_broker: Any) -> Callable[..., Path]:
    """Write a file of hashed passwords with the broker's own tool."""

    def write(**users: str) -> Path:
        path = tmp_path / "passwords"
        path.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
        path.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True)  # noqa: S607 - on PATH
        return path

    return write


def password_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "password"
    path.write_text(text)
    return path


def failures(kit: Any, capsys: Any) -> list[str]:
    return [one["reason"] for one in kit.events(capsys.readouterr().err, "mqtt_failed")]


def test_a_password_lets_in_and_a_wrong_one_does_not(
    start_broker: Any, passwords: Any, make_site: Any, kit: Any, tmp_path: Path, capsys: Any
) -> None:
    users = passwords(gw="secret")
    broker = start_broker("allow_anonymous false", f"password_file {users}")

    async def talk() -> None:
        path = password_file(tmp_path, "secret\n")
        with make_site(broker, username="gw", password_file=path) as site:
            site.forecast()
            assert await site.link.deliver(10) == 1
            path.write_text("wrong")
            site.forecast()
            assert await site.link.deliver(10) == 0
            assert site.count("outbox_messages") == 1
            async with kit.running(site.link):  # until somebody sets it right
                await kit.until(lambda: site.link._trouble)
                path.write_text("secret")
                await kit.until(lambda: site.count("outbox_messages") == 0)
        with make_site(broker) as nobody:
            assert await nobody.link.deliver(10) == 0

    kit.within(talk())
    refused = f"127.0.0.1:{broker.port}: the broker refuses"
    told = failures(kit, capsys)
    assert [reason.partition(": check")[0] for reason in told] == [
        f"{refused} user 'gw'",
        f"{refused} a device without a user name",
    ]


def acl(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "acl"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def test_a_forecast_that_may_not_be_published_waits(
    start_broker: Any, make_site: Any, kit: Any, tmp_path: Path, capsys: Any
) -> None:
    """mosquitto acknowledges it all the same; MQTT 5 has the reason in it."""
    rules = acl(tmp_path, "topic write frugal/gw/status", "topic read #")
    broker = start_broker(f"acl_file {rules}")

    async def talk() -> None:
        with make_site(broker) as site:
            site.forecast(2)
            async with kit.listening(broker, FORECAST) as listener, kit.running(site.link):
                await kit.until(lambda: site.link._trouble)
                assert site.count("outbox_messages") == 2
                assert site.count("mqtt_connected") == 1
                rules.write_text("topic readwrite #\n")
                broker.process.send_signal(1)  # SIGHUP: read the rules again
                await kit.until(lambda: site.count("outbox_messages") == 0)
                await kit.until(lambda: len(listener.messages) == 2)

    kit.within(talk())
    (reason,) = failures(kit, capsys)
    assert reason == (
        f"127.0.0.1:{broker.port}: {FORECAST}: the broker does not let this device publish:"
        " Not authorized: check its access control list"
    )


def test_what_is_denied_beside_forecasts_is_told_and_does_without(
    start_broker: Any, make_site: Any, kit: Any, tmp_path: Path, capsys: Any
) -> None:
    rules = acl(tmp_path, f"topic write {FORECAST}", "topic read frugal/#")
    broker = start_broker(f"acl_file {rules}")

    async def talk() -> None:
        with make_site(broker, discovery="homeassistant") as site:
            site.forecast()
            async with kit.listening(broker, FORECAST) as listener:
                assert await site.link.deliver(10) == 1
                await kit.until(lambda: len(listener.messages) == 1)

    kit.within(talk())
    denied = [one["reason"] for one in kit.events(capsys.readouterr().err, "mqtt_denied")]
    topics = [reason.partition(":")[0] for reason in denied]
    assert topics[0] == "frugal/gw/status"
    assert [topic.rpartition("_")[2] for topic in topics[1:]] == [
        "forecast/config",
        "quality/config",
    ]


@pytest.fixture
def tls(start_broker: Any, authority: Any) -> Callable[..., Any]:
    """Start a broker with a certificate by an authority."""

    def start(*extra: str, **certificate: Any) -> Any:
        mine = authority("broker-ca")
        files = mine.sign("broker", **certificate)
        lines = [f"cafile {mine.file}", f"certfile {files.certificate}", f"keyfile {files.key}"]
        return start_broker(*lines, *extra), mine

    return start


def test_tls(tls: Any, make_site: Any, kit: Any) -> None:
    broker, authority = tls()

    async def talk() -> None:
        with make_site(broker, ca=authority.file) as site:
            site.forecast()
            context = context_of(site.settings)
            async with kit.listening(broker, FORECAST, tls_context=context) as listener:
                assert await site.link.deliver(10) == 1
                await kit.until(lambda: len(listener.messages) == 1)

    kit.within(talk())


def test_the_device_shows_a_certificate_of_its_own(
    tls: Any, make_site: Any, kit: Any, capsys: Any
) -> None:
    broker, authority = tls("require_certificate true", "use_identity_as_username true")
    device = authority.sign("gw")

    async def talk() -> None:
        own = {"certificate": device.certificate, "key": device.key}
        with make_site(broker, ca=authority.file, **own) as site:
            site.forecast()
            assert await site.link.deliver(10) == 1
        with make_site(broker, ca=authority.file) as nobody:
            nobody.forecast()
            assert await nobody.link.deliver(5) == 0

    kit.within(talk())
    (reason,) = failures(kit, capsys)
    assert "whether it asks for a certificate" in reason


# paho leaves the socket of a failed handshake to the garbage collector
left_to_collector = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")


@left_to_collector
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("other authority", "certificate of the broker is not trusted: "),
        ("expired", "not trusted: certificate has expired"),
        ("other host", "not trusted: IP address mismatch"),
        ("plain", "the broker ended the connection before it answered"),
    ],
)
def test_a_broker_that_is_not_who_it_says(
    case: str, words: str, tls: Any, authority: Any, make_site: Any, kit: Any, capsys: Any
) -> None:
    changes: dict[str, Any] = {}
    if case == "expired":
        changes["valid"] = timedelta(days=-1)
    if case == "other host":
        changes["hosts"] = ["127.0.0.2"]
    broker, known = tls(**changes)
    ca = authority("other-ca").file if case == "other authority" else known.file

    async def talk() -> None:
        with make_site(broker, ca=None if case == "plain" else ca) as site:
            site.forecast()
            assert await site.link.deliver(5) == 0
            assert site.count("outbox_messages") == 1

    kit.within(talk())
    (reason,) = failures(kit, capsys)
    assert reason.startswith(f"127.0.0.1:{broker.port}: ")
    assert "\n" not in reason
    assert words in reason


def open_files() -> int:
    return len(list(OPEN.iterdir()))


@left_to_collector
def test_tries_leave_nothing_open(tls: Any, authority: Any, make_site: Any, kit: Any) -> None:
    broker, _ = tls()
    wrong = authority("other-ca").file

    async def talk() -> None:
        with make_site(broker, ca=wrong) as site:
            counts = []
            for _ in range(12):
                assert await site.link.deliver(5) == 0
                counts.append(open_files())
            assert counts[-1] <= counts[1]

    if not OPEN.exists():
        pytest.skip("only Linux tells which files are open")
    kit.within(talk())


@left_to_collector
def test_an_authority_that_expired_is_not_trusted(
    start_broker: Any, authority: Any, make_site: Any, kit: Any, capsys: Any
) -> None:
    mine = authority("old-ca", valid=timedelta(days=-1))
    files = mine.sign("broker")
    broker = start_broker(
        f"cafile {mine.file}", f"certfile {files.certificate}", f"keyfile {files.key}"
    )

    async def talk() -> None:
        with make_site(broker, ca=mine.file) as site:
            site.forecast()
            assert await site.link.deliver(5) == 0

    kit.within(talk())
    assert "not trusted: certificate has expired" in failures(kit, capsys)[0]


def test_nothing_below_tls_1_2(authority: Any) -> None:
    import ssl

    context = context_of(MqttSettings(host="h", ca=authority("a").file))
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context_of(MqttSettings(host="h")) is None


def test_files_that_cannot_be_used_are_told(authority: Any, tmp_path: Path) -> None:
    mine = authority("a")
    device, other = mine.sign("device"), mine.sign("other")
    settings = MqttSettings(host="h", ca=mine.file, certificate=device.certificate, key=device.key)
    assert context_of(settings)
    for changes, words in (
        ({"ca": tmp_path / "none"}, "No such file"),
        ({"ca": device.key}, "not PEM"),
        ({"key": other.key}, "of another key"),
        ({"certificate": tmp_path / "none"}, "No such file"),
    ):
        with pytest.raises(ConfigError, match=words):
            context_of(replace(settings, **changes))


def test_a_missing_password_file_is_told_and_tried_again(
    broker: Any, make_site: Any, kit: Any, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "later"

    async def talk() -> None:
        with make_site(broker, username="gw", password_file=path) as site:
            site.forecast()
            async with kit.running(site.link):
                await kit.until(lambda: site.link._trouble)
                path.write_text("secret")
                await kit.until(lambda: site.count("outbox_messages") == 0)

    kit.within(talk())
    assert "password_file" in failures(kit, capsys)[0]


def test_devices_are_kept_apart_by_their_user_names(
    start_broker: Any, passwords: Any, make_site: Any, kit: Any, tmp_path: Path
) -> None:
    """The access list of the documentation: each device its own topics, and no other's."""
    users = passwords(gw="secret", thief="stolen", control="room")
    rules = acl(
        tmp_path,
        "pattern readwrite frugal/%u/#",
        "pattern write homeassistant/sensor/%u/#",
        "user control",
        "topic read frugal/#",
        "topic write frugal/+/+/readings",
    )
    broker = start_broker("allow_anonymous false", f"password_file {users}", f"acl_file {rules}")
    clock = kit.Clock(kit.start + kit.step)

    async def talk() -> None:
        own = {"username": "gw", "password_file": password_file(tmp_path, "secret")}
        control = {"username": "control", "password": "room"}
        row = json.dumps({"timestamp": format_time(kit.start), "value": 4.5})
        with make_site(broker, clock=clock, discovery="homeassistant", **own) as site:
            async with (
                kit.listening(broker, "frugal/#", **control) as listener,
                kit.running(site.link),
            ):
                await kit.until(lambda: site.link._trouble == "")
                async with aiomqtt.Client(
                    kit.host,
                    broker.port,
                    username="thief",
                    password="stolen",  # noqa: S106
                ) as thief:
                    await thief.publish(READINGS, row.replace("4.5", "13"), qos=1)
                await listener.client.publish(READINGS, row, qos=1)
                await kit.until(lambda: site.count("downlink_bytes_total") > 0)
                site.link.offer(site.gateway.cycle())
                await kit.until(lambda: listener.on(FORECAST))
            assert json.loads(listener.on(FORECAST)[0])["values"][0] == 4.5

    kit.within(talk())
