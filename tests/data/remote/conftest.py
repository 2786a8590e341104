"""A service on loopback that answers with the documented shapes, and with faults when told to."""

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from frugal_ai.data.remote.http import Client, Patience

PARIS = ZoneInfo("Europe/Paris")
MEASURED: dict[str, Any] = {
    "consommation": 50_000, "fioul": 100, "charbon": 10, "gaz": 3_000, "nucleaire": 40_000,
    "eolien": 5_000, "eolien_terrestre": "4900", "eolien_offshore": "ND", "solaire": 2_000,
    "hydraulique": 6_000, "pompage": -500, "bioenergies": 900, "ech_physiques": -4_000,
    "taux_co2": 40,
}  # fmt: skip


@dataclass
class Answer:
    """What the service sends, and how."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0  # bytes that are announced and not sent
    announced: bool = True  # whether the length is
    slow: bool = False


@dataclass
class Service:
    """Both services in one: what they hold, which faults come first, and what they were asked."""

    consolidated_until: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    until: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    since: datetime = datetime(2012, 1, 1, tzinfo=UTC)
    faults: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    empty: set[str] = field(default_factory=set)  # months
    change: Callable[[Any], Any] = lambda answer: answer
    url: str = ""
    stop: Event = field(default_factory=Event)

    def months(self) -> list[str]:
        """List what was asked for, dataset and month."""
        return [f"{path.split('/')[-3]} {_span(params)[0]:%Y-%m}" for path, params, _ in self.asked]

    def answer(self, path: str, params: dict[str, str], headers: dict[str, str]) -> Answer:
        self.asked.append((path, params, headers))
        if self.faults:
            return self.faults.pop(0)
        body = self._weather(params) if path.endswith("/forecast") else self._eco2mix(path, params)
        return Answer(self.change(body))

    def _eco2mix(self, path: str, params: dict[str, str]) -> Any:
        dataset = path.split("/")[-3]
        start, end = _span(params)
        if f"{start:%Y-%m}" in self.empty:
            return []
        codes = re.findall(r"code_insee_region = '(\d+)'", params["where"])
        regions = [(code, None) for code in codes or ["53", "93"]]
        places = regions if "regional" in dataset else [("", "France")]
        steps = int((end - start) / timedelta(minutes=15))
        times = [start + timedelta(minutes=15) * i for i in range(steps)]
        times = [t for t in times if self.since <= t < self.until]
        real_time = dataset.endswith("-tr")
        return [
            self._record(t, code, name, real_time=real_time) for t in times for code, name in places
        ]

    def _record(
        self, t: datetime, code: str, perimetre: str | None, *, real_time: bool
    ) -> dict[str, Any]:
        local = t.astimezone(PARIS)
        filled = real_time or (t.minute in (0, 30) and t < self.consolidated_until)
        scale = 0.05 if code else 1.0
        values: dict[str, Any] = {
            name: value if isinstance(value, str) else round(value * scale)
            for name, value in MEASURED.items()
        }
        hour = local.hour + local.minute / 60
        swing = 8_000 * math.sin(math.tau * hour / 24) + 3_000 * (local.weekday() < 5)
        values["consommation"] = round((50_000 + swing + 100 * temperature(t)) * scale)
        values["solaire"] = round(max(0.0, math.sin(math.tau * (hour - 6) / 24)) * 9_000 * scale)
        values["eolien"] = round((5_000 + 2_000 * math.sin(t.timestamp() / 90_000)) * scale)
        place = (
            {"code_insee_region": code, "libelle_region": f"Region {code}"}
            if code
            else {"perimetre": perimetre}
        )
        nature = "temps réel" if real_time else "définitives"
        if code:
            del values["taux_co2"]
        forecasts = {} if code else {"prevision_j1": 50_500, "prevision_j": 50_100}
        return {
            **place,
            "nature": f"Données {nature}",
            "date": f"{local:%Y-%m-%d}",
            "heure": f"{local:%H:%M}",
            "date_heure": t.isoformat(),
            **forecasts,
            **(values if filled else dict.fromkeys(values)),
        }

    def _weather(self, params: dict[str, str]) -> Any:
        start, end = (
            datetime.fromisoformat(params[key]).replace(tzinfo=UTC)
            for key in ("start_date", "end_date")
        )
        hours = int((end - start) / timedelta(hours=1)) + 24
        times = [start + timedelta(hours=i) for i in range(hours)]
        names = params["hourly"].split(",")
        units = {"temperature": "°C", "wind": "m/s", "cloud": "%", "shortwave": "W/m²"}
        found = [
            {
                "latitude": float(latitude),
                "longitude": float(longitude),
                "generationtime_ms": 0.1,
                "utc_offset_seconds": 0,
                "timezone": "GMT",
                "hourly_units": {
                    "time": "unixtime",
                    **{name: units.get(name.split("_")[0], "%") for name in names},
                },
                "hourly": {
                    "time": [int(t.timestamp()) for t in times],
                    **{
                        name: [self._forecast(name, t, float(latitude)) for t in times]
                        for name in names
                    },
                },
            }
            for latitude, longitude in zip(
                params["latitude"].split(","), params["longitude"].split(","), strict=True
            )
        ]
        return found if len(found) > 1 else found[0]

    def _forecast(self, name: str, t: datetime, latitude: float) -> float | None:
        if not self.since <= t < self.until or f"{t:%Y-%m}" in self.empty:
            return None
        variable, _, lead = name.partition("_previous_day")
        ahead = int(lead or 0)
        if variable.startswith("temperature"):
            return round(temperature(t) + (latitude - 48) / 10 + ahead, 2)
        return 5.0 + ahead + t.hour / 10


def temperature(t: datetime) -> float:
    return 12 + 8 * math.sin(math.tau * t.timetuple().tm_yday / 365) + 3 * math.sin(t.hour / 4)


def _span(params: dict[str, str]) -> tuple[datetime, datetime]:
    first, last = re.findall(r"date'([^']+)'", params["where"])
    return datetime.fromisoformat(first), datetime.fromisoformat(last)


class _Handler(BaseHTTPRequestHandler):
    service: ClassVar[Service]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        answer = self.service.answer(parts.path, params, dict(self.headers))
        if answer.slow:
            self.service.stop.wait(5)
        body = answer.body
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/html" if content.startswith(b"<") else "application/json"
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        if answer.announced:
            self.send_header("Content-Length", str(len(content) + answer.cut))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the library
        """Print nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    held = Service()

    class Handler(_Handler):
        service = held

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Print nothing where a client has gone."""

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        held.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        try:
            yield held
        finally:
            held.stop.set()
            server.shutdown()
            thread.join(10)


@pytest.fixture
def answer() -> type[Answer]:
    """Class of an answer, for faults."""
    return Answer


@pytest.fixture
def waited() -> list[float]:
    """Seconds that a client would have slept."""
    return []


@pytest.fixture
def client(service: Service, waited: list[float]) -> Iterator[Client]:
    """A client that does not sleep, and whose jitter is the longest wait."""
    with Client(
        service.url,
        Patience(total_s=1000, tries=4),
        sleep=waited.append,
        jitter=lambda _low, high: high,
    ) as made:
        yield made
