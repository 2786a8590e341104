"""A picture of the page for the README: ``python -m benchmarks.board.picture URI FILE.png``.

It needs Chromium and shows the board over a tracking store as a browser does.
"""

import io
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import uvicorn
from PIL import Image

from frugal_ai.board.app import create_app
from frugal_ai.board.store import Store
from frugal_ai.files import write_bytes

_SIZE = (1180, 1034)  # [pixels]
_COLOURS = 96  # enough for text and a drawing, a third of the bytes
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


def main() -> int:
    uri, out = sys.argv[1], Path(sys.argv[2])
    server = uvicorn.Server(uvicorn.Config(create_app(Store(uri)), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    write_bytes(out, _smaller(_shown(f"http://127.0.0.1:{port}/?pipeline=load&lang=en")))
    server.should_exit = True
    thread.join(10)
    return 0


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
