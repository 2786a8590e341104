"""Which source of power is used: the best that is there, or the one that was asked for."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from frugal_ai.cost.power.gauge import Gauge
from frugal_ai.cost.power.meter_file import MeterFile
from frugal_ai.cost.power.meter_http import open_http
from frugal_ai.cost.power.pmic import COMMAND, open_pmic
from frugal_ai.cost.power.rapl import TREE, Rapl, packages_in
from frugal_ai.errors import CostError
from frugal_ai.settings import Settings

Source = Literal["auto", "rapl", "pmic", "file", "http", "cpu_time"]


class PowerSettings(Settings):
    """Where power is known from.

    ``source`` auto takes, best first, the meter at ``url``, that in ``file``, RAPL, the rails of a
    Raspberry Pi 5, and the CPU-time model; any other source must be there. ``field`` says where the
    watts are in the answer of ``url``. When a meter fails in the midst of a run, ``on_failure``
    model lets the CPU-time model take over, and stop ends the run.
    """

    source: Source = "auto"
    file: Path | None = None
    url: str | None = None
    field: str | None = None
    on_failure: Literal["model", "stop"] = "model"

    @model_validator(mode="after")
    def _with_its_place(self) -> "PowerSettings":
        for source, given, name in (("file", self.file, "file"), ("http", self.url, "url")):
            if self.source == source and given is None:
                raise ValueError(f"expected {name} beside source: {source}, got none")
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: expected http:// or https://, got {self.url!r}")
        return self


@dataclass(frozen=True)
class Way:
    """How to open a source, and whether it can be expected to be there."""

    open: Callable[[], Gauge]
    expected: bool


def ways_of(settings: PowerSettings, folder: Path) -> dict[Source, Way]:
    """Return the sources that the settings allow, best first; files are relative to the folder."""
    url, file = settings.url, settings.file
    ways: dict[Source, Way] = {}
    if url is not None:
        ways["http"] = Way(lambda: open_http(url, settings.field), expected=True)
    if file is not None:
        ways["file"] = Way(lambda: MeterFile(folder / file), expected=True)
    ways["rapl"] = Way(Rapl.open, expected=bool(packages_in(TREE)))
    ways["pmic"] = Way(open_pmic, expected=shutil.which(COMMAND[0]) is not None)
    return ways


def choose(
    settings: PowerSettings, ways: dict[Source, Way], tell: Callable[[str], None]
) -> Gauge | None:
    """Open the best source that is there.

    Parameters
    ----------
    settings
        What was asked for.
    ways
        Sources, best first.
    tell
        Hears why a source that can be expected to be there is not used.

    Returns
    -------
    Gauge | None
        None for the CPU-time model.

    Raises
    ------
    CostError
        If the source that was asked for is not there; also one that was named, where a failure
        shall stop.
    """
    if settings.source == "cpu_time":
        return None
    if settings.source != "auto":
        return ways[settings.source].open()
    for name, way in ways.items():
        try:
            return way.open()
        except CostError as error:
            if name in {"http", "file"} and settings.on_failure == "stop":
                raise
            if way.expected:
                tell(f"power is not measured by {name}: {error}")
    return None
