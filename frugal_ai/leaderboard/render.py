"""The ladder and the leaderboard as tables for a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.text import Text

from frugal_ai.leaderboard.columns import Column, Sheet
from frugal_ai.leaderboard.figures import described, figure, percent
from frugal_ai.leaderboard.table import boards
from frugal_ai.report import RungRow, RunReport
from frugal_ai.wording import mass

_GAIN = (
    "* chosen. gain: less validation error than the best proven cheaper rung; of a dominated rung, "
    "than the best of those that cost no more."
)
_COVERED = (
    "coverage: share of the observations inside the central interval, which should hold as many as "
    "it is named for; width: of that interval, on average."
)
_LATEST = "* chosen. The latest run of each rung; --csv and --json give all."
_POOLED = (
    "Tables are not to be compared with each other: targets, weather, hardware, energy method or "
    "carbon factors differ."
)

_RungColumn = Column[RungRow]


def _scaled(value: float | None, scale: float) -> str:
    return figure(None if value is None else value * scale)


def _name(row: RungRow) -> str:
    return f"{'*' if row.chosen else ' '} {row.rung}"


_RUNG = _RungColumn("  rung", _name, left=True)
_SKILL = _RungColumn("skill %\n[95 % CI]", lambda row: percent(row.skill, row.skill_ci))
_FIT = _RungColumn("fit\nCPU-s", lambda row: figure(row.fit_cpu_s), cost=True)
_ENERGY = _RungColumn("training\nmWh", lambda row: _scaled(row.energy_wh, 1e3), cost=True)
_TRAINING = _RungColumn("training\nµgCO2e", lambda row: _scaled(row.co2e_g, 1e6), cost=True)
_USE = _RungColumn("1,000 fc.\nµgCO2e", lambda row: _scaled(row.co2e_g_per_1000, 1e6), cost=True)
_LIFE = _RungColumn(
    "life\nCO2e",
    lambda row: "-" if row.life_cycle_g is None else mass(row.life_cycle_g).removesuffix("CO2e"),
    cost=True,
)
_GAINED = _RungColumn("gain %\n[95 % CI]", lambda row: percent(row.gain, row.gain_ci))
_VERDICT = _RungColumn("verdict", lambda row: row.verdict or "-", left=True)
_RELATIVE = _RungColumn("pinball\n%", lambda row: percent(row.npinball))
_INTERVAL = _RungColumn("interval\n%", lambda row: _nominal(row.coverage_nominal))
_COVERAGE = _RungColumn("coverage %\n[95 % CI]", lambda row: percent(row.coverage, row.coverage_ci))
_ENDED = _RungColumn("run ended", lambda row: f"{row.ended:%Y-%m-%d}", cost=True, left=True)


def ladder_table(report: RunReport) -> Sheet[RungRow]:
    """Show the rungs of a run in the order of the pipeline, the chosen one marked."""
    rows = report.rows()
    columns = (
        _RUNG, _mae(report.unit), _SKILL, _FIT, _ENERGY, _TRAINING, _USE, *_life(rows), _GAINED,
        _VERDICT,
    )  # fmt: skip
    more = _quantiles(rows, report.unit)
    notes = [_GAIN, *([_COVERED] if more else [])]
    if rows:
        notes.append(described(rows[0].circumstances, report.context.energy_spread))
    return Sheet(columns, rows, notes=notes if rows else [], more=more)


def leaderboard_tables(rows: Iterable[RungRow]) -> list[RenderableType]:
    """Show rows of any runs; what may not be compared stands in tables of its own."""
    found = boards(rows)
    if not found:
        return [Text("no run has been logged")]
    sheets: list[RenderableType] = []
    for board in found:
        shared = board.circumstances
        columns = (
            _RUNG,
            _mae(shared.unit),
            _SKILL,
            _TRAINING,
            _USE,
            *_life(board.rows),
            _VERDICT,
            _ENDED,
        )
        notes = [described(shared, board.rows[0].energy_spread), ""]
        more = _quantiles(board.rows, shared.unit)
        sheets.append(Sheet(columns, board.rows, shared.pipeline, notes, more))
    pooled = [Text(_POOLED, "dim")] if len(found) > 1 else []
    return [*sheets, Text(_LATEST, "dim"), *pooled]


def _life(rows: Sequence[RungRow]) -> tuple[_RungColumn, ...]:
    """Return what hangs on a rung over the life of a fleet, if a fleet was declared."""
    return (_LIFE,) if any(row.life_cycle_g is not None for row in rows) else ()


def _mae(unit: str) -> _RungColumn:
    return _RungColumn(f"MAE\n{unit}".rstrip(), lambda row: figure(row.mae, digits=4))


def _quantiles(rows: Sequence[RungRow], unit: str) -> tuple[_RungColumn, ...]:
    """Return what is said of quantiles, if any row has them."""
    if all(row.pinball is None for row in rows):
        return ()
    return (
        _RungColumn(f"pinball\n{unit}".rstrip(), lambda row: figure(row.pinball, digits=4)),
        _RELATIVE,
        _RungColumn(f"CRPS\n{unit}".rstrip(), lambda row: figure(row.crps, digits=4)),
        _INTERVAL,
        _COVERAGE,
        _RungColumn(f"width\n{unit}".rstrip(), lambda row: figure(row.sharpness, digits=4)),
    )


def _nominal(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:g}"
