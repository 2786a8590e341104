"""From ASGI to a handler and back: access, body, answer; and every error as a problem."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from frugal_edge.errors import EdgeError
from frugal_edge.http.auth import Access, Auth
from frugal_edge.http.call import Answer, Call
from frugal_edge.http.payload import receive_body
from frugal_edge.http.problems import DisconnectedError, ProblemError, answer_of, problem_of

Handler = Callable[[Call], Answer]
Together = Callable[[Sequence[Call]], Sequence[Answer | EdgeError | RecursionError]]


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
    together
        What answers several requests at once for less than one by one, if there is such.
    """

    def __init__(
        self,
        handler: Handler,
        access: Access,
        auth: Auth,
        limit: int = 0,
        together: Together | None = None,
    ) -> None:
        self._handler = handler
        self._access = access
        self._auth = auth
        self._together = together
        self.limit = limit

    @property
    def gathers(self) -> bool:
        """Whether several requests at once cost less."""
        return self._together is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that Starlette has routed."""
        await self.answer(scope, scope["path_params"], receive, send)

    async def answer(
        self, scope: Scope, params: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        """Answer a request with the parts of its path; without access its body is not read."""
        headers = dict(scope["headers"])
        self._auth.check(headers, self._access)
        limit = self.limit
        body = await receive_body(headers, receive, limit) if limit else b""
        await send_answer(send, self._handler(Call(headers, params, body)))

    def reply(self, call: Call) -> Answer:
        """Answer a request that is here as a whole; what is refused is told as a problem."""
        try:
            self._auth.check(call.headers, self._access)
            return self._handler(call)
        except (EdgeError, RecursionError) as error:
            return refusal(error)

    def replies(self, calls: Sequence[Call]) -> list[Answer]:
        """Answer several requests as `reply` does one."""
        if self._together is None:
            return [self.reply(call) for call in calls]
        found: dict[int, Answer | EdgeError | RecursionError] = {}
        for number, call in enumerate(calls):
            try:
                self._auth.check(call.headers, self._access)
            except EdgeError as error:
                found[number] = error
        admitted = [number for number in range(len(calls)) if number not in found]
        answers = self._together([calls[number] for number in admitted])
        found |= dict(zip(admitted, answers, strict=True))
        every = (found[number] for number in range(len(calls)))
        return [refusal(one) if isinstance(one, Exception) else one for one in every]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A route that is found by the two ends of its path, without a search through all of them."""

    method: str
    start: str
    end: str
    name: str
    endpoint: Endpoint

    def params(self, method: str, path: str) -> dict[str, str] | None:
        """Return the parts of a path that is one of this route."""
        if method == self.method and path.startswith(self.start) and path.endswith(self.end):
            name = path[len(self.start) : -len(self.end)]
            return {self.name: name} if name else None
        return None


Found = tuple[Endpoint, dict[str, str]]


def shortest(shortcuts: Iterable[Shortcut], method: str, path: str) -> Found | None:
    """Find the endpoint of a path by its shortcuts, and the parts of the path."""
    for one in shortcuts:
        params = one.params(method, path)
        if params is not None:
            return one.endpoint, params
    return None


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
            found = shortest(self._shortcuts, scope["method"], scope["path"])
            if found is None:
                await self._app(scope, receive, send)
            else:
                endpoint, params = found
                await endpoint.answer(scope, params, receive, send)
        except DisconnectedError:
            return
        except (EdgeError, RecursionError) as error:
            await send_answer(send, refusal(error))


def refusal(error: EdgeError | RecursionError) -> Answer:
    """Tell why a request is refused."""
    if isinstance(error, EdgeError):
        return answer_of(problem_of(error))
    return answer_of(ProblemError(400, "body: expected less nesting"))


async def send_answer(send: Send, given: Answer) -> None:
    """Send an answer whose body is complete."""
    status, headers, body = given
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
