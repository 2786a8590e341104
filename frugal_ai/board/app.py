"""The leaderboard as a web application: pages, exports, files of runs, review if there is one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from frugal_ai.board.board_page import Frame, board_page, message
from frugal_ai.board.decided import section, sentences
from frugal_ai.board.entries import Entry
from frugal_ai.board.exports import badge, board_csv, board_json, board_svg
from frugal_ai.board.filters import Filters, parse
from frugal_ai.board.groups import wanted
from frugal_ai.board.links import Live
from frugal_ai.board.model_page import file_type, model_page
from frugal_ai.board.pictures import Pictures
from frugal_ai.board.ranking import Board, rank
from frugal_ai.board.render import script, style
from frugal_ai.board.standalone import svg_style
from frugal_ai.board.store import Store
from frugal_ai.board.words import LANGUAGES, words
from frugal_ai.errors import BoardError, DataError, FrugalError, ReviewError, TrackingError
from frugal_ai.review.decisions import Decisions
from frugal_ai.review.headers import SecurityHeaders, policy

if TYPE_CHECKING:
    from frugal_ai.review.review import Review

_MOST_GZIP = 500  # bytes from which an answer is compressed

Answer = Callable[[Request], Response]


def create_app(
    store: Store, review: "Review | None" = None, record: Decisions | None = None
) -> Starlette:
    """Compose the application.

    Parameters
    ----------
    store
        What is shown.
    review
        Accounts and decisions; None for a board that is only read.
    record
        Decisions that a board without review shows.
    """
    handlers = _Handlers(store, review, review.record if review else record, Pictures(store))
    styles, scripts = [style(), svg_style()], [script()]
    if review is None:
        headers = [Middleware(SecurityHeaders, content_policy=policy(styles, scripts))]
    else:
        review.frame = handlers.frame_review
        headers = review.middleware(styles, scripts)
    return Starlette(
        routes=[*handlers.routes(), *(review.routes() if review else ())],
        middleware=[*headers, Middleware(GZipMiddleware, minimum_size=_MOST_GZIP)],
        exception_handlers={404: handlers.missing},
    )


@dataclass(frozen=True)
class _Handlers:
    store: Store
    review: "Review | None"
    record: Decisions | None
    pictures: Pictures

    def routes(self) -> list[Route]:
        run = "/models/{run_id}"
        pages = {
            "/": self.board,
            "/board.csv": self.csv,
            "/board.json": self.json,
            "/board.svg": self.svg,
            "/badge.svg": self.badge,
            run: self.model,
            f"{run}/rungs/{{rung:path}}": self.model,
            f"{run}/plots/{{name}}.svg": self.plot,
            f"{run}/files/{{name:path}}": self.file,
        }
        return [Route(path, self._answered(page), methods=["GET"]) for path, page in pages.items()]

    def _answered(self, page: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Work beside the loop, and say in a page what went wrong."""

        def safely(request: Request) -> Response:
            try:
                return page(request)
            except BoardError as error:
                return self._told(request, error, 400)
            except _MissingError:
                return self._told(request, None, 404)
            except (TrackingError, DataError, ReviewError) as error:
                return self._told(request, error, 503)

        async def answer(request: Request) -> Response:
            return await run_in_threadpool(safely, request)

        return answer

    def board(self, request: Request) -> Response:
        asked = parse(request.query_params)
        return HTMLResponse(board_page(self.store.snapshot(), asked, self._frame(request)))

    def csv(self, request: Request) -> Response:
        board, asked = self._board(request)
        return Response(board_csv(board, asked), media_type="text/csv")

    def json(self, request: Request) -> Response:
        board, asked = self._board(request)
        return Response(board_json(board, asked), media_type="application/json")

    def svg(self, request: Request) -> Response:
        board, asked = self._board(request)
        frame = self._frame(request)
        return _svg(board_svg(board, asked, frame.words, frame.links))

    def badge(self, request: Request) -> Response:
        board, asked = self._board(request)
        return _svg(badge(board, asked, self._frame(request).words))

    def model(self, request: Request) -> Response:
        found = self.store.snapshot()
        frame, given = self._frame(request), request.path_params
        entry = _found(lambda: found.model(given["run_id"], given.get("rung")))
        decide = past = ""
        if entry.row.chosen:
            past = section(self.record, entry.row.run_id, frame.words)
            if self.review is not None:
                decide = self.review.form_for(request, entry.row.run_id, frame.words.language)
        return HTMLResponse(model_page(found, self.store, entry, frame, decide, past))

    def plot(self, request: Request) -> Response:
        entry = _found(lambda: self.store.snapshot().model(request.path_params["run_id"]))
        drawn = self.pictures.get(entry, request.path_params["name"])
        if drawn is None:
            raise _MissingError
        return _svg(drawn)

    def file(self, request: Request) -> Response:
        entry = _found(lambda: self.store.snapshot().model(request.path_params["run_id"]))
        name = request.path_params["name"]
        if name not in self.store.files(entry):
            raise _MissingError
        return Response(self.store.read(entry, name), media_type=file_type(name))

    async def missing(self, request: Request, _: Exception) -> Response:
        return self._told(request, None, 404)

    def frame_review(self, request: Request, language: str, title: str, body: str) -> str:
        """Put a fragment of review into a page of the board."""
        frame = self._frame(request, language, bar=False)
        return message(None, Filters(), frame, "", body=body, back=False, title=title)

    def _board(self, request: Request) -> tuple[Board, Filters]:
        asked = parse(request.query_params)
        found = self.store.snapshot()
        if found.read is not None:
            raise TrackingError(self._frame(request).words("not_whole"))
        groups = wanted(found.groups, asked)
        if not groups:
            raise _MissingError
        return rank(groups[0], asked), asked

    def _frame(self, request: Request, language: str = "", *, bar: bool = True) -> Frame:
        lang = request.query_params.get("lang", "")
        lang = lang if lang in LANGUAGES else ""
        told = words(language or lang or _browsers(request))
        links = Live(request.scope.get("root_path", "").rstrip("/"), lang)
        bar = bar and self.review is not None
        visitor = self.review.visitor_bar(request, told.language) if bar and self.review else ""
        return Frame(told, links, visitor, lang, sentences(self.record, told))

    def _told(self, request: Request, error: FrugalError | None, status: int) -> Response:
        frame = self._frame(request)
        told = str(error) if error else frame.words("not_found")
        page = message(None, Filters(), frame, frame.words("error"), told)
        return HTMLResponse(page, status)


class _MissingError(Exception):
    """There is no such page."""


def _found(look: Callable[[], Entry]) -> Entry:
    try:
        return look()
    except BoardError as error:
        raise _MissingError from error


def _svg(text: str) -> Response:
    return Response(text, media_type="image/svg+xml")


def _browsers(request: Request) -> str:
    return request.headers.get("accept-language", "").strip().lower()[:2]
