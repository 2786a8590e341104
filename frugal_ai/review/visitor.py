"""Who sends a request: somebody with a session, somebody a proxy vouches for, or nobody."""

import ipaddress
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

from frugal_ai.review.accounts import Accounts, Role
from frugal_ai.review.proxy import Proxy
from frugal_ai.review.sessions import Session, Sessions

_LOCAL = "localhost"


@dataclass(frozen=True)
class Visitor:
    """Somebody who is known.

    Attributes
    ----------
    via
        How.
    binding
        What tokens of their forms are bound to.
    session
        None for somebody a proxy vouches for.
    """

    name: str
    role: Role
    via: Literal["session", "proxy"]
    binding: str
    session: Session | None = None


@dataclass(frozen=True)
class Doorman:
    """Tells who a visitor is.

    Attributes
    ----------
    accounts
        What anybody may do; somebody a proxy vouches for may read without an account.
    sessions, proxy
        How it is known who they are; with a proxy nobody signs in here.
    """

    accounts: Accounts
    sessions: Sessions
    proxy: Proxy | None = None

    def visitor(self, request: Request) -> Visitor | None:
        """Return whom a request comes from; None for somebody unknown.

        Raises
        ------
        ReviewError
            If the accounts cannot be read.
        """
        if self.proxy is not None:
            return self._vouched_for(self.proxy, request)
        cookie = request.cookies.get(cookie_name(request))
        session = None if cookie is None else self.sessions.read(cookie)
        if session is None:
            return None
        account = self.accounts.get(session.name)
        if account is None or account.stamp != session.stamp:
            return None
        return Visitor(account.name, account.role, "session", f"session {session.id}", session)

    def _vouched_for(self, proxy: Proxy, request: Request) -> Visitor | None:
        name = proxy.name(request)
        if name is None:
            return None
        account = self.accounts.get(name)
        role: Role = "reader" if account is None else account.role
        return Visitor(name, role, "proxy", f"proxy {name}")


def is_local(request: Request) -> bool:
    """Tell whether a browser has this machine's own name in its address line."""
    host = request.url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == _LOCAL


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie: by its prefix no other host can set it."""
    return _prefixed(request, "frugal-session")


def login_cookie(request: Request) -> str:
    """Return the name of the cookie that somebody has who has not signed in yet."""
    return _prefixed(request, "frugal-login")


def _prefixed(request: Request, name: str) -> str:
    return name if is_local(request) else f"__Host-{name}"
