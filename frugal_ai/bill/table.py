"""A bill as a table and sentences for a terminal."""

from rich.table import Table

from frugal_ai.bill.basis import UNCERTAIN, Kind
from frugal_ai.bill.bill import Bill, Figures
from frugal_ai.bill.uncertainty import Range
from frugal_ai.wording import figure, mass, percent

TABLE_WIDTH = 120
"""Room that the table may need [characters]."""

_TOP = 5


def bill_table(bill: Bill) -> Table:
    """Lay out the stages, each with its share and its ranges by kind of uncertainty."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    kinds = (f"{kind}\n5 to 95 %" for kind in UNCERTAIN)
    for head in ("stage", "CO2e", "%", "kWh", "EUR", *kinds):
        table.add_column(head, justify="left" if head == "stage" else "right", no_wrap=True)
    for stage, figures in bill.stages.items():
        table.add_row(stage, *_cells(figures, bill.whole.gco2e))
    table.add_section()
    table.add_row("whole", *_cells(bill.whole, bill.whole.gco2e), style="bold")
    return table


def _cells(one: Figures, whole_g: float) -> list[str]:
    return [
        mass(one.gco2e).removesuffix("CO2e"),
        f"{100 * one.gco2e / whole_g if whole_g else 0.0:.1f}",
        figure(one.kwh),
        "-" if one.eur is None else figure(one.eur),
        *(_range(one.gco2e_ranges[kind], one.gco2e) for kind in UNCERTAIN),
    ]


def _range(ends: Range, value: float) -> str:
    """Write a range relative to its value."""
    if ends.low == ends.high or not value:
        return "-"
    low, high = (100 * (end - value) / abs(value) for end in (ends.low, ends.high))
    return f"{low:+.1f} to {high:+.1f} %".replace("-", "\u2212")


def ratio_sentence(model: str, other: str, found: tuple[float, dict[Kind, Range]]) -> str:
    """Say what a model costs over another, by what hangs on the model."""
    value, ranges = found
    ends = "; ".join(
        f"{kind} {figure(one.low)} to {figure(one.high)}" for kind, one in ranges.items()
    )
    return f"what hangs on {model} is {figure(value)} times that of {other} (5 to 95 %: {ends})"


def bill_sentences(bill: Bill) -> list[str]:
    """Say what dominates, what would change it, when things break even, and what to know."""
    whole = bill.whole.gco2e
    first = max(bill.stages, key=lambda stage: bill.stages[stage].gco2e)
    share = bill.stages[first].gco2e / whole if whole else 0.0
    score, own = bill.sci, bill.own_g / whole if whole else 0.0
    terms = (
        f"E {figure(score.e_kwh)} kWh, I {figure(score.i_g_per_kwh)} g/kWh, N {mass(score.n_g)}, "
        f"M {mass(score.m_g)}, R {figure(score.r)} thousand forecasts"
    )
    what = "what hangs on the model (run, retraining, pushes, inference)"
    rate = f"SCI = (E I + N + M) / R = {mass(score.score_g)} per 1,000 forecasts"
    said = [
        f"{mass(whole)} in all; {rate}: {terms}",
        f"dominant: {first}, {percent(share)}; {what}: {mass(bill.own_g)}, {100 * own:.2g} %",
    ]
    said += [f"would change it: {turn.sentence(whole)}" for turn in bill.turns[:_TOP]]
    said += [f"break-even: {one}" for one in bill.breakevens]
    said += [f"note: {one}" for one in bill.notes]
    return said
