"""What makes HTTP faster where it is installed: ``frugal-edge[fast]``, uvloop and httptools."""

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes uvloop's loop, None for Python's own."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make
