"""Who may do what: bearer tokens with scopes, looked up anew when their file changes."""

import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from frugal_edge.errors import ConfigError
from frugal_edge.gateway.logs import log
from frugal_edge.http.problems import ProblemError
from frugal_edge.http.tokens import Token, find, read_tokens

_LOOK_S = 1.0  # so soon a removed token is refused


class Access(StrEnum):
    """What a route asks for."""

    OPEN = "open"
    READ = "read"
    OPERATE = "operate"


class Auth:
    """The tokens of a gateway.

    Parameters
    ----------
    path
        File of the tokens; None where everybody may do everything, as on loopback.

    Raises
    ------
    ConfigError
        If the file cannot be read.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._tokens: tuple[Token, ...] = ()
        self._stamp: object = None
        self._looked = time.monotonic()
        if path is not None:
            self._stamp, self._tokens = _stamp(path), read_tokens(path)

    def check(self, headers: Mapping[bytes, bytes], access: Access) -> None:
        """Refuse a request whose token does not allow it.

        Raises
        ------
        ProblemError
            If it has none, one that is not known, or one of another scope.
        """
        if self._path is None or access is Access.OPEN:
            return
        self._refresh(self._path)
        scheme, _, presented = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            got = "another scheme" if scheme else "no authorization"
            raise ProblemError(401, f"expected a bearer token, got {got}", _challenge(b""))
        token = find(self._tokens, presented.strip())
        if token is None:
            raise ProblemError(
                401, "the bearer token is not known here", _challenge(b', error="invalid_token"')
            )
        if access.value not in token.scopes:
            more = b', error="insufficient_scope", scope="%s"' % access.value.encode()
            has = ", ".join(sorted(token.scopes))
            detail = f"expected a token with scope {access.value}, {token.name!r} has {has}"
            raise ProblemError(403, detail, _challenge(more))

    def _refresh(self, path: Path) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        stamp = _stamp(path)
        if stamp == self._stamp and stamp is not None:
            return
        self._tokens, self._stamp = (), None  # nobody is let in by a file that cannot be read
        try:
            self._tokens, self._stamp = read_tokens(path), stamp
        except ConfigError as error:
            log("error", "tokens_unreadable", reason=str(error))


def _stamp(path: Path) -> object:
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_mtime_ns, now.st_size, now.st_ino, now.st_mode


def _challenge(more: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"www-authenticate", b'Bearer realm="frugal-edge"' + more)]
