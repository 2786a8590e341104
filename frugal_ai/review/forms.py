"""Forms as they arrive: bounded, from our own pages, and where they lead to afterwards."""

from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

MAX_BYTES = 16 * 1024
_MAX_FIELDS = 16
_FORM = "application/x-www-form-urlencoded"
_OURS = {"same-origin", "none"}


class RefusedError(Exception):
    """A request is not taken; `status` is that of the answer, the text a key of the words."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


async def read_form(request: Request) -> dict[str, str]:
    """Read a form from one of our own pages.

    Raises
    ------
    RefusedError
        If it comes from elsewhere, is none, is too large, or has a field twice.
    """
    check_origin(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise RefusedError(415, "no_form")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise RefusedError(413, "too_large")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS,
            errors="strict",
        )  # fmt: skip
    except ValueError:
        raise RefusedError(400, "no_form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RefusedError(400, "no_form")
    return fields


def check_origin(request: Request) -> None:
    """Refuse what another site's page sends, as far as the browser says where it comes from.

    Raises
    ------
    RefusedError
        If it does, and that is not here.
    """
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if origin is not None and _netloc(origin) != host.lower():
        raise RefusedError(403, "elsewhere")
    if request.headers.get("sec-fetch-site", "none") not in _OURS:
        raise RefusedError(403, "elsewhere")


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def safe_path(text: str) -> str:
    """Return a path on this server; the first page for anything that could lead elsewhere."""
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return "/"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else text
