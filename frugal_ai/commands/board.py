"""The leaderboard as a page: served, or written as files."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--tracking-uri", metavar="URI", help="MLflow store; by default runs/mlflow.db."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="0 for any that is free.")
def board(tracking_uri: str | None, host: str, port: int) -> None:
    """Show accuracy against carbon, live."""
    import uvicorn

    from frugal_ai.board.app import create_app
    from frugal_ai.board.store import Store

    store = Store(tracking_uri) if tracking_uri else Store()
    store.snapshot()
    uvicorn.run(create_app(store), host=host, port=port, log_level="warning")
