"""``/livez`` and ``/readyz``: whether the process answers, and whether it can do its work."""

import os

from frugal_edge.errors import StoreError
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http.call import Answer, Call, json_answer
from frugal_edge.http.problems import ProblemError

_LEAST_FREE = 1 << 20  # bytes, what a few hours of readings take


class Health:
    """What a supervisor asks."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def alive(self, _call: Call) -> Answer:
        """Say that the process answers."""
        return json_answer({"live": True})

    def ready(self, _call: Call) -> Answer:
        """Say whether forecasts are given out and readings kept; if not, why."""
        reasons = self.reasons()
        if reasons:
            raise ProblemError(
                503,
                "; ".join(reasons),
                [(b"retry-after", b"60")],
                {"ready": False, "reasons": reasons},
            )
        return json_answer({"ready": True})

    def reasons(self) -> list[str]:
        """Return what is missing."""
        gateway = self._gateway
        found = []
        targets = gateway.installed.targets
        if not targets:
            found.append("no series: install a bundle or declare one in the configuration")
        if not gateway.installed.clock_trusted():
            found.append("the clock is before the newest bundle was built")
        try:
            found += self._of_store()
            found += [
                f"no forecast of {name} yet" for name in sorted(targets) if not gateway.body(name)
            ]
        except StoreError as error:
            found.append(str(error))
        return found

    def _of_store(self) -> list[str]:
        folder = self._gateway.stores.database.path.parent
        try:
            disk = os.statvfs(folder)
        except OSError as error:
            return [f"{folder}: cannot be read: {error.strerror}"]
        if disk.f_flag & os.ST_RDONLY:
            return [f"{folder}: the file system is read-only"]
        free = disk.f_bavail * disk.f_frsize
        if free < _LEAST_FREE:
            return [f"{folder}: {free} bytes are left on the disk"]
        with self._gateway.stores.database.writing():
            return []
