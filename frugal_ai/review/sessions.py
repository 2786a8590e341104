"""Sessions in a cookie and tokens in forms, sealed by Fernet with a key that stays in a file.

Nothing is kept on the server but the sessions that were signed out before their end. A form's token
is bound to a session and different every time, so that a compressed page does not give it away.
"""

import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from pydantic import ValidationError

from frugal_ai.errors import OutputError, ReviewError
from frugal_ai.review.accounts import Account
from frugal_ai.review.private import MODE, read_private
from frugal_ai.settings import Settings

KEY = "session.key"
LIFETIME_S = 8 * 3600
_MAX_KEY = 1024  # [bytes]
_MAX_COOKIE = 4096  # signs


class Session(Settings):
    """What a cookie says: who signed in, and under which line of the accounts."""

    id: str
    name: str
    stamp: str


def read_key(path: Path) -> bytes:
    """Read the key of a file, which is made where there is none, readable by its owner alone.

    Raises
    ------
    ReviewError
        If others may read it, or it is no key.
    OutputError
        If it cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except FileExistsError:
        pass
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
    data = read_private(path, _MAX_KEY).strip()
    try:
        Fernet(data)
    except ValueError as error:
        raise ReviewError(
            f"{path}: expected a key of 32 bytes in base64; remove it to make a new one"
        ) from error
    return data


@dataclass
class Sessions:
    """Makes and reads what is sealed.

    Parameters
    ----------
    key
        As `read_key` returns it.
    lifetime_s
        Of a session and of a form [s].
    clock
        Time [unix s].
    """

    key: bytes
    lifetime_s: int = LIFETIME_S
    clock: Callable[[], float] = time.time
    _ended: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, account: Account) -> str:
        """Return the cookie of a new session, whose id nobody can have known before."""
        session = Session(id=secrets.token_urlsafe(16), name=account.name, stamp=account.stamp)
        return self._seal("session", session.model_dump_json())

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None if it is not ours, over, or was signed out."""
        content = self._open("session", cookie)
        if content is None:
            return None
        try:
            session = Session.model_validate_json(content)
        except ValidationError:
            return None
        with self._lock:
            return None if session.id in self._ended else session

    def end(self, session: Session) -> None:
        """Refuse a session from now on, wherever its cookie has been copied to."""
        now = self.clock()
        with self._lock:
            self._ended = {one: until for one, until in self._ended.items() if until > now}
            self._ended[session.id] = now + self.lifetime_s

    def token(self, binding: str) -> str:
        """Return a token for a form of somebody's."""
        return self._seal("form", binding)

    def is_token(self, token: str, binding: str) -> bool:
        """Tell whether a token was made for a form of this somebody's."""
        found = self._open("form", token)
        return found is not None and hmac.compare_digest(found.encode(), binding.encode())

    def _seal(self, purpose: str, content: str) -> str:
        data = f"{purpose}:{content}".encode()
        return Fernet(self.key).encrypt_at_time(data, int(self.clock())).decode()

    def _open(self, purpose: str, sealed: str) -> str | None:
        if len(sealed) > _MAX_COOKIE:
            return None
        try:
            data = Fernet(self.key).decrypt_at_time(
                sealed.encode(), self.lifetime_s, int(self.clock())
            )
        except (InvalidToken, UnicodeEncodeError):
            return None
        kind, _, content = data.decode().partition(":")
        return content if kind == purpose else None
