"""A mosquitto of one's own, on the loopback, which can be stopped and started."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
_PATIENCE_S = 10.0


class Broker:
    """A broker whose sessions outlive a restart.

    Parameters
    ----------
    folder
        Where it keeps what it needs.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            sys.exit(
                "mosquitto is not installed, and the demonstration needs a broker:"
                " apt-get install mosquitto, or brew install mosquitto"
            )
        folder.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = int(probe.getsockname()[1])
        lines = [f"listener {self.port} {HOST}", "allow_anonymous true", "persistence true"]
        lines += [f"persistence_location {folder}/", "max_queued_messages 10000"]
        if os.getuid() == 0:
            lines.append("user root")  # another user could not write to the folder
        config = folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        self._command = [program, "-c", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def up(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, stdout=nothing, stderr=nothing)
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(0.02)
        sys.exit("mosquitto did not start")

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        while process is not None and process.poll() is None:
            process.terminate()  # one that comes while it starts is lost on it
            with suppress(subprocess.TimeoutExpired):
                process.wait(2)
