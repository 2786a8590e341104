"""Review of models on a page: what a page needs to show who is there and to let them decide."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route

from frugal_ai.errors import FrugalError, ReviewError
from frugal_ai.review.accounts import Accounts, read_accounts
from frugal_ai.review.apart import apart
from frugal_ai.review.decisions import Decision, Decisions
from frugal_ai.review.headers import SecurityHeaders, policy
from frugal_ai.review.limiter import Limiter
from frugal_ai.review.pages import Frame, history, plain_frame, render
from frugal_ai.review.proxy import Proxy
from frugal_ai.review.sessions import KEY, Sessions, read_key
from frugal_ai.review.situation import Proposal, Situation, look
from frugal_ai.review.visitor import Doorman, Visitor
from frugal_ai.review.words import language_of
from frugal_ai.tracking.stages import Stage

Look = Callable[[str, str], Situation]
Decide = Callable[[str, Decisions, Proposal], Decision]

_log = logging.getLogger("frugal_ai.review")


def _decide_apart(uri: str, record: Decisions, proposal: Proposal) -> Decision:
    return apart(_decide, uri, record, proposal)


def _decide(uri: str, record: Decisions, proposal: Proposal) -> Decision:
    from frugal_ai.review.promotion import decide

    return decide(uri, record, proposal)


@dataclass
class Review:
    """Accounts, decisions, and the pages that belong to them.

    Attributes
    ----------
    uri
        Tracking store with the registry.
    record
        Where decisions are kept.
    doorman
        Who may do what.
    private
        Whether reading needs an account, too.
    frame
        Puts fragments into whole pages.
    look, decide
        Read a run's evidence; take a decision. By default the latter in a process of its own.
    """

    uri: str
    record: Decisions
    doorman: Doorman
    private: bool = False
    frame: Frame = plain_frame
    limiter: Limiter = field(default_factory=Limiter)
    look: Look = look
    decide: Decide = _decide_apart

    @classmethod
    def open(
        cls,
        uri: str,
        record: Path,
        accounts: Path,
        *,
        proxy: Proxy | None = None,
        private: bool = False,
    ) -> "Review":
        """Read accounts and key, which lies beside them and is made where there is none.

        Raises
        ------
        ReviewError
            If accounts, key or record cannot be used.
        OutputError
            If the key cannot be made.
        """
        read_accounts(accounts)
        decisions = Decisions(record)
        decisions.all()
        sessions = Sessions(read_key(accounts.with_name(KEY)))
        return cls(uri, decisions, Doorman(Accounts(accounts), sessions, proxy), private)

    def routes(self) -> list[Route]:
        """Return the routes of signing in, signing out and deciding."""
        from frugal_ai.review.routes import Handlers

        return Handlers(self).routes()

    def middleware(
        self, styles: Sequence[str] = (), scripts: Sequence[str] = ()
    ) -> list[Middleware]:
        """Return what stands before every route: headers and, where it is private, the door.

        Parameters
        ----------
        styles, scripts
            Texts of all inline styles and scripts that pages have.
        """
        from frugal_ai.review.door import Door

        given = policy(styles, scripts)
        found = [Middleware(SecurityHeaders, content_policy=given, private=True)]
        return [*found, Middleware(Door, review=self)] if self.private else found

    def visitor(self, request: Request) -> Visitor | None:
        """Return who is there; nobody while accounts cannot be read, which the log tells."""
        try:
            return self.doorman.visitor(request)
        except ReviewError as error:
            _log.error("accounts: %s", error)
            return None

    def visitor_bar(self, request: Request, language: str | None = None) -> str:
        """Return who is there and how to sign in or out, as a fragment."""
        visitor = self.visitor(request)
        token = None
        if visitor is not None and visitor.session is not None:
            token = self.doorman.sessions.token(visitor.binding)
        login = None if self.doorman.proxy is not None else login_path(request)
        return render(
            "visitor.html",
            language or language_of(request),
            visitor=visitor,
            token=token,
            login=login,
        )

    def form_for(self, request: Request, run_id: str, language: str | None = None) -> str:
        """Return the form to decide on a run; empty for whoever may not. It reads the store."""
        visitor = self.visitor(request)
        if visitor is None or visitor.role != "reviewer":
            return ""
        language = language or language_of(request)
        given: dict[str, object] = {"problem": None, "failed": (), "evidence": "", "stage": None}
        try:
            there = self.look(self.uri, run_id)
            given |= {
                "failed": there.failed_gates,
                "evidence": there.evidence.digest,
                "stage": standing(self.record.history(run_id), run_id),
            }
        except FrugalError as error:
            given["problem"] = str(error)
        return render(
            "decision.html",
            language,
            action=f"/models/{run_id}/decision",
            token=self.doorman.sessions.token(visitor.binding),
            **given,
        )

    def history_for(self, run_id: str, language: str = "en") -> str:
        """Return what was decided on a run, as a fragment.

        Raises
        ------
        ReviewError
            If the record was altered.
        """
        return history(self.record.history(run_id), language)


def login_path(request: Request) -> str:
    """Return the page to sign in, from which one comes back here."""
    from urllib.parse import urlencode

    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?{urlencode({'next': path})}"


def standing(decisions: Sequence[Decision], run_id: str) -> Stage | None:
    """Return what a run's models are by the last decision that concerns them."""
    if not decisions:
        return None
    last = decisions[-1]
    return last.stage if last.run_id == run_id else "retired"
