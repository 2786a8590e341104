"""Which gates a run's chosen model did not pass: nobody approves it without saying so."""

from frugal_ai.report.run import RunReport


def failed_gates(report: RunReport) -> tuple[str, ...]:
    """Say which gates the chosen model of a run fails, and by how much; empty where it passes all.

    The gates are those that the pipeline declares for what is shipped (skill kept, parity, bytes,
    latency, memory), and the test itself: a model whose whole interval of skill is below zero is
    worse than the seasonal naive.
    """
    failed: list[str] = []
    chosen = next((rung for rung in report.rungs if rung.chosen), None)
    if chosen is None:
        failed.append("the run has chosen nothing")
    elif chosen.skill_ci is not None and chosen.skill_ci[1] < 0:
        low, high = chosen.skill_ci
        failed.append(f"skill {low:.3f} to {high:.3f} on the test: worse than the seasonal naive")
    found = report.compression
    if found is not None:
        failed += [f"{found.shipped}: {missed}" for missed in found.of(found.shipped).misses]
    return tuple(failed)
