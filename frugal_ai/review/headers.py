"""Headers that tell a browser to load and run nothing but what the page itself brings."""

import base64
import hashlib
from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def policy(styles: Sequence[str] = (), scripts: Sequence[str] = (), *, framed: bool = False) -> str:
    """Return the Content-Security-Policy of pages with these inline styles and scripts.

    Parameters
    ----------
    styles, scripts
        What stands between the tags, sign by sign. Attributes such as ``style`` and ``onclick`` are
        never allowed.
    framed
        Whether other pages may hold these in a frame: what stands in a page itself cannot tell.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_sources(styles)}",
            f"script-src {_sources(scripts)}",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            *(() if framed else ("frame-ancestors 'none'",)),
        )
    )


def _sources(texts: Sequence[str]) -> str:
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    found = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return found or "'none'"


class SecurityHeaders:
    """Adds them to every answer, an error's included.

    Parameters
    ----------
    app
        What answers.
    content_policy
        As `policy` returns it.
    private
        Whether pages say who looks at them: no cache between gives them to others.
    """

    def __init__(self, app: ASGIApp, content_policy: str, *, private: bool = False) -> None:
        self._app = app
        self._headers = {"content-security-policy": content_policy, **_FIXED}
        self._private = private

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if self._private:
                    headers.setdefault("cache-control", "private, no-cache")
                    headers.add_vary_header("cookie")
            await send(message)

        await self._app(scope, receive, with_headers)
