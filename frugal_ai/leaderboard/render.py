"""The ladder and the leaderboard as tables for a terminal."""

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from frugal_ai.leaderboard.table import groups
from frugal_ai.report import Circumstances, RungRow, RunReport

_MICRO = 1e6


def figure(value: float | None, scale: float = 1.0) -> str:
    """Write three significant digits at least, without an exponent where that stays readable."""
    if value is None:
        return "-"
    scaled = value * scale
    if scaled == 0:
        return "0"
    if abs(scaled) >= 1e6 or abs(scaled) < 1e-4:
        return f"{scaled:.2e}"
    if abs(scaled) >= 100:
        return f"{scaled:,.1f}" if abs(scaled) < 10_000 else f"{scaled:,.0f}"
    return f"{scaled:#.3g}"


def skill(row: RungRow) -> str:
    """Write the skill with its interval."""
    if row.skill is None:
        return "-"
    bounds = f" [{row.skill_ci[0]:.3f}, {row.skill_ci[1]:.3f}]" if row.skill_ci else ""
    return f"{row.skill:.3f}{bounds}"


def gain(row: RungRow) -> str:
    """Write what a rung gained over the cheaper one [%]."""
    return "-" if row.gain is None else f"{100 * row.gain:+.1f}"


def ladder_table(report: RunReport) -> Table:
    """Show the rungs of a run in the order of the pipeline."""
    table = _table(f"MAE\n[{report.unit}]", "gain\n[%]")
    for row in report.rows():
        _add(table, row)
    return table


def leaderboard_tables(rows: Iterable[RungRow]) -> list[Table]:
    """Show rows of any runs; what may not be compared stands in tables of its own."""
    tables = []
    for shared, members in groups(rows).items():
        table = _table(f"MAE\n[{shared.unit}]", "gain\n[%]")
        table.title = _circumstances(shared)
        for row in members:
            _add(table, row)
        tables.append(table)
    return tables


def _table(*figures: str) -> Table:
    table = Table(box=box.ASCII2, show_edge=False, pad_edge=False, title_justify="left")
    error, gained = figures
    table.add_column("rung", no_wrap=True)
    for name in (error, "skill\n[95 % interval]", "fit\nCPU-s", "training\nmWh", "µg\nCO2e",
                 "µgCO2e\n/ 1,000", gained):  # fmt: skip
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("verdict")
    return table


def _add(table: Table, row: RungRow) -> None:
    table.add_row(
        Text(f"{'*' if row.chosen else ' '}{row.rung}"),
        figure(row.mae),
        Text(skill(row)),
        figure(row.fit_cpu_s),
        figure(row.energy_wh, 1000),
        figure(row.co2e_g, _MICRO),
        figure(row.co2e_g_per_1000, _MICRO),
        gain(row),
        row.verdict or "-",
        style="bold" if row.chosen else None,
    )


def _circumstances(shared: Circumstances) -> str:
    simulated = ", simulated data" if shared.simulated else ""
    return (
        f"{shared.pipeline}: {shared.kind}, {shared.origins_test} test origins{simulated}; "
        f"{shared.hardware}, {shared.country} {shared.intensity_g_per_kwh:.3g} gCO2e/kWh, "
        f"PUE {shared.pue:g}, {shared.energy_method}"
    )
