"""The model card: what a model is, for whom it was made, and how far it can be trusted."""

from collections.abc import Mapping, Sequence

from frugal_ai.pipeline import Pipeline
from frugal_ai.report import RunReport
from frugal_ai.report.compression import CompressionReport
from frugal_ai.settings import format_duration

_SIMULATED = (
    "> **Simulated data.** This model learnt from a simulation, not from measurements; its figures "
    "say nothing about a real grid.\n\n"
)

_PERFECT = (
    "> **Perfect weather.** Training and figures rest on covariates as they came, not as they were "
    "forecast; live forecasts are worse than the figures.\n\n"
)
_KNOWN = {
    "perfect": "- Perfect weather: known covariates were taken as they stand in the data, and a "
    "live forecast is worse than the figures.\n",
    "as_known": "- Weather as known at the origin: of known covariates each origin saw the newest "
    "vintage that was available by then; a gateway gets the newest there is.\n",
}


def model_card(
    pipeline: Pipeline, series_id: str, report: RunReport, costs: Mapping[str, object]
) -> str:
    """Write the card of the chosen model of a series in Markdown.

    Parameters
    ----------
    report
        Of the finished run.
    costs
        What the model cost and how that was obtained, by the names of the manifest.
    """
    periods = pipeline.periods
    local = ", ".join(clock.strftime("%H:%M") for clock in periods.test.at)
    covariates = ", ".join(pipeline.covariates.known + pipeline.covariates.past) or "none"
    return (
        f"# {pipeline.title or pipeline.name}: {report.chosen} for {series_id}\n\n"
        f"{_SIMULATED if report.simulated else ''}"
        f"{_PERFECT if report.weather == 'perfect' else ''}"
        f"Forecasts {pipeline.kind} [{pipeline.unit}] every {format_duration(pipeline.step)} over "
        f"{format_duration(pipeline.horizon)}, from origins at {local} ({pipeline.timezone}). "
        f"Covariates: {covariates}.\n\n"
        "## Why this model\n\n"
        f"{report.reason}\n\n"
        f"The choice was made on origins from {periods.validation.first} to "
        f"{periods.validation.last}; the figures below are of origins from {periods.test.first} to "
        f"{periods.test.last}, which the choice never saw.\n\n"
        f"{_ladder_table(report)}\n"
        f"{_not_run(report)}"
        f"{_quantile_section(report)}"
        f"{_compression_section(report.compression)}"
        "## What it cost\n\n"
        f"{_facts(costs)}\n"
        "## Limits\n\n"
        f"{_KNOWN.get(report.weather or '', '')}"
        f"{_limit_of_quantiles(report)}"
        f"- A gap in the history longer than {format_duration(pipeline.quality.max_gap)} is "
        "refused, not guessed.\n\n"
        "## Origin\n\n"
        f"- data: sha256 {report.data_digest}\n"
        f"- repository of the pipeline: {report.git_revision or 'not under version control'}\n"
        f"- seed: {pipeline.seed}\n"
    )


def _ladder_table(report: RunReport) -> str:
    names = ("rung", f"MAE [{report.unit}]", "skill (95 % interval)", "training [gCO2e]",
             "per 1,000 forecasts [gCO2e]", "verdict")  # fmt: skip
    rows = []
    for row in report.rungs:
        bounds = row.skill_ci
        interval = f" ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds else ""
        rows.append((
            row.rung, f"{row.mae:.4g}", f"{row.skill:.3f}{interval}", f"{row.co2e_g:.3g}",
            f"{row.co2e_g_per_1000:.3g}", f"{row.verdict}",
        ))  # fmt: skip
    return _table(names, rows)


def _not_run(report: RunReport) -> str:
    if not report.not_run:
        return ""
    lines = "".join(f"- {left.rung}: {left.reason}\n" for left in report.not_run)
    return f"Not run:\n\n{lines}\n"


_DRIFT = (
    " In the test they drift with what had arrived by each origin, as they do on a gateway that "
    "keeps a state."
)


def _quantile_section(report: RunReport) -> str:
    """Say what the quantiles of all rungs are worth, and those of the chosen one by one."""
    chosen = next(row for row in report.rungs if row.chosen)
    if not chosen.levels:
        return ""
    names = ("rung", f"pinball [{report.unit}]", f"CRPS [{report.unit}]",
             "coverage (95 % interval)", f"width [{report.unit}]")  # fmt: skip
    rungs = [
        (row.rung, _number(row.pinball), _number(row.crps),
         _share(row.coverage, row.coverage_ci), _number(row.sharpness))
        for row in report.rungs
    ]  # fmt: skip
    titles = ("level", f"pinball [{report.unit}]", "share of observations at or below")
    levels = [
        (f"{one.level:g}", _number(one.pinball), _share(one.share, None)) for one in chosen.levels
    ]
    nominal = chosen.coverage_nominal
    central = ""
    if nominal:
        central = f" Coverage and width are of the central {100 * nominal:g} % interval."
    return (
        "## Quantiles\n\n"
        "Calibrated on the validation origins, where the calibrating model had not learnt; "
        f"reported on the test origins.{central}{_DRIFT if report.recalibrated else ''}\n\n"
        f"{_table(names, rungs)}\n"
        f"Of {chosen.rung}, level by level:\n\n"
        f"{_table(titles, levels)}\n"
    )


def _compression_section(found: CompressionReport | None) -> str:
    """Say what was given up for how many bytes, microseconds and milliwatt-hours."""
    if found is None:
        return ""
    names = ("model", "bytes", "one forecast [us]", "1,000 forecasts [mWh]",
             "skill kept (95 % interval)", "least of a series", "of quantiles",
             "verdict")  # fmt: skip
    rows = [
        (one.kind, f"{one.bytes:,}", f"{one.latency_us:.3g}", f"{one.energy_mwh_per_1000:.3g}",
         _share(one.retained, one.retained_ci), _share(one.retained_least, None),
         _share(one.retained_quantiles, None), one.verdict)
        for one in found.candidates
    ]  # fmt: skip
    pays = (
        f"; it has paid for itself after {found.pays_after:,.0f} forecasts"
        if found.pays_after
        else ""
    )
    return (
        "## What compression gave up\n\n"
        f"In the bundle: {found.shipped} of {found.original}, {found.reason}. Compressing cost "
        f"{found.co2e_g:.3g} gCO2e{pays}.\n\n"
        f"{_table(names, rows)}\n"
    )


def _limit_of_quantiles(report: RunReport) -> str:
    if not next(row for row in report.rungs if row.chosen).levels:
        return "- Point forecasts only.\n"
    if report.recalibrated:
        return (
            "- Quantiles, and the forecast where it is their median, are as good as in the test "
            "only where what arrives is fed back (`frugal-edge forecast --state`).\n"
        )
    return (
        "- Quantiles hold for errors such as those of the validation origins: when the series or "
        "the weather changes, they do not, until the model is trained again.\n"
    )


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (names, *rows)]
    lines.insert(1, "|" + "---|" * len(names))
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _share(value: float | None, bounds: tuple[float, float] | None) -> str:
    interval = f" ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds else ""
    return "-" if value is None else f"{value:.3f}{interval}"


def _facts(costs: Mapping[str, object]) -> str:
    return "".join(
        f"- {name}: {f'{value:.4g}' if isinstance(value, float) else value}\n"
        for name, value in costs.items()
    )
