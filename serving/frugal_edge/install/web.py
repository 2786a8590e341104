"""Files from a web server: unchanged ones not sent again, cut off ones resumed, all bounded."""

import http.client
import ipaddress
import json
import ssl
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from frugal_edge.errors import InstallError, TransportError
from frugal_edge.install import disk
from frugal_edge.strict_json import Node, parse

_QUIET_S = 30.0  # without a byte
_WHOLE_S = 900.0  # for one file
_CHUNK = 64 << 10
_HEADERS = {"User-Agent": "frugal-edge", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Answer:
    """The content of a small file and its tag; no content if it is as it was."""

    content: bytes | None
    etag: str | None


def check_address(url: str) -> None:
    """Refuse what is not encrypted, except on this machine.

    Raises
    ------
    TransportError
        If the scheme is neither https nor, for a loopback address, http.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _loopback(parts.hostname or ""):
        return
    raise TransportError(f"{url}: expected https:// (http:// only on this machine)")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _SameRules(urllib.request.HTTPRedirectHandler):
    """Follow redirects only to addresses that could have been asked for."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def get(url: str, etag: str | None, most: int) -> Answer:
    """Get a small file, unless it is as it was.

    Raises
    ------
    TransportError
        If the server cannot be reached, refuses, or sends more than `most` bytes.
    """
    headers = {} if etag is None else {"If-None-Match": etag}
    try:
        with _open(url, headers) as response:
            content = b"".join(_pieces(response, url, most))
            if response.length:
                raise TransportError(f"{url}: cut off, {response.length} bytes did not come")
            return Answer(content, response.headers.get("ETag"))
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.NOT_MODIFIED:
                return Answer(None, etag)
            raise _refused(url, error) from None
    except (OSError, http.client.HTTPException) as error:
        raise _broken(url, error) from error


def download(url: str, part: Path, size: int) -> None:
    """Bring a file of known size; a later call goes on where this one was cut off.

    What arrived is in `part`, and the tag of the file in ``<part>.etag``: a server that has another
    file by then sends it from the start.

    Raises
    ------
    TransportError
        If the server cannot be reached, refuses, breaks off or sends more.
    InstallError
        If the file cannot be written.
    """
    tag = part.with_name(f"{part.name}.etag")
    have, etag = _have(part, tag, size)
    if have == size:
        return
    headers = {"Range": f"bytes={have}-", "If-Range": etag} if have and etag else {}
    try:
        with _open(url, headers) as response:
            if not _continues(response, have, size):
                _forget(part, tag)
            _keep_tag(tag, response.headers.get("ETag"))
            _append(response, url, part, size)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                _forget(part, tag)
            raise _refused(url, error) from None
    except (OSError, http.client.HTTPException) as error:
        raise _broken(url, error) from error


def _open(url: str, headers: dict[str, str]) -> Any:
    check_address(url)
    request = urllib.request.Request(url, headers=_HEADERS | headers)  # noqa: S310 - checked above
    return urllib.request.build_opener(_SameRules).open(request, timeout=_QUIET_S)


def _pieces(response: Any, url: str, most: int) -> Any:
    """Yield what a server sends, at most so many bytes in a bounded time."""
    end = time.monotonic() + _WHOLE_S
    left = most
    while piece := response.read1(_CHUNK):
        left -= len(piece)
        if left < 0:
            raise TransportError(f"{url}: expected at most {most} bytes, the server sends more")
        yield piece
        if time.monotonic() > end:
            raise TransportError(f"{url}: not complete after {_WHOLE_S:.0f} s")


def _append(response: Any, url: str, part: Path, size: int) -> None:
    with disk.told(part):
        file = part.open("ab")
    with file:
        have = file.tell()
        for piece in _pieces(response, url, size - have):
            with disk.told(part):
                file.write(piece)
                file.flush()
        have = file.tell()
    if have < size:
        raise TransportError(f"{url}: cut off after {have} of {size} bytes; try again to resume")


def _continues(response: Any, have: int, size: int) -> bool:
    wanted = f"bytes {have}-{size - 1}/{size}"
    return (
        have > 0
        and response.status == http.HTTPStatus.PARTIAL_CONTENT
        and response.headers.get("Content-Range") == wanted
    )


def _have(part: Path, tag: Path, size: int) -> tuple[int, str | None]:
    """Return how much of a file is here, and the tag of the file that it is from."""
    have = part.stat().st_size if part.exists() else 0
    data = disk.read_bounded(tag, _CHUNK)
    if have > size or (0 < have < size and data is None):
        _forget(part, tag)
        return 0, None
    if data is None:
        return have, None
    with suppress(InstallError):
        return have, Node(parse(data, str(tag), InstallError), str(tag), "", InstallError).text(
            "etag"
        )
    _forget(part, tag)
    return 0, None


def _keep_tag(tag: Path, etag: str | None) -> None:
    with disk.told(tag):
        if etag is None or etag.startswith("W/"):  # a weak tag does not promise the same bytes
            tag.unlink(missing_ok=True)
        else:
            tag.write_text(json.dumps({"etag": etag}), encoding="utf-8")


def _forget(*paths: Path) -> None:
    for path in paths:
        with disk.told(path):
            path.unlink(missing_ok=True)


def _refused(url: str, error: urllib.error.HTTPError) -> TransportError:
    return TransportError(f"{url}: the server answers {error.code} {error.reason}")


def _broken(url: str, error: Exception) -> TransportError:
    reason = getattr(error, "reason", None) or error  # of a URLError, the error behind it
    if isinstance(reason, ssl.SSLCertVerificationError):
        return TransportError(
            f"{url}: the certificate of the server is not trusted: {reason.verify_message}:"
            " check its name, the clock, and SSL_CERT_FILE"
        )
    said = getattr(reason, "strerror", None) or reason
    return TransportError(f"{url}: cannot be read: {said or type(error).__name__}")
