"""JSON over HTTP: with time limits, and with as many retries as are worth it."""

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx

from frugal_ai import __version__
from frugal_ai.errors import FetchError, PipelineError

_QUOTED = 200  # characters of a service's own message that an error quotes


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a service is waited for, and how often it is asked again.

    Attributes
    ----------
    connect_s, read_s
        Limit for the connection, and for the time between two parts of an answer [s].
    total_s
        Limit for one question with all its retries and waits [s].
    tries
        How often one question is asked at most.
    first_wait_s, longest_wait_s
        Wait before the second try; it doubles with each try up to the longest one [s].
    quota_wait_s
        Least wait after an answer 429 that does not say how long [s].
    """

    connect_s: float = 10.0
    read_s: float = 60.0
    total_s: float = 600.0
    tries: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    quota_wait_s: float = 30.0


@dataclass(frozen=True)
class Failure:
    """Why a try failed, and what the service says about the wait before the next one [s]."""

    reason: str
    retry_after_s: float | None = None
    quota: bool = False


class _AgainError(Exception):
    """A try failed in a way that may pass; caught by `Client.get_json`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@dataclass
class Client:
    """Asks one service for JSON.

    Attributes
    ----------
    url
        Address that all paths follow.
    patience
        Time limits and retries.
    waits
        Is told how long is waited [s] and why.
    headers
        Sent with each question beside the usual ones, such as a token; no error shows them.
    sleep, clock, jitter
        Wait [s]; time that only grows [s]; a number between two others.
    """

    url: str
    patience: Patience = field(default_factory=Patience)
    waits: Callable[[float, str], None] = lambda _seconds, _reason: None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[float, float], float] = random.uniform

    def __post_init__(self) -> None:
        if not re.match(r"https?://[^/]", self.url):
            raise PipelineError(f"--url: expected an address http(s)://…, got {self.url!r}")
        self.url = self.url.rstrip("/")
        limit = httpx.Timeout(self.patience.read_s, connect=self.patience.connect_s)
        self._client = httpx.Client(
            timeout=limit,
            follow_redirects=not self.headers,  # a token stays with the address it was given for
            headers={
                "User-Agent": f"frugal-ai/{__version__}",
                "Accept": "application/json",
                **self.headers,
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def get_json(self, path: str, params: Mapping[str, str]) -> tuple[Any, str]:
        """Ask until there is an answer, or until it is no use to ask again.

        Parameters
        ----------
        path
            Follows the client's address.
        params
            The question.

        Returns
        -------
        answer : Any
            The JSON of the answer.
        url : str
            The address with the question, as it was asked.

        Raises
        ------
        FetchError
            If the service cannot be reached, refuses, or answers with something else than JSON.
        """
        try:
            request = self._client.build_request("GET", f"{self.url}/{path}", params=dict(params))
        except httpx.InvalidURL as error:
            raise PipelineError(f"--url: {self.url}: {error}") from None
        deadline = self.clock() + self.patience.total_s
        for tried in range(1, self.patience.tries + 1):
            try:
                return self._ask(request, deadline), str(request.url)
            except _AgainError as again:
                self._wait(again.failure, tried, deadline)
        raise AssertionError("the last try returns or raises")

    def _wait(self, failure: Failure, tried: int, deadline: float) -> None:
        """Wait before the next try, or give up."""
        if tried == self.patience.tries:
            raise FetchError(f"{self.url}: {failure.reason}; given up after {tried} tries")
        wait = _wait_s(failure, tried, self.patience, self.jitter)
        if self.clock() + wait > deadline:
            raise FetchError(
                f"{self.url}: {failure.reason}; the next try would come in {wait:.0f} s, beyond"
                f" the limit of {self.patience.total_s:.0f} s; try again later"
            )
        self.waits(wait, failure.reason)
        self.sleep(wait)

    def _ask(self, request: httpx.Request, deadline: float) -> Any:
        """Ask once.

        Raises
        ------
        _AgainError
            If another try may help.
        """
        try:
            response = self._client.send(request, stream=True)
            try:
                content = self._read(response, deadline)
            finally:
                response.close()
        except httpx.TimeoutException as error:
            limit = (
                self.patience.connect_s
                if isinstance(error, httpx.ConnectTimeout)
                else self.patience.read_s
            )
            raise _AgainError(Failure(f"no answer within {limit:g} s")) from None
        except httpx.TooManyRedirects:
            raise FetchError(f"{self.url}: redirected too often") from None
        except httpx.RequestError as error:  # no connection, cut, or broken in between
            reason = str(error) or type(error).__name__
            raise _AgainError(Failure(f"connection failed: {_short(reason)}")) from None
        return self._parsed(response, content)

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        """Read an answer as a whole; a service that only drips is not waited for forever."""
        parts = []
        for part in response.iter_bytes():
            parts.append(part)
            if self.clock() > deadline:
                raise FetchError(
                    f"{self.url}: expected an answer within {self.patience.total_s:.0f} s,"
                    f" got {sum(map(len, parts))} bytes of one"
                )
        return b"".join(parts)

    def _parsed(self, response: httpx.Response, content: bytes) -> Any:
        status = response.status_code
        said = f"answer {status} {_phrase(status)}: {quoted(content)}"
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            after = _retry_after(response.headers.get("Retry-After"))
            raise _AgainError(Failure(said, after, quota=True))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            after = _retry_after(response.headers.get("Retry-After"))
            raise _AgainError(Failure(said, after))
        if status != HTTPStatus.OK:
            raise FetchError(f"{self.url}: {said}")
        try:
            return json.loads(content)
        except ValueError:
            if content.lstrip()[:1] in (b"[", b"{"):  # cut where no length was announced
                raise _AgainError(Failure(f"cut answer of {len(content)} bytes")) from None
            kind = response.headers.get("Content-Type", "no content type")
            raise FetchError(f"{self.url}: expected JSON, got {kind}: {quoted(content)}") from None


def _wait_s(
    failure: Failure, tried: int, patience: Patience, jitter: Callable[[float, float], float]
) -> float:
    """Return the wait before the next try [s].

    It doubles with each try and is spread by half, so that many clients that failed together do
    not come back together.
    """
    longest = min(patience.first_wait_s * 2 ** (tried - 1), patience.longest_wait_s)
    wait = jitter(longest / 2, longest)
    if failure.retry_after_s is not None:
        return max(wait, failure.retry_after_s)
    return max(wait, patience.quota_wait_s) if failure.quota else wait


def _retry_after(value: str | None) -> float | None:
    """Read the header Retry-After: seconds, or a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def quoted(content: bytes) -> str:
    """Shorten what a service says; its own words, if it says them in JSON."""
    text = content[:10_000].decode(errors="replace")
    try:
        said = json.loads(content)
    except ValueError:
        said = None
    if isinstance(said, dict):
        text = str(next((said[key] for key in ("message", "reason", "error") if key in said), text))
    return _short(re.sub(r"<[^>]*>", " ", text)) or "nothing"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED]}…"
