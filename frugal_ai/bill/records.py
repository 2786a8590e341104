"""The lines of a bill as records of a ledger, with CodeCarbon's names and units."""

import platform
from datetime import UTC, datetime
from typing import Any

from frugal_ai.bill.bill import Bill, BillLine
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.sci import FUNCTIONAL_UNIT
from frugal_ai.bill.stages import DAYS_PER_YEAR
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


_NOT_MEASURED: dict[str, Any] = {
    "rung": "", "dataset_id": "", "n_threads": 1, "n_repeats": 1, "n_blocks": 1, "duration": 0.0,
    "ram_energy": 0.0, "cpu_time_s": 0.0, "children_cpu_time_s": 0.0, "wall_s": 0.0,
    "cpu_time_rel_spread": None, "rss_peak_bytes": None, "energy_method": "factor",
    "quality": "low", "w_per_core_dynamic": 0.0, "w_idle_share": 0.0, "cpu_model": "",
    "cpu_count": 1, "ram_total_size": None, "hardware_default": True, "os": "",
    "python_version": platform.python_version(), "codecarbon_version": None,
}  # fmt: skip


def _record(
    line: BillLine, bill: Bill, fleet: Fleet, factors: Factors, run_id: str, number: int,
    now: datetime,
) -> Record:  # fmt: skip
    one = line.figures
    return Record(
        record_version=RECORD_VERSION,
        record_id=f"{run_id}-{number:04d}",
        run_id=run_id,
        timestamp=now.isoformat(timespec="seconds"),
        project_name=fleet.name,
        experiment_id=bill.model,
        model_id=bill.model,
        stage=line.stage,
        factor_set_id=bill.factor_set_id,
        note=f"{line.what}; projected over {fleet.label}",
        cost_eur=one.eur,
        **_NOT_MEASURED,
        **_amounts(line),
        **_place(line, fleet, factors),
        **_score(line, bill, fleet),
        **_data(line, fleet),
    )


def _amounts(line: BillLine) -> dict[str, Any]:
    one = line.figures
    grams, power = one.gco2e_ranges["factors"], one.kwh_ranges["power"]
    joules, rests = one.kwh * J_PER_KWH, line.stage == "idle"
    return {
        "cpu_energy": one.kwh,
        "energy_consumed": one.kwh,
        "emissions": one.gco2e / 1000,
        "emissions_low_kg": grams.low / 1000,
        "emissions_high_kg": grams.high / 1000,
        "energy_dynamic_J": 0.0 if rests else joules,
        "energy_idle_share_J": joules if rests else 0.0,
        "energy_J_p05": power.low * J_PER_KWH,
        "energy_J_p95": power.high * J_PER_KWH,
    }


def _place(line: BillLine, fleet: Fleet, factors: Factors) -> dict[str, Any]:
    servers = "server" in line.what or line.stage == "storage"
    intensity = factors.intensity((fleet.server.country if servers else None) or fleet.country)
    pue = fleet.server.pue or factors.of("pue", intensity.region).value
    return {
        "intensity_g_per_kwh": intensity.value,
        "intensity_basis": "lifecycle",
        "intensity_kind": "average",
        "intensity_scope": "production",
        "intensity_source": intensity.source,
        "intensity_year_or_time": str(intensity.year),
        "country_iso_code": intensity.region,
        "pue": pue if servers else 1.0,
    }


def _score(line: BillLine, bill: Bill, fleet: Fleet) -> dict[str, Any]:
    """Return the terms of the score; those of M where one kind of gateway has them."""
    shared = {
        "allocation_rule": fleet.allocation.rule,
        "boundary": "life cycle of the model under the fleet",
        "functional_unit": f"{FUNCTIONAL_UNIT} forecasts",
        "r_count": bill.sci.r,
        "sci_g_per_r": line.figures.gco2e / bill.sci.r,
        "embodied_g": line.figures.gco2e if line.stage == "embodied" else None,
    }
    if (line.stage, line.what) != ("embodied", "gateways") or len(bill.sci.gateways) > 1:
        return shared
    (m,) = bill.sci.gateways
    return shared | {"te_g": m.te_g, "tir_s": m.tir_s, "el_s": m.el_s, "rr": m.rr, "tor": m.tor}


def _data(line: BillLine, fleet: Fleet) -> dict[str, Any]:
    days = fleet.years * DAYS_PER_YEAR
    if line.stage == "storage":
        kept = sum(one.count * one.stored_bytes for one in fleet.gateways)
        return {"storage_byte_days": kept * days, "replicas": fleet.replicas}
    if line.what == "uplink":
        sent = sum(one.count * one.uplink_bytes_per_day for one in fleet.gateways)
        return {"bytes_out": sent * days, "network_type": fleet.network}
    return {"network_type": fleet.network} if line.stage in {"transport", "deployment"} else {}
