"""What compressing the chosen model came to: every candidate, which one is shipped, its cost."""

import csv
import io
from typing import Literal

from frugal_ai.settings import Settings

Verdict = Literal["shipped", "passes", "fails"]

COLUMNS = (
    "kind", "parameters", "tree_nodes", "bytes", "latency_us", "cpu_us", "energy_mwh_per_1000",
    "co2e_g_per_1000", "rss_mb", "cold_ms", "retained", "retained_low", "retained_high",
    "retained_least", "retained_quantiles", "parity", "co2e_g", "verdict", "misses",
)  # fmt: skip


class CandidateReport(Settings):
    """One candidate.

    Attributes
    ----------
    kind
        Name of what was done.
    parameters, tree_nodes
        Learnt numbers outside of trees, and splits and leaves of trees, of the largest series.
    bytes
        Of the largest series' graph.
    latency_us, cpu_us
        Wall and CPU time of one forecast, warm, of the first series [us].
    energy_mwh_per_1000, co2e_g_per_1000
        Of a thousand forecasts.
    rss_mb, cold_ms
        Peak memory and CPU time of a process that opens the graph and forecasts once; None where
        the system does not tell.
    retained, retained_ci
        Share of the original's skill that is kept, with its interval: median of the series, and of
        their mean error.
    retained_least
        Of the series that keeps least.
    retained_quantiles
        Share of the original's gain in pinball loss over the seasonal naive; None without
        quantiles.
    parity
        Largest difference between graph and Python, over the mean of the series; None for what only
        exists as a graph.
    co2e_g
        Of making it.
    verdict, misses
        Shipped, passes, or fails, and by which gates.
    """

    kind: str
    parameters: int
    tree_nodes: int
    bytes: int
    latency_us: float
    cpu_us: float
    energy_mwh_per_1000: float
    co2e_g_per_1000: float
    rss_mb: float | None = None
    cold_ms: float | None = None
    retained: float
    retained_ci: tuple[float, float] | None = None
    retained_least: float
    retained_quantiles: float | None = None
    parity: float | None = None
    co2e_g: float
    verdict: Verdict
    misses: tuple[str, ...] = ()

    @property
    def chosen(self) -> bool:
        """Whether it is in the bundle."""
        return self.verdict == "shipped"


class CompressionReport(Settings):
    """All candidates, the chosen model as it is first.

    Attributes
    ----------
    original
        Name of the chosen rung.
    keep, keep_each
        Shares of skill that were asked for [1].
    shipped
        Kind of the candidate in the bundle.
    reason
        Why it is that one.
    co2e_g, cpu_s
        Of compressing, all candidates together.
    pays_after
        Forecasts of all series after which the smaller model has saved what compressing cost; None
        where it saves nothing.
    left_out
        What could not be made, and why.
    """

    original: str
    keep: float
    keep_each: float
    shipped: str
    reason: str
    co2e_g: float
    cpu_s: float
    pays_after: float | None = None
    candidates: tuple[CandidateReport, ...]
    left_out: tuple[str, ...] = ()

    def of(self, kind: str) -> CandidateReport:
        """Return the candidate of a kind."""
        return next(one for one in self.candidates if one.kind == kind)

    def csv(self) -> str:
        """Write one line for each candidate, after a header."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for one in self.candidates:
            low, high = one.retained_ci or ("", "")
            row = one.model_dump(exclude={"retained_ci", "misses"})
            row |= {"retained_low": low, "retained_high": high, "misses": "; ".join(one.misses)}
            writer.writerow(row)
        return text.getvalue()
