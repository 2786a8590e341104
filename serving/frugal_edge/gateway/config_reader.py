"""gateway.yaml read strictly: every key is checked, and one that is not known is refused."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from frugal_edge.clock import parse_duration
from frugal_edge.gateway.config import (
    ForecastSettings,
    GatewayConfig,
    HttpSettings,
    MqttSettings,
    PowerSettings,
    SeriesSettings,
    UpdateSettings,
)
from frugal_edge.strict_json import Node
from frugal_edge.strict_yaml import read_yaml

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_SIZES = {"": 1, "kB": 1000, "MB": 1000**2, "KiB": 1 << 10, "MiB": 1 << 20}
_SIZE = re.compile(r"([0-9]{1,9})(kB|MB|KiB|MiB|)")

T = TypeVar("T")


def read_config(path: Path) -> GatewayConfig:
    """Read the configuration of a gateway; paths in it are relative to its folder.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, has a key that is not known or one twice, or a
        value is not what it can be.
    """
    return _config(read_yaml(path), path.parent)


def _config(root: Node, folder: Path) -> GatewayConfig:
    name = root.text("gateway")
    if not _NAME.fullmatch(name):
        root.refuse("gateway", "a name of letters, digits, '_', '-' and '.'")
    config = GatewayConfig(
        name=name,
        state=_path(root, "state", folder),
        group=_optional(root, "group", root.text, "default"),
        forecast=_part(root, "forecast", _forecast, ForecastSettings()),
        series={one: _series(node) for one, node in _children(root, "series")},
        http=_part(root, "http", lambda node: _http(node, folder), None),
        mqtt=_part(root, "mqtt", lambda node: _mqtt(node, folder), None),
        updates=_part(root, "updates", _updates, None),
        power=_part(root, "power", _power, None),
    )
    root.close()
    return config


def _optional(node: Node, key: str, read: Callable[[str], T], default: T) -> T:
    return read(key) if node.given(key) else default


def _part(root: Node, key: str, read: Callable[[Node], T], default: T) -> T:
    if not root.given(key):
        return default
    node = root.node(key)
    found = read(node)
    node.close()
    return found


def _children(root: Node, key: str) -> list[tuple[str, Node]]:
    if not root.given(key):
        return []
    parent = root.node(key)
    return [(name, parent.node(name)) for name in parent.names()]


def _forecast(node: Node) -> ForecastSettings:
    base = ForecastSettings()
    return ForecastSettings(
        every_s=_seconds(node, "every", base.every_s),
        delay_s=_seconds(node, "delay", base.delay_s),
        slowest_s=_seconds(node, "slowest", int(base.slowest_s)),
        persistence_s=_seconds(node, "persistence", base.persistence_s),
        seasons=_whole(node, "seasons", base.seasons, 1, 60),
        stuck_s=_seconds(node, "stuck", base.stuck_s),
    )


def _series(node: Node) -> SeriesSettings:
    found = SeriesSettings(
        unit=_optional(node, "unit", node.text, None),
        step_s=_seconds(node, "step", None),
        horizon=_whole(node, "horizon", None, 1, 10_000),
        minimum=_optional(node, "minimum", node.number, None),
        maximum=_optional(node, "maximum", node.number, None),
    )
    given = [key for key in ("unit", "step", "horizon") if node.given(key)]
    if given and len(given) < 3:
        node.refuse(given[0], "unit, step and horizon together, or none of them")
    if found.minimum is not None and found.maximum is not None and found.minimum >= found.maximum:
        node.refuse("minimum", f"a number below the maximum, {found.maximum}")
    node.close()
    return found


def _http(node: Node, folder: Path) -> HttpSettings:
    base = HttpSettings()
    found = HttpSettings(
        host=_optional(node, "host", node.text, base.host),
        port=_whole(node, "port", base.port, 0, 65535),
        tokens=_optional_path(node, "tokens", folder),
        certificate=_optional_path(node, "certificate", folder),
        key=_optional_path(node, "key", folder),
        max_body=_bytes(node, "max_body", base.max_body),
        receive_s=_seconds(node, "receive", int(base.receive_s)),
        max_concurrency=_whole(node, "max_concurrency", base.max_concurrency, 1, 10_000),
    )
    if found.host not in _LOOPBACK and found.tokens is None:
        node.refuse("host", "a loopback address, or a file of tokens under 'tokens'")
    _both(node, "certificate", "key")
    return found


def _mqtt(node: Node, folder: Path) -> MqttSettings:
    base = MqttSettings(host="")
    tls = node.given("ca")
    found = MqttSettings(
        host=node.text("host"),
        port=_whole(node, "port", 8883 if tls else base.port, 1, 65535),
        prefix=_level(node, "prefix", base.prefix),
        username=_optional(node, "username", node.text, None),
        password_file=_optional_path(node, "password_file", folder),
        ca=_optional_path(node, "ca", folder),
        certificate=_optional_path(node, "certificate", folder),
        key=_optional_path(node, "key", folder),
        discovery=_discovery(node, base.discovery),
        deflate=_optional(node, "deflate", node.flag, base.deflate),
        deadband=_share(node, "deadband", base.deadband),
        keepalive_s=_seconds(node, "keepalive", base.keepalive_s),
        outbox_messages=_whole(node, "outbox_messages", base.outbox_messages, 1, 10_000_000),
        outbox_bytes=_bytes(node, "outbox_bytes", base.outbox_bytes),
    )
    _both(node, "certificate", "key")
    _both(node, "username", "password_file")
    if found.certificate and not tls:
        node.refuse("certificate", "'ca' beside it, the authority of the broker")
    return found


def _discovery(node: Node, default: str | None) -> str | None:
    if node.given("discovery") and node.take("discovery") in (None, False):
        return None
    return _level(node, "discovery", default or "")


def _level(node: Node, key: str, default: str) -> str:
    text = _optional(node, key, node.text, default)
    if not _NAME.fullmatch(text):
        node.refuse(key, "one level of a topic: letters, digits, '_', '-' and '.'")
    return text


def _updates(node: Node) -> UpdateSettings:
    base = UpdateSettings(source="")
    return UpdateSettings(
        source=node.text("from"),
        every_s=_seconds(node, "every", base.every_s),
        trial_cycles=_whole(node, "trial", base.trial_cycles, 0, 1000),
    )


def _power(node: Node) -> PowerSettings:
    found = PowerSettings(
        idle_w=node.number("idle_w"),
        busy_w=node.number("busy_w"),
        intensity=node.number("intensity_g_per_kwh"),
        source=node.text("source"),
        share=_share(node, "idle_share", 0.0),
    )
    if not 0 <= found.idle_w <= found.busy_w:
        node.refuse("busy_w", "0 <= idle_w <= busy_w")
    if found.intensity < 0:
        node.refuse("intensity_g_per_kwh", "a number from 0")
    return found


def _seconds(node: Node, key: str, default: T) -> int | T:
    if not node.given(key):
        return default
    try:
        return parse_duration(node.text(key))
    except ValueError as error:
        return node.refuse(key, str(error).removeprefix("expected ").partition(", got")[0])


def _whole(node: Node, key: str, default: T, low: int, high: int) -> int | T:
    if not node.given(key):
        return default
    value = node.integer(key, low)
    return value if value <= high else node.refuse(key, f"a whole number from {low} to {high}")


def _share(node: Node, key: str, default: float) -> float:
    value = _optional(node, key, node.number, default)
    return value if 0 <= value <= 1 else node.refuse(key, "a number from 0 to 1")


def _bytes(node: Node, key: str, default: int) -> int:
    if not node.given(key):
        return default
    found = _SIZE.fullmatch(str(node.take(key)))
    size = int(found[1]) * _SIZES[found[2]] if found else 0
    return size or node.refuse(key, "a size such as 512kB or 1MB")


def _path(node: Node, key: str, folder: Path) -> Path:
    return folder / Path(node.text(key)).expanduser()


def _optional_path(node: Node, key: str, folder: Path) -> Path | None:
    return _path(node, key, folder) if node.given(key) else None


def _both(node: Node, one: str, other: str) -> None:
    for key, missing in ((one, other), (other, one)):
        if node.given(key) and not node.given(missing):
            node.refuse(key, f"{missing!r} beside it")
