"""From ASGI to a handler and back: access, body, answer; and every error as a problem."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from frugal_edge.errors import EdgeError
from frugal_edge.http.auth import Access, Auth
from frugal_edge.http.call import Answer, Call
from frugal_edge.http.payload import receive_body
from frugal_edge.http.problems import DisconnectedError, ProblemError, answer_of, problem_of

Handler = Callable[[Call], Answer]


class Endpoint:
    """One route.

    Parameters
    ----------
    handler
        What answers; a plain function, for the gateway works in one thread.
    access
        What it asks for.
    auth
        The tokens.
    limit
        Largest body [bytes]; 0 where none is read.
    """

    def __init__(self, handler: Handler, access: Access, auth: Auth, limit: int = 0) -> None:
        self._handler = handler
        self._access = access
        self._auth = auth
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that Starlette has routed."""
        await self.answer(scope, scope["path_params"], receive, send)

    async def answer(
        self, scope: Scope, params: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        """Answer a request with the parts of its path."""
        headers = dict(scope["headers"])
        self._auth.check(headers, self._access)
        limit = self._limit
        body = await receive_body(headers, receive, limit) if limit else b""
        await send_answer(send, self._handler(Call(headers, params, body)))


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A route that is found by the two ends of its path, without a search through all of them."""

    method: str
    start: str
    end: str
    name: str
    endpoint: Endpoint


class Guard:
    """Around all routes: shortcuts first, and errors told as problems."""

    def __init__(self, app: ASGIApp, shortcuts: tuple[Shortcut, ...]) -> None:
        self._app = app
        self._shortcuts = shortcuts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            path, method = scope["path"], scope["method"]
            for one in self._shortcuts:
                if method == one.method and path.startswith(one.start) and path.endswith(one.end):
                    name = path[len(one.start) : -len(one.end)]
                    if name:
                        await one.endpoint.answer(scope, {one.name: name}, receive, send)
                        return
            await self._app(scope, receive, send)
        except DisconnectedError:
            return
        except RecursionError:
            deep = ProblemError(400, "body: expected less nesting")
            await send_answer(send, answer_of(deep))
        except EdgeError as error:
            await send_answer(send, answer_of(problem_of(error)))


async def send_answer(send: Send, given: Answer) -> None:
    """Send an answer whose body is complete."""
    status, headers, body = given
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
