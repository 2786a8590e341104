from dataclasses import replace
from pathlib import Path

import pytest
from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import (
    ForecastSettings,
    GatewayConfig,
    HttpSettings,
    MqttSettings,
    PowerSettings,
    SeriesSettings,
    UpdateSettings,
)
from frugal_edge.gateway.config_reader import read_config
from hypothesis import given, settings
from hypothesis import strategies as st

LEAST = "gateway: one\nstate: state\n"
EXAMPLE = Path(__file__).parents[3] / "examples" / "gateway.yaml"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "gateway.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_name_and_a_state_folder_are_enough(tmp_path: Path) -> None:
    assert read_config(write(tmp_path, LEAST)) == GatewayConfig("one", tmp_path / "state")


def test_every_key_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
gateway: gw-0001
state: /var/lib/frugal-edge
group: pilot
forecast: {every: 30min, delay: 2min, slowest: 5s, persistence: 12h, seasons: 3, stuck: 1d}
series:
  feeder: {minimum: -1, maximum: 20.5}
  other: {unit: kW, step: 15min, horizon: 96}
http:
  host: 0.0.0.0
  port: 8443
  tokens: tokens.json
  certificate: tls/cert.pem
  key: tls/key.pem
  max_body: 512kB
  receive: 5s
  max_concurrency: 16
mqtt:
  host: broker.example
  prefix: site-1
  username: gw-0001
  password_file: /etc/frugal-edge/mqtt-password
  ca: ca.pem
  certificate: device.pem
  key: device.key
  discovery: false
  deflate: true
  deadband: 0.05
  keepalive: 5min
  outbox_messages: 500
  outbox_bytes: 2MiB
