"""One CodeCarbon tracker around a whole run: the outer check of the ledger."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Self

from frugal_ai.cost.clock import Reading, SystemClock, rss_peak_bytes
from frugal_ai.cost.context import CostContext
from frugal_ai.errors import CostError

if TYPE_CHECKING:
    from codecarbon import OfflineEmissionsTracker

_NEVER_S = 30 * 86400  # the 1 s monitor samples power, so the slower measuring thread may sleep


@dataclass(frozen=True)
class EnvelopeResult:
    """What CodeCarbon saw, and what looking cost.

    Attributes
    ----------
    duration_s
        Wall time between start and stop [s].
    energy_kwh, cpu_energy_kwh, ram_energy_kwh, gpu_energy_kwh
        At the site's meter, times PUE [kWh]; the first is the sum of the others.
    emissions_kg
        Of `energy_kwh` [kgCO2e].
    codecarbon_version
        Version of CodeCarbon.
    setup_cpu_s, setup_wall_s
        Import, start and stop of CodeCarbon [s]; not within `duration_s`.
    w_per_core
        Power that it was told for a busy thread [W].
    """

    duration_s: float
    energy_kwh: float
    cpu_energy_kwh: float
    ram_energy_kwh: float
    gpu_energy_kwh: float
    emissions_kg: float
    codecarbon_version: str
    setup_cpu_s: float
    setup_wall_s: float
    w_per_core: float


class Envelope:
    """Context manager: CodeCarbon, offline, for this process and its children.

    Its powers are those of the power model, so that both speak of the same joules: CodeCarbon books
    TDP x CPU time / (wall time x CPUs) in process mode, hence TDP here is the model's dynamic power
    of one thread times the CPUs that CodeCarbon counts. It books no idle power, and memory at the
    power of what the process holds when the envelope opens.

    Parameters
    ----------
    context
        Powers, place and factors.
    project_name
        CodeCarbon's name for the run.

    Notes
    -----
    Silent; writes no file; opens no socket; reads no setting from CodeCarbon's own configuration
    that could change that. A second envelope inside this one would count everything twice.
    """

    def __init__(self, context: CostContext, project_name: str) -> None:
        self._context = context
        self._project_name = project_name
        self._w_per_core = (
            context.power.w_per_core_dynamic
        )  # a measured one changes as work goes on
        self._clock = SystemClock()
        self._opened = self._setup = Reading(0.0, 0.0, 0.0)
        self._duration_s = 0.0
        self._tracker: OfflineEmissionsTracker | None = None
        self._closed = False

    def __enter__(self) -> Self:
        before = self._clock.read()
        self._tracker = _tracker(self._context, self._project_name, self._w_per_core)
        with _known_processor(self._context):
            self._tracker.start()
        self._opened = self._clock.read()
        self._setup = self._opened - before
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._tracker is None:
            return
        before = self._clock.read()
        self._duration_s = before.wall_s - self._opened.wall_s
        self._tracker.stop()
        spent = self._clock.read() - before
        self._setup = Reading(
            self._setup.total_cpu_s + spent.total_cpu_s, 0.0, self._setup.wall_s + spent.wall_s
        )
        self._closed = True

    @property
    def result(self) -> EnvelopeResult:
        """What CodeCarbon saw.

        Raises
        ------
        CostError
            If the envelope is still open, or CodeCarbon, which hides its own errors, has nothing.
        """
        data = getattr(self._tracker, "final_emissions_data", None) if self._closed else None
        if data is None:
            state = "it stopped without a result" if self._closed else "it is still open"
            raise CostError(f"envelope: expected CodeCarbon's figures, but {state}")
        return EnvelopeResult(
            duration_s=self._duration_s,  # CodeCarbon's contains the work of its own stop
            energy_kwh=data.energy_consumed,
            cpu_energy_kwh=data.cpu_energy,
            ram_energy_kwh=data.ram_energy,
            gpu_energy_kwh=data.gpu_energy,
            emissions_kg=data.emissions,
            codecarbon_version=data.codecarbon_version,
            setup_cpu_s=self._setup.total_cpu_s,
            setup_wall_s=self._setup.wall_s,
            w_per_core=self._w_per_core,
        )


def _tracker(
    context: CostContext, project_name: str, w_per_core: float
) -> "OfflineEmissionsTracker":
    from codecarbon import OfflineEmissionsTracker
    from codecarbon.core.util import count_cpus

    # the constructor logs before it applies log_level
    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
    return OfflineEmissionsTracker(
        project_name=project_name,
        country_iso_code=context.country,
        tracking_mode="process",
        force_cpu_power=w_per_core * count_cpus(),
        force_ram_power=context.ram_w_per_gb * rss_peak_bytes() / 1e9,
        # one factor on both sides; it also takes precedence over Electricity Maps' web service
        force_carbon_intensity_g_co2e_kwh=context.intensity.value,
        pue=context.pue,
        wue=0.0,
        measure_power_secs=_NEVER_S,
        log_level="critical",
        # without a lock CodeCarbon leaves the process's signal handlers alone
        allow_multiple_runs=True,
        # everything below would otherwise be read from ~/.codecarbon.config or the environment,
        # and could write files or open connections
        output_methods=[],
        output_handlers=[],
        output_dir=".",
        emissions_endpoint=None,
        electricitymaps_api_token=None,
        cloud_provider=None,
        cloud_region=None,
        region=None,
    )


@contextmanager
def _known_processor(context: CostContext) -> Iterator[None]:
    """Spare CodeCarbon the search for a TDP that `force_cpu_power` overrides anyway.

    It would start py-cpuinfo in a child, for 1.1 CPU-s, and match the name against a table.
    """
    from codecarbon.core import hardware_cache

    before = hardware_cache._tdp  # noqa: SLF001 - there is no public way around the search
    hardware_cache._tdp = SimpleNamespace(  # type: ignore[assignment]  # noqa: SLF001 - likewise
        model=context.hardware.cpu_model, tdp=context.hardware.tdp_w
    )
    try:
        yield
    finally:
        hardware_cache._tdp = before  # noqa: SLF001 - likewise
