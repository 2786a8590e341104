"""Pictures of the board for README and docs, by the board's own code.

`python -m benchmarks.board.picture page URI PIPELINE FILE.png` shows the page as a browser does,
for which it needs Chromium; `... scatter URI PIPELINE FILE.svg` draws error against carbon alone.
"""

import argparse
import io
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from PIL import Image

from frugal_ai.board.app import create_app
from frugal_ai.board.exports import board_svg
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import wanted
from frugal_ai.board.links import Live
from frugal_ai.board.ranking import rank
from frugal_ai.board.store import Store
from frugal_ai.board.words import words
from frugal_ai.files import write_bytes, write_text

_SIZE = (1180, 1034)  # [pixels]
_COLOURS = 96  # enough for text and a drawing, a third of the bytes
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.board.picture", description=__doc__)
    parser.add_argument("kind", choices=("page", "scatter"))
    parser.add_argument("uri", help="tracking URI")
    parser.add_argument("pipeline")
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    store = Store(given.uri)
    if given.kind == "scatter":
        write_text(given.file, scatter(store, given.pipeline))
    else:
        write_bytes(given.file, page(store, given.pipeline))
    return 0


def scatter(store: Store, pipeline: str) -> str:
    """Draw error against carbon of the latest comparison of a pipeline."""
    asked = Filters(pipeline=pipeline)
    groups = wanted(store.whole().groups, asked)
    if not groups:
        raise SystemExit(f"{store.uri}: expected a run of {pipeline}, there is none")
    return board_svg(rank(groups[0], asked), asked, words("en"), Live())


def page(store: Store, pipeline: str) -> bytes:
    """Show the page of a pipeline."""
    server = uvicorn.Server(uvicorn.Config(create_app(store), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    asked = urlencode({"pipeline": pipeline, "lang": "en"})
    try:
        return _smaller(_shown(f"http://127.0.0.1:{port}/?{asked}"))
    finally:
        server.should_exit = True
        thread.join(10)


def _shown(address: str) -> bytes:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("expected chromium, it is not installed")
    with tempfile.TemporaryDirectory(prefix="frugal-ai-") as place:
        shot = Path(place) / "page.png"
        order = [chromium, *_FLAGS, f"--user-data-dir={place}/profile", f"--screenshot={shot}"]
        order += [f"--window-size={_SIZE[0]},{_SIZE[1]}", address]
        subprocess.run(order, check=True, timeout=120, capture_output=True)
        return shot.read_bytes()


def _smaller(png: bytes) -> bytes:
    content = io.BytesIO()
    picture = (
        Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    )
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    raise SystemExit(main())
