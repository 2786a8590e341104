"""All candidates made, examined and judged; the smallest that keeps the skill is shipped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import TypeVar

from frugal_ai.compress.examine import Examiner, Seen
from frugal_ai.compress.gates import misses, smallest
from frugal_ai.compress.original import ORIGINAL, Candidate, Original, as_it_is
from frugal_ai.compress.plans import Stage, plans
from frugal_ai.cost.context import Cost, total_cost
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.meter import Meter
from frugal_ai.errors import CompressionError, RungError
from frugal_ai.recipes import Kind
from frugal_ai.report.compression import CandidateReport, CompressionReport
from frugal_ai.selection.compression import Compression

T = TypeVar("T")
Step = Callable[[str, int, int], None]
"""Hears what is done now, how much is done, and how much there is."""


@dataclass(frozen=True)
class Compressed:
    """What is shipped, and the report on everything that was tried."""

    shipped: Candidate
    report: CompressionReport


@dataclass(frozen=True)
class _Made:
    candidate: Candidate
    seen: Seen
    cost: Cost  # of making it


@dataclass(frozen=True)
class _Books:
    """Measures every piece of work, and has it on the bill."""

    meter: Meter
    ledger: Ledger
    rung: str
    spent: list[Cost] = field(default_factory=list)

    def book(self, stage: Stage, work: Callable[[], T], note: str) -> T:
        result, measured = self.meter.measure(work, repeat=False)
        self.ledger.add(stage, measured, rung=self.rung, note=note)
        self.spent.append(self.ledger.context.cost(measured))
        return result

    def since(self, before: int) -> Cost:
        """Add up what was spent after the first pieces of work."""
        return total_cost(self.spent[before:])


def compress(
    original: Original,
    kind: Kind,
    examiner: Examiner,
    rule: Compression,
    meter: Meter,
    ledger: Ledger,
    step: Step,
    *,
    frugal: bool,
) -> Compressed:
    """Make a chosen model smaller, as far as its skill allows.

    Parameters
    ----------
    original
        The chosen model.
    kind
        Of target; it says what is tried.
    examiner
        Looks at candidates on the test origins.
    rule
        What must be kept.
    meter, ledger
        Every candidate is on the bill: making it as distillation or quantization, its test
        forecasts as distillation.
    step
        Hears which candidate is made.
    frugal
        Whether students end with the first that passes; they come in ascending size.

    Raises
    ------
    CompressionError
        If nothing passes and the rule is strict.
    """
    books = _Books(meter, ledger, original.rung.name)
    made = [_looked_at(as_it_is(original), examiner, books, 0)]
    left_out, learnt = [], False
    todo = plans(original, kind, skilled=examiner.skilled)
    for done, plan in enumerate(todo):
        step(f"compress: {plan.kind}", done, len(todo))
        if frugal and learnt and plan.stage == "distillation":
            left_out.append(f"{plan.kind}: a smaller student keeps the skill")
            continue
        before = len(books.spent)
        passing = [one.candidate for one in made if not misses(one.seen.figures, rule)]
        try:
            make = partial(plan.make, passing or [made[0].candidate])
            found = books.book(plan.stage, make, plan.kind)
            made.append(_looked_at(found, examiner, books, before))
        except (CompressionError, RungError) as error:
            left_out.append(f"{plan.kind}: {error}")
        else:
            learnt |= plan.stage == "distillation" and not misses(made[-1].seen.figures, rule)
    return _chosen(original, made, left_out, rule, books.since(0))


def _looked_at(candidate: Candidate, examiner: Examiner, books: _Books, before: int) -> _Made:
    walk = partial(examiner.walk, candidate)
    walked = books.book("distillation", walk, f"{candidate.kind}: test")
    if candidate.kind == ORIGINAL:
        examiner.take_as_original(walked)
    seen = examiner.look(candidate, walked)
    return _Made(candidate, seen, books.since(before))


def _chosen(
    original: Original,
    made: Sequence[_Made],
    left_out: Sequence[str],
    rule: Compression,
    spent: Cost,
) -> Compressed:
    figures = [one.seen.figures for one in made]
    best, reason = smallest([one.candidate.kind for one in made], figures, rule)
    if original.rung.family == "naive":
        reason = "a naive rung has nothing to distil"
    saved = made[0].seen.per_1000.co2e_g - made[best].seen.per_1000.co2e_g
    report = CompressionReport(
        original=original.rung.name,
        keep=rule.keep,
        keep_each=rule.keep_each,
        shipped=made[best].candidate.kind,
        reason=reason,
        co2e_g=spent.co2e_g,
        cpu_s=spent.cpu_s,
        pays_after=1000 * spent.co2e_g / saved if best and saved > 0 else None,
        left_out=tuple(left_out),
        candidates=tuple(_row(one, rule, shipped=i == best) for i, one in enumerate(made)),
    )
    return Compressed(made[best].candidate, report)


def _row(one: _Made, rule: Compression, *, shipped: bool) -> CandidateReport:
    seen, figures = one.seen, one.seen.figures
    missed = misses(figures, rule)
    parity = figures.parity
    return CandidateReport(
        kind=one.candidate.kind,
        parameters=seen.parameters,
        tree_nodes=seen.tree_nodes,
        bytes=figures.bytes,
        latency_us=figures.latency_us,
        cpu_us=seen.cpu_us,
        energy_mwh_per_1000=seen.per_1000.energy_wh * 1000,
        co2e_g_per_1000=seen.per_1000.co2e_g,
        rss_mb=figures.rss_mb,
        cold_ms=seen.cold_ms,
        retained=figures.retained,
        retained_ci=(seen.retained.low, seen.retained.high) if seen.retained.known else None,
        retained_least=figures.retained_least,
        retained_quantiles=figures.retained_quantiles,
        parity=parity if parity is not None and isfinite(parity) else None,
        co2e_g=one.cost.co2e_g,
        verdict="shipped" if shipped else "fails" if missed else "passes",
        misses=missed,
    )