updates: {from: "https://updates.example/channel.json", every: 1d, trial: 5}
power: {idle_w: 2.5, busy_w: 6, intensity_g_per_kwh: 56, source: a plug meter, idle_share: 0.1}
""",
    )
    assert read_config(path) == GatewayConfig(
        name="gw-0001",
        state=Path("/var/lib/frugal-edge"),
        group="pilot",
        forecast=ForecastSettings(1800, 120, 5, 43200, 3, 86400),
        series={
            "feeder": SeriesSettings(minimum=-1, maximum=20.5),
            "other": SeriesSettings("kW", 900, 96),
        },
        http=HttpSettings(
            "0.0.0.0", 8443, tmp_path / "tokens.json",  # noqa: S104 - read, not bound
            tmp_path / "tls/cert.pem", tmp_path / "tls/key.pem", 512_000, 5, 16,
        ),
        mqtt=MqttSettings(
            "broker.example", 8883, "site-1", "gw-0001", Path("/etc/frugal-edge/mqtt-password"),
            tmp_path / "ca.pem", tmp_path / "device.pem", tmp_path / "device.key", None,
            deflate=True, deadband=0.05, keepalive_s=300, outbox_messages=500, outbox_bytes=2 << 20,
        ),
        updates=UpdateSettings("https://updates.example/channel.json", 86400, 5),
        power=PowerSettings(2.5, 6, 56, "a plug meter", 0.1),
    )  # fmt: skip


def test_the_committed_example_is_valid_and_shows_every_part() -> None:
    found = read_config(EXAMPLE)
    assert found.http is not None
    assert found.mqtt is not None
    assert found.updates is not None
    assert found.power is not None
    assert found.series
    assert found.state == Path("/var/lib/frugal-edge")


def test_a_part_that_is_given_empty_has_its_defaults(tmp_path: Path) -> None:
    found = read_config(write(tmp_path, LEAST + "http: {}\nmqtt: {host: localhost}\n"))
    assert found.http == HttpSettings()
    assert found.mqtt == MqttSettings("localhost")
    assert replace(found, http=None, mqtt=None) == GatewayConfig("one", tmp_path / "state")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("state: state\n", "gateway: the key is missing"),
        ("gateway: one\n", "state: the key is missing"),
        ("gateway: a b\nstate: s\n", "gateway: expected a name of letters, digits, '_', '-' and"),
        ("gateway: 5\nstate: s\n", "gateway: expected a printable text, got 5"),
        ("gateway: ''\nstate: s\n", "gateway: expected a printable text, got ''"),
        (LEAST + "colour: red\n", "document: unknown key 'colour'"),
        (LEAST + "state: other\n", "key 'state' is repeated"),
        (LEAST + "5: x\n", "expected a text as key, got 5"),
        (LEAST + "? [a]\n: x\n", "expected a text as key, got"),
        (LEAST + "group: 7\n", "group: expected a printable text, got 7"),
        ("[a, b]\n", "document: expected an object, got ['a', 'b']"),
        ("", "document: expected an object, got None"),
        ("gateway: [\n", "not valid YAML"),
        ("gateway: !!python/object:os.system x\n", "not valid YAML"),
        (LEAST + "group: &a x\nseries: *a\n", "without YAML aliases"),
        (b"\xff\xfe\x00", "not valid YAML"),
        (b"gateway: \x00\n", "not valid YAML"),
        (LEAST + "forecast: 5\n", "forecast: expected an object, got 5"),
        (LEAST + "forecast: {every: 15m}\n", "forecast.every: expected a duration such as 30s"),
        (LEAST + "forecast: {every: 900}\n", "forecast.every: expected a printable text, got 900"),
        (LEAST + "forecast: {every: 0s}\n", "forecast.every: expected a duration"),
        (LEAST + "forecast: {seasons: 0}\n", "forecast.seasons: expected a whole number from 1"),
        (
            LEAST + "forecast: {seasons: 61}\n",
            "forecast.seasons: expected a whole number from 1 to",
        ),
        (LEAST + "forecast: {seasons: 1.5}\n", "forecast.seasons: expected a whole number from 1"),
        (LEAST + "forecast: {evry: 1h}\n", "forecast: unknown key 'evry'"),
        (LEAST + "series: {a: {unit: kW}}\n", "series.a.unit: expected unit, step and horizon"),
        (LEAST + "series: {a: {horizon: 0}}\n", "series.a.horizon: expected a whole number from 1"),
        (LEAST + "series: {a: {minimum: x}}\n", "series.a.minimum: expected a finite number"),
        (LEAST + "series: {a: {minimum: .nan}}\n", "series.a.minimum: expected a finite number"),
        (LEAST + "series: {a: {minimum: 2, maximum: 1}}\n", "a number below the maximum, 1"),
        (LEAST + "series: {a: {colour: 1}}\n", "series.a: unknown key 'colour'"),
        (LEAST + "series: []\n", "series: expected an object, got []"),
        (LEAST + "http: {host: 0.0.0.0}\n", "http.host: expected a loopback address, or a file of"),
        (LEAST + "http: {port: 65536}\n", "http.port: expected a whole number from 0 to 65535"),
        (LEAST + "http: {port: -1}\n", "http.port: expected a whole number from 0"),
        (LEAST + "http: {port: true}\n", "http.port: expected a whole number from 0"),
        (LEAST + "http: {key: a}\n", "http.key: expected 'certificate' beside it"),
        (LEAST + "http: {certificate: a}\n", "http.certificate: expected 'key' beside it"),
        (LEAST + "http: {max_body: 1GB}\n", "http.max_body: expected a size such as 512kB or 1MB"),
        (LEAST + "http: {max_body: 0}\n", "http.max_body: expected a size such as 512kB or 1MB"),
        (LEAST + "http: {max_concurrency: 0}\n", "http.max_concurrency: expected a whole number"),
        (LEAST + "mqtt: {}\n", "mqtt.host: the key is missing"),
        (LEAST + "mqtt: {host: h, prefix: a/b}\n", "mqtt.prefix: expected one level of a topic"),
        (LEAST + "mqtt: {host: h, prefix: '#'}\n", "mqtt.prefix: expected one level of a topic"),
        (
            LEAST + "mqtt: {host: h, username: u}\n",
            "mqtt.username: expected 'password_file' beside",
        ),
        (LEAST + "mqtt: {host: h, password_file: u}\n", "mqtt.password_file: expected 'username'"),
        (
            LEAST + "mqtt: {host: h, deadband: 1.1}\n",
            "mqtt.deadband: expected a number from 0 to 1",
        ),
        (LEAST + "mqtt: {host: h, deflate: 1}\n", "mqtt.deflate: expected true or false, got 1"),
        (LEAST + "mqtt: {host: h, outbox_bytes: x}\n", "mqtt.outbox_bytes: expected a size"),
        (LEAST + "mqtt: {host: h, outbox_messages: 0}\n", "mqtt.outbox_messages: expected a whole"),
        (
            LEAST + "mqtt: {host: h, certificate: c, key: k}\n",
            "mqtt.certificate: expected 'ca' beside it",
        ),
        (LEAST + "updates: {every: 1h}\n", "updates.from: the key is missing"),
        (
            LEAST + "updates: {from: f, trial: -1}\n",
            "updates.trial: expected a whole number from 0",
        ),
        (LEAST + "power: {idle_w: 1}\n", "power.busy_w: the key is missing"),
        (
            LEAST + "power: {idle_w: 5, busy_w: 2, intensity_g_per_kwh: 50, source: s}\n",
            "power.busy_w: expected 0 <= idle_w <= busy_w",
        ),
        (
            LEAST + "power: {idle_w: 1, busy_w: 2, intensity_g_per_kwh: -1, source: s}\n",
            "power.intensity_g_per_kwh: expected a number from 0",
        ),
        (
            LEAST
            + "power: {idle_w: 1, busy_w: 2, intensity_g_per_kwh: 5, source: s, idle_share: 2}",
            "power.idle_share: expected a number from 0 to 1, got 2",
        ),
    ],
)
def test_what_is_wrong_is_said_by_file_and_key(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        read_config(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert said in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.yaml: cannot be read: No such file"):
        read_config(tmp_path / "gateway.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_config(tmp_path)


def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected at most 1048576 bytes"):
        read_config(write(tmp_path, LEAST + "#" * (1 << 20)))


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        read_config(write(tmp_path, "gateway: " + "[" * 5000 + "]" * 5000 + "\n"))


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["gateway: &a0 [x, x]"] + [f"k{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    with pytest.raises(ConfigError, match="without YAML aliases"):
        read_config(write(tmp_path, "\n".join(lines)))


words = st.sampled_from(
    ["gateway", "state", "http", "mqtt", "forecast", "series", "every", "port", ":", " ", "\n", "-",
     "{", "}", "[", "]", "&a", "*a", "!!int", "? ", "'", '"', "|", ">", "#", "1", "1e999", ".nan",
     "0x10", "2001-01-01", "<<", "~", "\t", "%YAML 1.1", "---", "..."]
)  # fmt: skip


@settings(deadline=None)  # it reads from disk
@given(st.text() | st.binary() | st.lists(words).map("".join))
def test_any_text_is_a_configuration_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, text: str | bytes
) -> None:
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    try:
        found: object = read_config(path)
    except ConfigError as error:
        found = str(error)
    assert isinstance(found, GatewayConfig) or str(found).startswith(f"{path}: ")


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    plain | st.sampled_from(["1h", "localhost", "a", "1MB"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
keys = [
    "every",
    "delay",
    "seasons",
    "host",
    "port",
    "tokens",
    "ca",
    "certificate",
    "key",
    "prefix",
    "discovery",
    "deflate",
    "deadband",
    "max_body",
    "from",
    "trial",
    "idle_w",
    "busy_w",
    "intensity_g_per_kwh",
    "source",
    "unit",
    "step",
    "horizon",
    "minimum",
    "maximum",
]


@settings(deadline=None)  # likewise
@given(
    st.dictionaries(
        st.sampled_from(["gateway", "state", "group", "forecast", "series", "http", "mqtt",
                         "updates", "power"]),
        values | st.dictionaries(st.sampled_from(keys), values, max_size=6),
    )
)  # fmt: skip
def test_any_value_of_a_key_is_read_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    import yaml

    path = tmp_path_factory.getbasetemp() / "values.yaml"
    path.write_text(yaml.safe_dump({"gateway": "one", "state": "s", **content}))
    try:
        found: object = read_config(path)
    except ConfigError as error:
        found = str(error)
    assert isinstance(found, GatewayConfig) or str(found).startswith(f"{path}: ")
