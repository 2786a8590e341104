"""The lines of a bill as records of a ledger, with CodeCarbon's names and units."""

import platform
from datetime import UTC, datetime

from frugal_ai.bill.bill import Bill, BillLine
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.sci import FUNCTIONAL_UNIT
from frugal_ai.cost.factors import Factors
from frugal_ai.cost.record import RECORD_VERSION, Record
from frugal_ai.units import J_PER_KWH


def bill_records(bill: Bill, fleet: Fleet, factors: Factors) -> tuple[Record, ...]:
    """Write each line as a record; what was measured by the run itself is in the run's ledger."""
    now = datetime.now(UTC)
    run_id = f"bill-{bill.model}-{now:%Y%m%dT%H%M%S%fZ}"
    projected = [line for line in bill.lines if line.what != "run"]
    return tuple(
        _record(line, bill, fleet, factors, run_id, number, now)
        for number, line in enumerate(projected)
    )


def _record(
    line: BillLine, bill: Bill, fleet: Fleet, factors: Factors, run_id: str, number: int,
    now: datetime,
) -> Record:  # fmt: skip
    servers = "server" in line.what or line.stage == "storage"
    country = (fleet.server.country if servers else None) or fleet.country
    intensity, one = factors.intensity(country), line.figures
    grams, kg = one.gco2e_ranges["factors"], one.gco2e / 1000
    joules, power = one.kwh * J_PER_KWH, one.kwh_ranges["power"]
    embodied = bill.sci.gateways[0] if len(bill.sci.gateways) == 1 else None
    terms = embodied if (line.stage, line.what) == ("embodied", "gateways") else None
    days = fleet.years * 365.25
    moved = sum(g.count * g.uplink_bytes_per_day for g in fleet.gateways) * days
    kept = sum(g.count * g.stored_bytes for g in fleet.gateways) * days
    return Record(
        record_version=RECORD_VERSION,
        record_id=f"{run_id}-{number:04d}",
        run_id=run_id,
        timestamp=now.isoformat(timespec="seconds"),
        project_name=fleet.name,
        stage=line.stage,
        rung="",
        model_id=bill.model,
        dataset_id="",
        n_threads=1,
        n_repeats=1,
        n_blocks=1,
        duration=0.0,
        cpu_energy=one.kwh,
        ram_energy=0.0,
        energy_consumed=one.kwh,
        emissions=kg,
        emissions_low_kg=grams.low / 1000,
        emissions_high_kg=grams.high / 1000,
        cpu_time_s=0.0,
        children_cpu_time_s=0.0,
        wall_s=0.0,
        cpu_time_rel_spread=None,
        rss_peak_bytes=None,
        energy_method="factor",
        quality="low",
        energy_dynamic_J=0.0 if line.stage == "idle" else joules,
        energy_idle_share_J=joules if line.stage == "idle" else 0.0,
        energy_J_p05=power.low * J_PER_KWH,
        energy_J_p95=power.high * J_PER_KWH,
        w_per_core_dynamic=0.0,
        w_idle_share=0.0,
        intensity_g_per_kwh=intensity.value,
        intensity_basis="lifecycle",
        intensity_kind="average",
        intensity_scope="production",
        intensity_source=intensity.source,
        intensity_year_or_time=str(intensity.year),
        factor_set_id=bill.factor_set_id,
        pue=fleet.server.pue or factors.of("pue", intensity.region).value if servers else 1.0,
        country_iso_code=intensity.region,
        cpu_model="",
        cpu_count=1,
        ram_total_size=None,
        hardware_default=True,
        os="",
        python_version=platform.python_version(),
        codecarbon_version=None,
        note=f"{line.what}; projected over {fleet.label}",
        experiment_id=bill.model,
        te_g=terms.te_g if terms else None,
        tir_s=terms.tir_s if terms else None,
        el_s=terms.el_s if terms else None,
        rr=terms.rr if terms else None,
        tor=terms.tor if terms else None,
        embodied_g=one.gco2e if line.stage == "embodied" else None,
        allocation_rule=fleet.allocation.rule,
        boundary="life cycle of the model under the fleet",
        functional_unit=f"{FUNCTIONAL_UNIT} forecasts",
        r_count=bill.sci.r,
        sci_g_per_r=one.gco2e / bill.sci.r,
        bytes_out=moved if line.what == "uplink" else None,
        network_type=fleet.network if line.stage in {"transport", "deployment"} else None,
        storage_byte_days=kept if line.stage == "storage" else None,
        replicas=fleet.replicas if line.stage == "storage" else None,
        cost_eur=one.eur,
    )
