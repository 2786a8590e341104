"""A gateway with one model on a free loopback port, for `http_speed`; or bare ASGI beside it.

Prints the port and the identity of the model; ends with its standard input.
"""

import argparse
import asyncio
import csv
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import uvicorn
from frugal_edge.clock import parse_time
from frugal_edge.gateway.config import GatewayConfig, HttpSettings
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http.server import listen, serve_http
from frugal_edge.install.installer import How, install
from frugal_edge.trust.keys import TrustStore
from starlette.types import Receive, Scope, Send

CONSTANT = b'{"constant": true}'


async def _bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request, its JSON too, and give a constant, which is what uvicorn alone can do."""
    if scope["method"] == "POST":
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        orjson.loads(body)
    length = str(len(CONSTANT)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": CONSTANT})


async def _until_stdin_ends(stop: asyncio.Event) -> None:
    await asyncio.to_thread(sys.stdin.read)
    stop.set()


async def _serve_bare() -> None:
    stop = asyncio.Event()
    opened = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        _bare, http="h11", loop="none", ws="none", lifespan="off",
        log_config=None, access_log=False, proxy_headers=False, server_header=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    print(opened.getsockname()[1], "-", flush=True)
    task = asyncio.create_task(server.serve([opened]))
    await _until_stdin_ends(stop)
    server.should_exit = True
    await task


async def _serve_gateway(state: Path, folder: Path, trust: Path, example: Path) -> None:
    shutil.copytree(trust, state / "trust")
    install(state, folder, TrustStore.read(state / "trust"), How(trial=0))
    series_id, newest, rows = _rows(example)
    gateway = Gateway(GatewayConfig("bench", state), clock=lambda: float(newest))
    for start in range(0, len(rows), 1000):
        gateway.observe(series_id, rows[start : start + 1000], "bench")
    gateway.cycle()
    (loaded,) = gateway.installed.loaded.values()
    settings = HttpSettings(port=_free_port())
    print(settings.port, loaded.forecaster.manifest.id, flush=True)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_http(gateway, settings, stop))
        group.create_task(_until_stdin_ends(stop))
    gateway.close()


def _free_port() -> int:
    with listen("127.0.0.1", 0) as opened:
        port: int = opened.getsockname()[1]
        return port


def _rows(example: Path) -> tuple[str, int, list[dict[str, Any]]]:
    """Return the series, the end of its readings [unix s], and what arrives."""
    rows: list[dict[str, Any]] = []
    ends = []
    series_id = ""
    for name in ("history.csv", "known.csv"):
        with (example / name).open() as file:
            for row in csv.DictReader(file):
                series_id = row.pop("series_id")
                columns = {k: float(v) for k, v in row.items() if k != "timestamp"}
                rows.append({"timestamp": row["timestamp"], **columns})
                if name == "history.csv":
                    ends.append(parse_time(row["timestamp"]))
    return series_id, ends[-1] + ends[1] - ends[0], rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("gateway", "bare"))
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--example", type=Path)
    parser.add_argument("--trust", type=Path)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.core})
    if options.kind == "bare":
        asyncio.run(_serve_bare())
        return
    with TemporaryDirectory() as state:
        asyncio.run(_serve_gateway(Path(state), options.bundle, options.trust, options.example))


if __name__ == "__main__":
    main()
