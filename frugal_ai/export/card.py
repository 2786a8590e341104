"""The model card: what a model is, for whom it was made, and how far it can be trusted."""

from collections.abc import Mapping

from frugal_ai.pipeline import Pipeline
from frugal_ai.report import RunReport
from frugal_ai.settings import format_duration

_SIMULATED = (
    "> **Simulated data.** This model learnt from a simulation, not from measurements; its figures "
    "say nothing about a real grid.\n\n"
)


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
        f"Forecasts {pipeline.kind} [{pipeline.unit}] every {format_duration(pipeline.step)} over "
        f"{format_duration(pipeline.horizon)}, from origins at {local} ({pipeline.timezone}). "
        f"Covariates: {covariates}.\n\n"
        "## Why this model\n\n"
        f"{report.reason}\n\n"
        f"The choice was made on origins from {periods.validation.first} to "
        f"{periods.validation.last}; the figures below are of origins from {periods.test.first} to "
        f"{periods.test.last}, which the choice never saw.\n\n"
        f"{_ladder_table(report)}\n"
        "## What it cost\n\n"
        f"{_facts(costs)}\n"
        "## Limits\n\n"
        "- Known covariates were taken as they stand in the data: with archived or perfect weather "
        "the figures are better than a live forecast's.\n"
        "- Point forecasts only.\n"
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
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for row in report.rungs:
        bounds = row.skill_ci
        interval = f" ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds else ""
        lines.append(
            f"| {row.rung} | {row.mae:.4g} | {row.skill:.3f}{interval} "
            f"| {row.co2e_g:.3g} | {row.co2e_g_per_1000:.3g} | {row.verdict} |"
        )
    return "\n".join(lines) + "\n"


def _facts(costs: Mapping[str, object]) -> str:
    return "".join(
        f"- {name}: {f'{value:.4g}' if isinstance(value, float) else value}\n"
        for name, value in costs.items()
    )
