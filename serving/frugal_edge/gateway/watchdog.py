"""What systemd is told: ready, alive, stopping. Without systemd nothing is said."""

import os
import socket


class Watchdog:
    """The socket that systemd names in the environment, see ``sd_notify(3)``."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        microseconds = os.environ.get("WATCHDOG_USEC", "")
        self.every_s = int(microseconds) / 2e6 if microseconds.isdecimal() else None

    def ready(self) -> None:
        """Say that the service is up."""
        self._say("READY=1")

    def alive(self) -> None:
        """Say that forecasts are still looked after."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service ends on purpose."""
        self._say("STOPPING=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        # "@" stands for the zero byte of Linux's abstract sockets
        address = self._address.replace("@", "\0", 1)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(text.encode(), address)
