"""One line of the ledger, with CodeCarbon's names and units where it has one."""

from dataclasses import dataclass
from typing import Literal, get_args

from frugal_ai.cost.power.model import EnergyMethod, Quality

RECORD_VERSION = 2
"""Version 1 had `intensity_year` and none of the fields with defaults; it is still read."""

STORE_MADE = "MLflow: a store made, once"
"""Note of a line that no later run has."""

Stage = Literal[
    "data",
    "features",
    "tuning",
    "training",
    "retraining",
    "distillation",
    "quantization",
    "deployment",
    "inference",
    "idle",
    "transport",
    "storage",
    "embodied",
    "metering",
    "unattributed",
]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class Record:
    """What one piece of work cost, and everything needed to compute it again.

    Attributes
    ----------
    record_version, record_id, run_id, timestamp, project_name
        Identity; the time of booking is ISO 8601, UTC.
    stage, rung, model_id, dataset_id
        What the work was for; empty where it does not apply. The last is the data's digest.
    n_threads, n_repeats, n_blocks
        Threads reserved, and how the time was measured.
    duration
        Wall time of the booked work [s]; `wall_s` under CodeCarbon's name.
    cpu_energy, ram_energy, energy_consumed
        At the site's meter, times PUE [kWh]; the last is the sum of the first two. Memory cannot
        be told apart by rung: it is booked once, on the line "unattributed".
    emissions, emissions_low_kg, emissions_high_kg
        Of `energy_consumed` [kgCO2e], with the carbon intensity's value and its scenarios.
    cpu_time_s, children_cpu_time_s, wall_s
        Of one execution [s], the first including the second.
    cpu_time_rel_spread
        (max - least) / least of the blocks [1].
    rss_peak_bytes
        Most resident memory of the process by then [bytes].
    energy_method, quality
        How energy was obtained, and how far it can be trusted.
    energy_dynamic_J, energy_idle_share_J
        At the machine, before PUE [J].
    energy_J_p05, energy_J_p95
        Interval of their sum that holds the truth in 90 % of cases, from the power model [J].
    w_per_core_dynamic, w_idle_share
        Powers of the model [W].
    intensity_g_per_kwh, intensity_basis, intensity_kind, intensity_scope
        Carbon intensity [gCO2e/kWh], and what kind of figure it is.
    intensity_source, intensity_year_or_time
        Where it comes from, and the year or instant that it describes.
    factor_set_id, pue, country_iso_code
        Factors and place.
    cpu_model, cpu_count, ram_total_size, hardware_default, os, python_version
        Machine; `ram_total_size` [GB]; `hardware_default` if its power is an assumption.
    codecarbon_version
        Of the envelope around the run, where the line comes from it.
    note
        What a reader of this line should know.
    parent_record_id, experiment_id
        The line that this one is a part of; the pipeline of the run.
    n_rows, n_features
        Of what was learnt from.
    cpu_power, ram_power, gpu_power
        Mean power over `duration` [W].
    gpu_energy, emissions_rate, water_consumed
        [kWh], [kg/s], [L]; None where nothing was measured.
    wue, region, on_cloud, tracking_mode
        Water usage effectiveness [L/kWh]; place; as CodeCarbon has them.
    cold_start_cpu_s, load_avg_1m
        CPU time of a process until its first forecast [s], on the line of forecasts of the rung
        that was compressed; the machine's load.
    te_g, tir_s, el_s, rr, tor, embodied_g
        Embodied emissions by ISO/IEC 21031: of the whole device [g], time it is reserved [s], its
        lifetime [s], resources reserved of so many; `embodied_g` = te x (tir / el) x (rr / tor).
    allocation_rule, boundary
        What of a device is charged; what the line includes.
    functional_unit, r_count, sci_g_per_r
        What costs are related to, how many of it, and emissions of one [g].
    bytes_in, bytes_out, network_type, storage_byte_days, replicas
        Data that were moved and kept.
    metric_name, metric_value, metric_ci
        Accuracy beside the cost, on the lines of a rung's training.
    cost_eur
        Money [EUR].
    factor_key
        Of the factors that the line rests on beside the intensity.
    """

    record_version: int
    record_id: str
    run_id: str
    timestamp: str
    project_name: str
    stage: Stage
    rung: str
    model_id: str
    dataset_id: str
    n_threads: int
    n_repeats: int
    n_blocks: int
    duration: float
    cpu_energy: float
    ram_energy: float
    energy_consumed: float
    emissions: float
    emissions_low_kg: float | None
    emissions_high_kg: float | None
    cpu_time_s: float
    children_cpu_time_s: float
    wall_s: float
    cpu_time_rel_spread: float | None
    rss_peak_bytes: int | None
    energy_method: EnergyMethod
    quality: Quality
    energy_dynamic_J: float  # noqa: N815 - J is the unit's symbol
    energy_idle_share_J: float  # noqa: N815 - J is the unit's symbol
    energy_J_p05: float  # noqa: N815 - J is the unit's symbol
    energy_J_p95: float  # noqa: N815 - J is the unit's symbol
    w_per_core_dynamic: float
    w_idle_share: float
    intensity_g_per_kwh: float
    intensity_basis: str
    intensity_kind: str
    intensity_scope: str
    intensity_source: str
    intensity_year_or_time: str
    factor_set_id: str
    pue: float
    country_iso_code: str
    cpu_model: str
    cpu_count: int
    ram_total_size: float | None
    hardware_default: bool
    os: str
    python_version: str
    codecarbon_version: str | None
    note: str
    parent_record_id: str | None = None
    experiment_id: str = ""
    n_rows: int | None = None
    n_features: int | None = None
    cpu_power: float | None = None
    ram_power: float | None = None
    gpu_power: float | None = None
    gpu_energy: float | None = None
    emissions_rate: float | None = None
    water_consumed: float | None = None
    wue: float | None = None
    region: str | None = None
    on_cloud: str | None = None
    tracking_mode: str | None = None
    cold_start_cpu_s: float | None = None
    load_avg_1m: float | None = None
    te_g: float | None = None
    tir_s: float | None = None
    el_s: float | None = None
    rr: float | None = None
    tor: float | None = None
    embodied_g: float | None = None
    allocation_rule: str | None = None
    boundary: str | None = None
    functional_unit: str | None = None
    r_count: float | None = None
    sci_g_per_r: float | None = None
    bytes_in: float | None = None
    bytes_out: float | None = None
    network_type: str | None = None
    storage_byte_days: float | None = None
    replicas: int | None = None
    metric_name: str | None = None
    metric_value: float | None = None
    metric_ci: tuple[float, float] | None = None
    cost_eur: float | None = None
    factor_key: str | None = None
