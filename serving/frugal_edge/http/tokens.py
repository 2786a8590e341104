"""Bearer tokens: a file of their hashes, one JSON object a line.

A token has 256 random bits, so that its plain SHA-256 tells nothing about it.
"""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from frugal_edge.errors import ConfigError
from frugal_edge.strict_json import Node, parse

SCOPES = ("read", "operate")
_MAX_BYTES = 1 << 20
_MODE = 0o600
_OTHERS_WRITE = 0o022
_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token."""

    name: str
    scopes: frozenset[str]
    sha256: str


def digest(token: bytes) -> str:
    """Return the hash of a token."""
    return hashlib.sha256(token).hexdigest()


def find(tokens: tuple[Token, ...], presented: bytes) -> Token | None:
    """Find a token; how long that takes does not tell which hash is near."""
    given = digest(presented)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.sha256, given):
            found = token
    return found


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Read the file of tokens.

    Raises
    ------
    ConfigError
        If it cannot be read, others than its owner may write it, or a line is no token.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if mode & _OTHERS_WRITE:
        raise ConfigError(f"{path}: others may write it; chmod 600 it")
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path}: expected at most {_MAX_BYTES} bytes")
    lines = enumerate(data.split(b"\n"), 1)
    found = tuple(_token(line, f"{path}: line {i}") for i, line in lines if line.strip())
    names = [token.name for token in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: expected different names, got {name!r} twice")
    return found


def _token(line: bytes, where: str) -> Token:
    node = Node(parse(line, where, ConfigError), where, error=ConfigError)
    name, scopes, sha256 = node.text("name"), node.texts("scopes"), node.text("sha256")
    node.close()
    if not scopes or not set(scopes) <= set(SCOPES):
        node.refuse("scopes", f"one or both of {', '.join(SCOPES)}")
    if len(sha256) != _DIGITS or set(sha256) - set("0123456789abcdef"):
        node.refuse("sha256", f"{_DIGITS} hexadecimal digits")
    return Token(name, frozenset(scopes), sha256)


def add_token(path: Path, name: str, scopes: tuple[str, ...]) -> str:
    """Append a new token to the file, which is made if it is not there, and return it.

    Raises
    ------
    ConfigError
        If the name is taken, a scope is none, or the file cannot be read or written.
    """
    if path.exists() and name in {token.name for token in read_tokens(path)}:
        raise ConfigError(f"{path}: there is a token {name!r} already; remove its line first")
    token = secrets.token_urlsafe(32)
    line = json.dumps({"name": name, "scopes": list(scopes), "sha256": digest(token.encode())})
    _token(line.encode(), "token")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _MODE)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            size = os.fstat(descriptor).st_size
            unended = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            file.write(b"\n" * unended + line.encode() + b"\n")
            os.fsync(descriptor)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    return token
