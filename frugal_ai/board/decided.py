"""What was decided on a run, for pages."""

from collections.abc import Callable

from frugal_ai.board.words import Words
from frugal_ai.errors import ReviewError
from frugal_ai.review.decisions import Decisions
from frugal_ai.review.pages import history
from frugal_ai.review.review import standing


def sentences(record: Decisions | None, words: Words) -> Callable[[str], str]:
    """Return what says in a sentence where a run stands; empty without a record."""

    def said(run_id: str) -> str:
        if record is None:
            return ""
        try:
            taken = record.history(run_id)
        except ReviewError as error:
            return str(error)
        if not taken:
            return words("not_decided")
        last = taken[-1]
        return words(
            "decided",
            stage=words(f"stage_{standing(taken, run_id)}"),
            by=last.by,
            at=f"{last.at:%Y-%m-%d}",
            why=last.why,
        )

    return said


def section(record: Decisions | None, run_id: str, words: Words) -> str:
    """Return all decisions on a run as HTML; empty without a record."""
    return "" if record is None else history(record.history(run_id), words.language)
