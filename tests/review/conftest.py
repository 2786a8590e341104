"""A store with a run that waits for a decision, and a board that it is reviewed on."""

import asyncio
import html
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

import frugal_ai.tracking.uri  # noqa: F401 - the package sets what mlflow reads when it is imported
from frugal_ai.review.accounts import Accounts, add_account
from frugal_ai.review.decisions import Decisions
from frugal_ai.review.limiter import Limiter
from frugal_ai.review.pages import plain_frame
from frugal_ai.review.promotion import decide
from frugal_ai.review.proxy import Proxy
from frugal_ai.review.review import Review
from frugal_ai.review.sessions import Sessions
from frugal_ai.review.visitor import Doorman

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody

RunMaker = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def quick(hasty_disk: None) -> None:
    """Let SQLite not wait for the disk."""


@dataclass
class Clock:
    """A time that goes on when a test says so [s]."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@dataclass(frozen=True)
class Store:
    """A tracking store beside runs that were logged to it."""

    runs: Path
    make_run: RunMaker

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.runs}/mlflow.db"

    @property
    def record(self) -> Decisions:
        return Decisions(self.runs / "decisions.jsonl")

    def log(self, run_id: str, **changes: Any) -> str:
        """Log a run with invented figures; return its id."""
        from frugal_ai.tracking import log_run

        log_run(self.make_run(self.runs, run_id=run_id, **changes), self.uri)
        return run_id


@pytest.fixture
def store(tmp_path: Path, empty_store: Path, make_run: RunMaker) -> Store:
    """Make a store with one run, ``first``."""
    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copy(empty_store, runs)
    found = Store(runs, make_run)
    found.log("first")
    return found


@dataclass
class Browser:
    """Somebody who looks at a board; cookies are kept, redirects are not followed."""

    app: Starlette
    base: str = "http://127.0.0.1:8080"
    address: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._ask("GET", path, headers, None)

    def post(self, path: str, data: dict[str, str] | bytes, **headers: str) -> httpx.Response:
        return self._ask("POST", path, headers, data)

    def sign_in(self, name: str, password: str = PASSWORD, following: str = "/") -> httpx.Response:
        page = self.get(f"/login?next={following}")
        form = {"token": token_of(page), "name": name, "password": password}
        return self.post("/login", form | {"next": value_of(page, "next")})

    def form(self, run_id: str = "first", **fields: str) -> dict[str, str]:
        """Return the fields of the form to decide on a run, as they are shown, and some more."""
        page = self.get(f"/models/{run_id}")
        hidden = {name: value_of(page, name) for name in ("token", "evidence")}
        return hidden | {"stage": "champion", "why": "the best that we have"} | fields

    def decide(self, run_id: str = "first", **fields: str) -> httpx.Response:
        return self.post(f"/models/{run_id}/decision", self.form(run_id, **fields))

    def _ask(
        self, method: str, path: str, headers: dict[str, str], data: dict[str, str] | bytes | None
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(self.address, 50000))
            async with httpx.AsyncClient(
                transport=transport, base_url=self.base, cookies=self.cookies
            ) as client:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                body = {"content": data} if isinstance(data, bytes) else {"data": data}
                answer = await client.request(method, path, headers=self.headers | named, **body)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())


def value_of(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def token_of(page: httpx.Response) -> str:
    return value_of(page, "token")


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make accounts of a reader and two reviewers, whose hashes cost little."""
    path = tmp_path_factory.mktemp("accounts") / "accounts.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("frugal_ai.review.accounts._N", 16)
        add_account(path, "ada", "reviewer", PASSWORD)
        add_account(path, "bob", "reviewer", PASSWORD)
        add_account(path, "rosa", "reader", PASSWORD)
    return path


@pytest.fixture
def review(store: Store, accounts: Path) -> Review:
    sessions = Sessions(Fernet.generate_key())
    doorman = Doorman(Accounts(accounts), sessions)
    return Review(store.uri, store.record, doorman, limiter=Limiter(), decide=decide)


def board(review: Review) -> Starlette:
    """A page for each model, with nothing on it but what review adds."""

    def model(request: Request) -> HTMLResponse:
        run_id = request.path_params["run_id"]
        parts = (
            review.visitor_bar(request),
            review.form_for(request, run_id),
            review.history_for(run_id),
        )
        return HTMLResponse(plain_frame(request, "en", run_id, "".join(parts)))

    routes = [Route("/models/{run_id}", model), *review.routes()]
    return Starlette(routes=routes, middleware=review.middleware())


@pytest.fixture
def browser(review: Review) -> Browser:
    return Browser(board(review))


@pytest.fixture
def behind_proxy(review: Review) -> Callable[..., Browser]:
    """Make somebody who comes through a proxy that signs in, or pretends to."""

    def make(address: str, trusted: tuple[str, ...] = ("10.0.0.0/28",), **headers: str) -> Browser:
        doorman = Doorman(
            review.doorman.accounts, review.doorman.sessions, Proxy.of("X-Remote-User", trusted)
        )
        proxied = Review(review.uri, review.record, doorman, decide=decide)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Browser(board(proxied), "https://board.example", address, named)

    return make
