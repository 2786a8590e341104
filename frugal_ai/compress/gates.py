"""What a candidate must pass before it may be shipped, and the smallest of those that do."""

from collections.abc import Sequence
from dataclasses import dataclass

from frugal_ai.errors import CompressionError
from frugal_ai.export.model import PARITY
from frugal_ai.selection.compression import Compression


@dataclass(frozen=True)
class Figures:
    """What gates look at.

    Attributes
    ----------
    retained, retained_least
        Share of the original's skill, of the median series and of the least [1].
    retained_quantiles
        Share of the original's gain in pinball loss over the baseline [1]; None without quantiles.
    parity
        Largest difference between graph and Python over the mean of the series [1]; None where
        there is no Python to compare with.
    bytes
        Of the largest series' graph.
    latency_us
        Of one forecast, warm [us].
    rss_mb
        Peak memory of a process that forecasts once [MB]; None where it is not known.
    """

    retained: float
    retained_least: float
    retained_quantiles: float | None
    parity: float | None
    bytes: int
    latency_us: float
    rss_mb: float | None


def misses(seen: Figures, rule: Compression) -> tuple[str, ...]:
    """Say which gates a candidate does not pass, and by how much."""
    found = []
    if seen.retained < rule.keep:
        found.append(f"keeps {seen.retained:.2%} of the skill, less than {rule.keep:.4g}")
    if seen.retained_least < rule.keep_each:
        found.append(
            f"one series keeps {seen.retained_least:.2%} of it, less than {rule.keep_each:.4g}"
        )
    if seen.retained_quantiles is not None and seen.retained_quantiles < rule.keep:
        found.append(
            f"its quantiles keep {seen.retained_quantiles:.2%} of the gain in pinball loss, "
            f"less than {rule.keep:.4g}"
        )
    if seen.parity is not None and not seen.parity <= PARITY:
        found.append(f"graph and Python differ by {seen.parity:.2g}, more than {PARITY:g}")
    if rule.max_bytes is not None and seen.bytes > rule.max_bytes:
        found.append(f"{seen.bytes} bytes, more than {rule.max_bytes:g}")
    if rule.max_latency is not None and seen.latency_us > rule.max_latency:
        found.append(f"{seen.latency_us:.3g} us, more than {rule.max_latency:g}")
    if rule.max_rss is not None and seen.rss_mb is not None and seen.rss_mb * 1e6 > rule.max_rss:
        found.append(f"{seen.rss_mb:.3g} MB of memory, more than {rule.max_rss / 1e6:g}")
    return tuple(found)


def smallest(names: Sequence[str], seen: Sequence[Figures], rule: Compression) -> tuple[int, str]:
    """Choose the candidate with the least bytes among those that pass; the original stands first.

    Parameters
    ----------
    names, seen
        Of the candidates.

    Returns
    -------
    tuple[int, str]
        Which one, and why.

    Raises
    ------
    CompressionError
        If none passes and the rule is strict; says what missed by how much.
    """
    missed = [misses(one, rule) for one in seen]
    passing = [i for i, found in enumerate(missed) if not found]
    if passing:
        best = min(passing, key=lambda i: (seen[i].bytes, seen[i].latency_us))
        if best == 0:
            return 0, "no smaller model passes every gate"
        return best, (
            f"the smallest of {len(passing)} that pass every gate, {seen[best].retained:.1%} of "
            f"the skill in {seen[best].bytes / seen[0].bytes:.1%} of the bytes"
        )
    if not rule.strict:
        return 0, "nothing passes the gates"
    told = "; ".join(
        f"{name}: {', '.join(found)}" for name, found in zip(names, missed, strict=True)
    )
    raise CompressionError(f"compress: nothing passes the gates: {told}")
