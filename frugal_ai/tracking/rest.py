"""Runs of an MLflow server by its REST interface, page by page, without mlflow's client.

The client makes objects of all that a run says, in several times the memory of the answer. How one
signs in is read from the variables that MLflow itself reads.
"""

import base64
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from frugal_ai.errors import TrackingError
from frugal_ai.tracking.content import ROLE
from frugal_ai.tracking.records import DONE, RunRecord
from frugal_ai.tracking.uri import reason, shown

PAGE = 200  # runs of an answer, 8 kB each
_TIMEOUT_S = 60.0
_EXPECTED = "expected the answer of an MLflow server"
_ORDER = ["attributes.end_time DESC", "attributes.run_id"]
_OURS = f"tags.`{ROLE}` LIKE 'ru%'"  # run and rung


def search(uri: str, also: str = "") -> Iterator[list[RunRecord]]:
    """Yield the finished or interrupted runs of frugal-ai by pages, those that ended last first.

    Parameters
    ----------
    uri
        Of the server.
    also
        What else must hold, in MLflow's words.

    Raises
    ------
    TrackingError
        If the server cannot be asked.
    """
    wanted = f"{_OURS} and {also}" if also else _OURS
    for page in _search(uri, wanted) if plain(uri) else _by_client(uri, wanted):
        yield [one for one in page if one.status in DONE]


def _search(uri: str, wanted: str) -> Iterator[list[RunRecord]]:
    experiments = list(_experiments(uri))
    if not experiments:
        return
    asked = {
        "experiment_ids": experiments,
        "filter": wanted,
        "max_results": PAGE,
        "order_by": _ORDER,
    }
    for answer in _pages(uri, "runs/search", asked):
        try:
            found = [_record(one) for one in answer.get("runs", ())]
        except (KeyError, TypeError, ValueError) as error:
            raise TrackingError(f"{shown(uri)}: {_EXPECTED}, got {error!r} in a run") from error
        yield found


def _by_client(uri: str, wanted: str) -> Iterator[list[RunRecord]]:
    from frugal_ai.tracking.search import search_pages

    return search_pages(uri, wanted, _ORDER, PAGE)


def named(uri: str, run_ids: Sequence[str]) -> Iterator[RunRecord]:
    """Yield runs that are named, in full; one that is not there is left out.

    Raises
    ------
    TrackingError
        If the server cannot be asked.
    """
    for start in range(0, len(run_ids), PAGE):
        names = ", ".join(f"'{one}'" for one in run_ids[start : start + PAGE])
        for page in search(uri, f"attributes.run_id IN ({names})"):
            yield from page


def _experiments(uri: str) -> Iterator[str]:
    for answer in _pages(uri, "experiments/search", {"max_results": 1000}):
        yield from (str(one["experiment_id"]) for one in answer.get("experiments", ()))


def _pages(uri: str, what: str, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        answer = _answer(uri, what, {**asked, "page_token": token} if token else asked)
        yield answer
        token = answer.get("next_page_token", "")
        if not token:
            return


def _record(run: dict[str, Any]) -> RunRecord:
    info, data = run["info"], run.get("data", {})
    return RunRecord(
        run_id=info["run_id"],
        status=info["status"],
        artifact_uri=info.get("artifact_uri", ""),
        started=int(info.get("start_time") or 0),
        ended=int(info.get("end_time") or 0),
        tags={one["key"]: one.get("value", "") for one in data.get("tags", ())},
        metrics={one["key"]: float(one["value"]) for one in data.get("metrics", ())},
    )


def _answer(uri: str, what: str, asked: dict[str, Any]) -> dict[str, Any]:
    address, headers = _signed(uri)
    request = urllib.request.Request(  # noqa: S310 - `plain` lets http and https alone come here
        f"{address}/api/2.0/mlflow/{what}",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=_tls()) as answer:  # noqa: S310 - as above
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(300).decode("utf-8", "replace").strip()
        why = f"{error.code} {error.reason}: {said}"
        raise TrackingError(f"{shown(uri)}: cannot be read: {why}") from error
    except (OSError, ValueError) as error:
        why = str(error.reason) if isinstance(error, urllib.error.URLError) else reason(error)
        raise TrackingError(f"{shown(uri)}: cannot be read: {why}") from error
    if not isinstance(found, dict):
        raise TrackingError(f"{shown(uri)}: {_EXPECTED}, got {type(found).__name__}")
    return found


def plain(uri: str) -> bool:
    """Tell whether a server is asked by this module: over HTTP, signing in by name or token."""
    odd = ("MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4", "MLFLOW_TRACKING_CLIENT_CERT_PATH")
    return urlsplit(uri).scheme in {"http", "https"} and not any(map(os.environ.get, odd))


def _signed(uri: str) -> tuple[str, dict[str, str]]:
    """Return an address without its password, and the header that says who asks."""
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    name = unquote(parts.username or "") or os.environ.get("MLFLOW_TRACKING_USERNAME", "")
    password = unquote(parts.password or "") or os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
    token = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
    headers = {}
    if name and password:
        said = base64.b64encode(f"{name}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {said}"}
    elif token:
        headers = {"Authorization": f"Bearer {token}"}
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")), headers


def _tls() -> ssl.SSLContext:
    """Trust whom MLflow's own variables say, by default whom the system trusts."""
    context = ssl.create_default_context(cafile=os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"))
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in {"true", "1"}:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
