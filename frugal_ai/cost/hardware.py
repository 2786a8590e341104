"""The machine that does the work: as its owner describes it, or by flagged defaults."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt
from pydantic import ValidationError, model_validator

from frugal_ai.cost.power.choose import PowerSettings
from frugal_ai.cost.power.gauge import Measured
from frugal_ai.errors import CostError
from frugal_ai.settings import Settings
from frugal_ai.settings import describe as describe_problem
from frugal_ai.yaml_file import parse_yaml, read_text

_CPUINFO = Path("/proc/cpuinfo")


class Hardware(Settings):
    """What the user knows about the processor and memory; what is absent is detected or assumed.

    ``tdp_w`` [W] is the thermal design power of the whole processor and ``threads`` the number of
    its threads, on a virtual machine too: the ratio counts, not the part that the guest sees.
    ``w_per_core`` [W] of a busy thread and ``idle_w`` [W] of the whole machine are measured, by
    ``measured_by``, as `frugal-ai calibrate` writes them; they come before the TDP. ``power`` says
    where power is measured during a run.
    """

    cpu: str | None = None
    tdp_w: Annotated[float, Gt(0)] | None = None
    threads: Annotated[int, Ge(1)] | None = None
    ram_gb: Annotated[float, Gt(0)] | None = None
    w_per_core: Annotated[float, Gt(0)] | None = None
    idle_w: Annotated[float, Ge(0)] | None = None
    measured_by: Measured | None = None
    power: PowerSettings = PowerSettings()

    @model_validator(mode="after")
    def _tdp_with_its_threads(self) -> "Hardware":
        if self.tdp_w is not None and self.threads is None:
            raise ValueError("expected threads beside tdp_w: those of the processor it belongs to")
        return self

    @model_validator(mode="after")
    def _watts_with_their_origin(self) -> "Hardware":
        there = [v is not None for v in (self.w_per_core, self.idle_w, self.measured_by)]
        if any(there) and not all(there):
            raise ValueError("expected w_per_core, idle_w and measured_by together, or none")
        return self


def read_hardware(path: Path) -> Hardware:
    """Read a description as `frugal-ai calibrate` writes it; its files are relative to it.

    Raises
    ------
    CostError
        If it cannot be read or is not valid; the message says which key.
    """
    declared = parse_yaml(read_text(path, CostError), path, CostError)
    try:
        found = Hardware.model_validate(declared)
    except ValidationError as error:
        raise CostError(f"{path}: {describe_problem(error)}") from error
    if found.power.file is None:
        return found
    power = found.power.model_copy(update={"file": path.absolute().parent / found.power.file})
    return found.model_copy(update={"power": power})


@dataclass(frozen=True)
class Host:
    """What can be seen of this machine."""

    cpu: str
    threads: int
    ram_gb: float | None
    os: str
    python: str


@dataclass(frozen=True)
class HardwareRecord:
    """The machine as costs are computed for.

    Attributes
    ----------
    cpu_model, os, python_version
        Names.
    cpu_count
        Threads that this machine shows.
    ram_total_size
        Memory [GB].
    tdp_w, threads
        Thermal design power [W] and threads of the processor.
    default
        True if the power is an assumption for an unknown processor and not a description.
    """

    cpu_model: str
    cpu_count: int
    ram_total_size: float | None
    tdp_w: float
    threads: int
    default: bool
    os: str
    python_version: str


def describe(settings: Hardware, host: Host, default_w_per_thread: float) -> HardwareRecord:
    """Fill what the user left open.

    The TDP is never guessed from the processor's name: on a virtual machine the name says nothing
    about the share that the guest has.

    Parameters
    ----------
    settings
        The user's description.
    host
        What was detected.
    default_w_per_thread
        TDP per thread of an unknown processor [W].
    """
    threads = host.threads if settings.threads is None else settings.threads
    default = settings.tdp_w is None
    return HardwareRecord(
        cpu_model=host.cpu if settings.cpu is None else settings.cpu,
        cpu_count=host.threads,
        ram_total_size=host.ram_gb if settings.ram_gb is None else settings.ram_gb,
        tdp_w=threads * default_w_per_thread if settings.tdp_w is None else settings.tdp_w,
        threads=threads,
        default=default,
        os=host.os,
        python_version=host.python,
    )


def detect_host() -> Host:
    """Look at this machine."""
    return Host(
        cpu=_cpu_name(),
        threads=os.cpu_count() or 1,
        ram_gb=_ram_gb(),
        os=platform.platform(),
        python=platform.python_version(),
    )


def _cpu_name() -> str:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:  # the latter on ARM boards
            return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def _ram_gb() -> float | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (OSError, ValueError):  # a name that this system does not know
        return None
