"""Which model is recommended, why, and how sure that is: what a reviewer reads first."""

from dataclasses import dataclass

from frugal_ai.board.filters import Filters
from frugal_ai.board.leads import metric_text
from frugal_ai.board.ranking import Board
from frugal_ai.board.words import Words


@dataclass(frozen=True)
class Headline:
    """The first lines of a board.

    Attributes
    ----------
    model
        Name of the recommended model; empty where there is none.
    claim
        What it is recommended for, or why there is none.
    caveat
        How far the claim reaches: the whole horizon where a part of it is shown, the MAE where
        another error is, and its run where models of several stand together.
    figures
        Its error, skill, carbon and size in one line.
    reason
        As the run said it, in English.
    failed_gates
        That it does not pass.
    """

    model: str
    claim: str
    caveat: str = ""
    figures: str = ""
    reason: str = ""
    failed_gates: tuple[str, ...] = ()


def headline(board: Board, asked: Filters, words: Words) -> Headline:
    """Say what a board comes to."""
    one = board.recommended
    if one is None:
        cut = board.group.latest.run.interrupted
        return Headline("", words("interrupted" if cut else "nothing_chosen"))
    row, run = one.entry.row, one.entry.run
    shipped = {} if run.shipped_bytes is None else {
        "bytes": words.local(f"{run.shipped_bytes:,}"), "shipped": run.shipped,
    }  # fmt: skip
    figures = words(
        "figures_of" if shipped else "figures_short",
        metric=metric_text(asked, words),
        error=words.figure(one.error, 4),
        unit="" if asked.metric in {"nmae", "mase"} else row.unit,
        interval=words.interval(one.error_ci, 4),
        skill=words.percent(row.skill, row.skill_ci),
        reach="" if asked.lead is None else f" ({words('whole_horizon')})",
        grams=words.mass(one.grams),
        scope=words(f"scope_{asked.scope}"),
        **shipped,
    )
    caveats = [] if asked.lead is None else [words("lead_reach")]
    if asked.metric != "mae":
        caveats.append(words("metric_reach"))
    if any(other.entry.row.run_id != row.run_id for other in board.rows):
        caveats.append(words("its_run_alone"))
    return Headline(
        model=row.rung,
        claim=words(f"rule_{run.rule}"),
        caveat=" ".join(caveats),
        figures=figures,
        reason=run.reason,
        failed_gates=run.failed_gates,
    )
