"""gateway.yaml: what an operator says about a gateway. Read by `config_reader`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """When and how forecasts are made; durations in [s].

    Attributes
    ----------
    every_s
        How often the gateway looks whether there is something to forecast.
    delay_s
        How long after the start of a step it looks, so that the last readings can arrive.
    slowest_s
        A model that takes longer fails its trial.
    persistence_s
        For how long the last reading may stand for the forecast.
    seasons
        How many seasons seasonal naive looks back for a value that is there.
    stuck_s
        A value other than 0 that does not change for so long is called stuck.
    """

    every_s: int = 900
    delay_s: int = 60
    slowest_s: float = 2.0
    persistence_s: int = 86400
    seasons: int = 7
    stuck_s: int = 21600


@dataclass(frozen=True, slots=True)
class SeriesSettings:
    """A series that is forecast without a model until one is installed, or its own limits.

    Attributes
    ----------
    unit, step_s, horizon
        All three, or none where a bundle says them.
    minimum, maximum
        Readings beyond are refused; None for the limits that follow from the training.
    """

    unit: str | None = None
    step_s: int | None = None
    horizon: int | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The HTTP service.

    Attributes
    ----------
    tokens
        File of hashed bearer tokens; None for no authentication, which is for loopback alone.
    certificate, key
        PEM files for TLS; None for plain HTTP.
    max_body
        Largest request [bytes].
    receive_s
        How long a client may take to send a request [s].
    max_concurrency
        Connections at a time; more are refused with 503.
    """

    host: str = "127.0.0.1"
    port: int = 8480
    tokens: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    max_body: int = _MB
    receive_s: float = 10.0
    max_concurrency: int = 64


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """The broker, and what is said to it.

    Attributes
    ----------
    prefix
        First level of all topics.
    username, password_file
        Credentials of this device; the file holds the password alone.
    ca, certificate, key
        PEM files; with `ca` the connection is TLS, with the others the device shows its own.
    discovery
        First level of Home Assistant's discovery topics; None for no discovery.
    deflate
        Whether forecasts are compressed (zlib).
    deadband
        A forecast is sent if a value differs from what was sent last by more than this share of
        the range of the series in training; 0 sends every forecast.
    outbox_messages, outbox_bytes
        What is kept while the broker is away; beyond, the oldest are dropped and counted.
    """

    host: str
    port: int = 1883
    prefix: str = "frugal"
    username: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    discovery: str | None = "homeassistant"
    deflate: bool = False
    deadband: float = 0.0
    keepalive_s: int = 60
    outbox_messages: int = 10_000
    outbox_bytes: int = 16 * _MB


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Where new bundles are looked for, and how often [s]."""

    source: str
    every_s: int = 21600
    trial_cycles: int = 3


@dataclass(frozen=True, slots=True)
class PowerSettings:
    """What the gateway draws [W], and the carbon intensity of its grid [g/kWh].

    Attributes
    ----------
    idle_w
        At rest.
    busy_w
        With one core busy.
    share
        Part of the rest that is charged to forecasting, from 0 (it would run anyway) to 1.
    """

    idle_w: float
    busy_w: float
    intensity: float
    source: str
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """All of gateway.yaml."""

    name: str
    state: Path
    group: str = "default"
    forecast: ForecastSettings = field(default_factory=ForecastSettings)
    series: Mapping[str, SeriesSettings] = field(default_factory=dict)
    http: HttpSettings | None = None
    mqtt: MqttSettings | None = None
    updates: UpdateSettings | None = None
    power: PowerSettings | None = None
