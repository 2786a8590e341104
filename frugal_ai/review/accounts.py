"""Who may sign in: a file of accounts, one JSON object a line, passwords hashed by scrypt.

N = 2^15, r = 8, p = 3 is one of the settings of OWASP's Password Storage Cheat Sheet; a hash takes
32 MB.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import StringConstraints, ValidationError

from frugal_ai.errors import OutputError, ReviewError
from frugal_ai.review import text
from frugal_ai.review.private import MODE, read_private
from frugal_ai.settings import Settings

Role = Literal["reader", "reviewer"]

MIN_PASSWORD, MAX_PASSWORD = 12, 256
_N, _R, _P = 1 << 15, 8, 3
_BYTES = 32
_MAX_FILE = 1 << 20  # [bytes]

Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Hashed(Settings):
    """A password's hash, with the settings it was made with."""

    n: int
    r: int
    p: int
    salt: Hex64
    hash: Hex64


class Account(Settings):
    """A line of the file; without a password it is known from a proxy's header alone."""

    name: str
    role: Role
    scrypt: Hashed | None = None

    @property
    def stamp(self) -> str:
        """What a session is bound to: it ends when password or role change."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


_NOBODY = Hashed(n=_N, r=_R, p=_P, salt="00" * _BYTES, hash="00" * _BYTES)


@dataclass
class Accounts:
    """The accounts of a file, read anew when it changes.

    Parameters
    ----------
    path
        The file.
    """

    path: Path
    _stamp: object = None
    _known: tuple[Account, ...] = ()

    def get(self, name: str) -> Account | None:
        """Return an account; None if there is no such name.

        Raises
        ------
        ReviewError
            If the file cannot be read or is not as it should be: nobody is let in by it.
        """
        return next((one for one in self._read() if one.name == name), None)

    def check(self, name: str, password: str) -> Account | None:
        """Return the account of a name and its password; an unknown name takes as long.

        Raises
        ------
        ReviewError
            If the file cannot be read.
        """
        account = self.get(name)
        kept = account.scrypt if account is not None else None
        right = _matches(password[:MAX_PASSWORD], kept or _NOBODY)
        return account if right and kept is not None else None

    def _read(self) -> tuple[Account, ...]:
        try:
            now = self.path.stat()
        except OSError as error:
            raise ReviewError(f"{self.path}: cannot be read: {error.strerror}") from error
        stamp = (now.st_mtime_ns, now.st_size, now.st_ino, now.st_mode)
        if stamp != self._stamp:
            self._known, self._stamp = (), None
            self._known = read_accounts(self.path)
            self._stamp = stamp
        return self._known


def read_accounts(path: Path) -> tuple[Account, ...]:
    """Read a file of accounts.

    Raises
    ------
    ReviewError
        If it cannot be read, others than its owner may read or write it, or a line is no account.
    """
    data = read_private(path, _MAX_FILE + 1)
    if len(data) > _MAX_FILE:
        raise ReviewError(f"{path}: expected at most {_MAX_FILE} bytes")
    found: list[Account] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        account = _account(line, f"{path}: line {number}")
        if any(account.name == one.name for one in found):
            raise ReviewError(f"{path}: line {number}: there is {account.name!r} twice")
        found.append(account)
    return tuple(found)


def add_account(path: Path, name: str, role: str, password: str | None) -> None:
    """Append an account to a file, which is made where there is none.

    Parameters
    ----------
    password
        None for somebody whom a reverse proxy says.

    Raises
    ------
    ReviewError
        If the name is taken or none, the password too short, or the file not as it should be.
    OutputError
        If it cannot be written.
    """
    text.account_name(name)
    if role not in get_args(Role):
        raise ReviewError(f"expected role {' or '.join(get_args(Role))}, got {text.logged(role)}")
    hashed = None if password is None else hash_password(password)
    line = Account.model_validate({"name": name, "role": role, "scrypt": hashed})
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, MODE)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if any(one.name == name for one in read_accounts(path)):
                raise ReviewError(
                    f"{path}: there is an account {name!r} already; remove its line first"
                )
            size = os.fstat(descriptor).st_size
            unended = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            file.write(b"\n" * unended + line.model_dump_json().encode() + b"\n")
            os.fsync(descriptor)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def hash_password(password: str) -> Hashed:
    """Hash a new password with a salt of its own.

    Raises
    ------
    ReviewError
        If it is too short or too long.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ReviewError(
            f"expected a password of {MIN_PASSWORD} to {MAX_PASSWORD} signs, got {len(password)}"
        )
    salt = secrets.token_bytes(_BYTES)
    found = _scrypt(password, salt, _N, _R, _P)
    return Hashed(n=_N, r=_R, p=_P, salt=salt.hex(), hash=found.hex())


def _matches(password: str, kept: Hashed) -> bool:
    found = _scrypt(password, bytes.fromhex(kept.salt), kept.n, kept.r, kept.p)
    return hmac.compare_digest(found, bytes.fromhex(kept.hash))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    data = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=_BYTES)


def _account(line: bytes, where: str) -> Account:
    try:
        account = Account.model_validate_json(line)
        text.account_name(account.name)
    except ValidationError as error:
        raise ReviewError(f"{where}: {text.problem(error)}") from error
    except ReviewError as error:
        raise ReviewError(f"{where}: {error}") from error
    return account
