"""The leaderboard as pages: served, or written as files."""

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from frugal_ai.errors import BoardError, ReviewError

if TYPE_CHECKING:
    from frugal_ai.board.store import Store
    from frugal_ai.review.decisions import Decisions
    from frugal_ai.review.review import Review

_UTC = "%Y-%m-%dT%H:%M:%SZ"


@click.command()
@click.option("--tracking-uri", metavar="URI", help="MLflow store; by default runs/mlflow.db.")
@click.option("--static", "site", type=click.Path(path_type=Path), metavar="SITE",
              help="Write the pages as files into SITE, and serve nothing.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=8080, show_default=True, help="Port to listen on.")
@click.option("--accounts", type=click.Path(path_type=Path), metavar="FILE",
              help="Accounts of `frugal-ai account add`: who may sign in and decide.")  # fmt: skip
@click.option("--decisions", "record", type=click.Path(path_type=Path), metavar="FILE",
              help="Record of decisions; by default decisions.jsonl beside the store.")  # fmt: skip
@click.option("--private", is_flag=True, help="Reading needs an account, too.")
@click.option(
    "--proxy-header", metavar="NAME", help="Header in which a reverse proxy says who it is."
)
@click.option(
    "--proxy", "proxies", multiple=True, metavar="ADDRESS", help="Proxy to believe it from."
)
def board(
    tracking_uri: str | None,
    site: Path | None,
    host: str,
    port: int,
    accounts: Path | None,
    record: Path | None,
    proxy_header: str | None,
    proxies: tuple[str, ...],
    *,
    private: bool,
) -> None:
    """Show accuracy against carbon: what is recommended, why, and what was decided."""
    _check_extra()
    from frugal_ai.board.store import Store

    store = Store(tracking_uri) if tracking_uri else Store()
    kept = _decisions(store.uri, record)
    if site is not None:
        from frugal_ai.board.site import write_site

        count = write_site(store, kept, site)
        click.echo(f"site     {site / 'index.html'} ({count} files)")
        return
    store.snapshot()  # what cannot be read is told before anything is served
    review = _review(store.uri, kept, accounts, proxy_header, proxies, private=private)
    _serve(store, review, kept, host, port)


def _check_extra() -> None:
    try:
        import jinja2
        import starlette
        import uvicorn
    except ImportError as error:
        raise BoardError(f"the board needs pip install 'frugal-ai[board]': {error}") from error
    _ = jinja2, starlette, uvicorn


def _decisions(uri: str, record: Path | None) -> "Decisions | None":
    """Return the record that was named, or the one beside the store, where there can be one."""
    from frugal_ai.review.decisions import NAME, Decisions
    from frugal_ai.tracking.uri import folder_of

    if record is not None:
        return Decisions(record)
    folder = folder_of(uri)
    return None if folder is None else Decisions(folder / NAME)


def _review(
    uri: str,
    kept: "Decisions | None",
    accounts: Path | None,
    header: str | None,
    proxies: tuple[str, ...],
    *,
    private: bool,
) -> "Review | None":
    from frugal_ai.review.proxy import Proxy
    from frugal_ai.review.review import Review

    if accounts is None:
        if private or header or proxies:
            raise ReviewError("--accounts: expected the file of accounts, got none")
        return None
    if kept is None:
        raise ReviewError("--decisions: expected the file that keeps the decisions, got none")
    if proxies and header is None:
        raise ReviewError("--proxy-header: expected the header that the proxy sets, got none")
    proxy = None if header is None else Proxy.of(header, proxies)
    return Review.open(uri, kept.path, accounts, proxy=proxy, private=private)


def _audit() -> None:
    """Tell on standard error who signs in and what is decided, with the time in UTC."""
    log = logging.getLogger("frugal_ai.review")
    log.setLevel(logging.INFO)
    line = logging.Formatter("%(asctime)s %(levelname)s %(message)s", _UTC)
    line.converter = time.gmtime
    told = logging.StreamHandler()
    told.setFormatter(line)
    log.addHandler(told)


def _serve(
    store: "Store", review: "Review | None", kept: "Decisions | None", host: str, port: int
) -> None:
    import uvicorn

    from frugal_ai.board.app import create_app

    if review is not None:
        _audit()
    click.echo(f"board    http://{host}:{port}/ shows {store.uri}; Ctrl-C ends it", err=True)
    uvicorn.run(
        create_app(store, review, kept), host=host, port=port, log_level="warning",
        proxy_headers=False, server_header=False,
    )  # fmt: skip
