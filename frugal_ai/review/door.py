"""Lets nobody in whom nobody knows, but to the page where one signs in."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from frugal_ai.review.words import language_of, words

if TYPE_CHECKING:
    from frugal_ai.review.review import Review

_OPEN = {"/login"}


class Door:
    """Stands before a private board."""

    def __init__(self, app: ASGIApp, review: "Review") -> None:
        self._app = app
        self._review = review

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or send whoever asks to sign in first."""
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if self._review.visitor(request) is not None:
            await self._app(scope, receive, send)
            return
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        from frugal_ai.review.review import login_path

        if self._review.doorman.proxy is None and request.method in {"GET", "HEAD"}:
            return RedirectResponse(login_path(request), 303)
        language = language_of(request)
        told = words(language)["who" if self._review.doorman.proxy is None else "proxy_signs_in"]
        return HTMLResponse(self._review.frame(request, language, told, f"<p>{told}</p>"), 401)
