"""What review answers: signing in and out, and decisions."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, get_args
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from frugal_ai.errors import (
    FrugalError,
    OutputError,
    ReviewError,
    StaleEvidenceError,
    TrackingError,
    UnknownModelError,
)
from frugal_ai.review import text
from frugal_ai.review.forms import RefusedError, check_origin, read_form, safe_path
from frugal_ai.review.pages import render
from frugal_ai.review.situation import Proposal
from frugal_ai.review.visitor import Visitor, cookie_name, is_local, login_cookie
from frugal_ai.review.words import language_of, words
from frugal_ai.tracking.stages import Stage

if TYPE_CHECKING:
    from frugal_ai.review.accounts import Account
    from frugal_ai.review.review import Review

Handler = Callable[[Request], Awaitable[Response]]

_BEFORE_S = 1800
_STATUS: dict[type[FrugalError], int] = {
    UnknownModelError: 404,
    StaleEvidenceError: 409,
    ReviewError: 422,
    TrackingError: 503,
    OutputError: 503,
}

_log = logging.getLogger("frugal_ai.review")


class Handlers:
    """Answers for a review."""

    def __init__(self, review: "Review") -> None:
        self._review = review
        self._sessions = review.doorman.sessions

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/login", self._told(self._login_page), methods=["GET"]),
            Route("/login", self._told(self._login), methods=["POST"]),
            Route("/logout", self._told(self._logout), methods=["POST"]),
            Route("/models/{run_id}/decision", self._told(self._decision), methods=["POST"]),
        ]

    def _told(self, handler: Handler) -> Handler:
        """Answer with a page where something is refused."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except RefusedError as refused:
                told = words(language_of(request))[refused.why]
                return self._refusal(request, refused.status, told)
            except FrugalError as error:
                kinds = (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
                return self._refusal(request, next(kinds, 500), str(error))

        return answer

    async def _login_page(self, request: Request) -> Response:
        following = safe_path(request.query_params.get("next", "/"))
        return self._login_form(request, following, 200, "")

    async def _login(self, request: Request) -> Response:
        if self._review.doorman.proxy is not None:
            raise RefusedError(403, "proxy_signs_in")
        form = await read_form(request)
        self._check_private(request)
        before = request.cookies.get(login_cookie(request), "")
        if not before or not self._sessions.is_token(form.get("token", ""), f"login {before}"):
            raise RefusedError(403, "token")
        name, following = form.get("name", "").strip(), safe_path(form.get("next", "/"))
        address = request.client.host if request.client else ""
        language = words(language_of(request))
        wait = self._review.limiter.wait_s(address, name)
        if wait:
            told = language["wait"].format(seconds=wait)
            _log.warning("sign-in refused for now: %s from %s", text.logged(name), address)
            answer = self._login_form(request, following, 429, told)
            answer.headers["retry-after"] = str(wait)
            return answer
        # counted before the hash is made, so that many at once are counted, too
        self._review.limiter.failed(address, name)
        account = await self._account(name, form.get("password", ""))
        if account is None:
            _log.warning("sign-in failed: %s from %s", text.logged(name), address)
            return self._login_form(request, following, 403, language["wrong"])
        self._review.limiter.succeeded(address, name)
        _log.info("signed in: %s from %s", account.name, address)
        return self._signed_in(request, account, following)

    async def _account(self, name: str, password: str) -> "Account | None":
        try:
            return await run_in_threadpool(self._review.doorman.accounts.check, name, password)
        except ReviewError as error:
            _log.error("accounts: %s", error)
            raise RefusedError(503, "unavailable") from error

    def _signed_in(self, request: Request, account: "Account", following: str) -> Response:
        old = self._review.visitor(request)
        if old is not None and old.session is not None:
            self._sessions.end(old.session)
        answer = RedirectResponse(following, 303)
        answer.delete_cookie(
            login_cookie(request), secure=not is_local(request), httponly=True, samesite="strict"
        )
        answer.set_cookie(
            cookie_name(request),
            self._sessions.begin(account),
            max_age=self._sessions.lifetime_s,
            path="/",
            secure=not is_local(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _logout(self, request: Request) -> Response:
        form = await read_form(request)
        visitor = self._review.visitor(request)
        if visitor is not None and visitor.session is not None:
            self._check_token(form, visitor)
            self._sessions.end(visitor.session)
            _log.info("signed out: %s", visitor.name)
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(
            cookie_name(request), path="/", secure=not is_local(request), httponly=True,
            samesite="strict",
        )  # fmt: skip
        return answer

    async def _decision(self, request: Request) -> Response:
        check_origin(request)
        visitor = self._review.visitor(request)
        if visitor is None:
            raise RefusedError(401, "who")
        if visitor.role != "reviewer":
            _log.warning("decision refused: %s is %s", visitor.name, visitor.role)
            raise RefusedError(403, "readers")
        form = await read_form(request)
        self._check_token(form, visitor)
        proposal = _proposal(request.path_params["run_id"], visitor, form)
        decision = await run_in_threadpool(
            self._review.decide, self._review.uri, self._review.record, proposal
        )
        _log.info(
            "decision %d: %s: %s %s", decision.number, decision.by, decision.run_id, decision.stage
        )
        language = request.query_params.get("lang")
        query = f"?lang={language_of(request)}" if language else ""
        return RedirectResponse(f"/models/{quote(decision.run_id)}{query}#decisions", 303)

    def _check_token(self, form: dict[str, str], visitor: Visitor) -> None:
        if not self._sessions.is_token(form.get("token", ""), visitor.binding):
            raise RefusedError(403, "token")

    def _check_private(self, request: Request) -> None:
        """Refuse a password that anybody on the way could read, as far as that is known here."""
        if not is_local(request) and request.headers.get("origin", "").startswith("http:"):
            raise RefusedError(403, "plain_http")

    def _login_form(self, request: Request, following: str, status: int, told: str) -> Response:
        language = language_of(request)
        proxied = self._review.doorman.proxy is not None
        before = request.cookies.get(login_cookie(request)) or secrets.token_urlsafe(16)
        told = told or (words(language)["proxy_signs_in"] if proxied else "")
        body = render(
            "login.html",
            language,
            told=told,
            token=None if proxied else self._sessions.token(f"login {before}"),
            next=following,
        )
        title = words(language)["sign_in"]
        answer = HTMLResponse(self._review.frame(request, language, title, body), status)
        answer.headers["cache-control"] = "no-store"
        if not proxied:
            answer.set_cookie(
                login_cookie(request), before, max_age=_BEFORE_S, path="/", httponly=True,
                secure=not is_local(request), samesite="strict",
            )  # fmt: skip
        return answer

    def _refusal(self, request: Request, status: int, told: str) -> Response:
        language = language_of(request)
        run_id = request.path_params.get("run_id")
        back = "/" if run_id is None else f"/models/{quote(run_id, safe='')}"
        body = render("refused.html", language, told=told, back=back)
        title = words(language)["refused"]
        answer = HTMLResponse(self._review.frame(request, language, title, body), status)
        answer.headers["cache-control"] = "no-store"
        return answer


def _proposal(run_id: str, visitor: Visitor, form: dict[str, str]) -> Proposal:
    stage = next((one for one in get_args(Stage) if one == form.get("stage")), None)
    if stage is None:
        raise RefusedError(422, "stage")
    return Proposal(
        run_id=run_id,
        stage=stage,
        by=visitor.name,
        why=form.get("why", ""),
        via=visitor.via,
        evidence=form.get("evidence", ""),
        override=form.get("override") == "yes",
    )
