from typing import Any

import pytest

from benchmarks.plan import section

PLANNED: dict[str, Any] = {
    "pipeline": "load",
    "machine": "a machine",
    "lines": [
        {"what": "ridge", "cost": {"cpu_s": 2.0}},
        {"what": "new", "cost": None},
    ],
    "total": {"cpu_s": 2.0},
}


@pytest.mark.parametrize(
    ("took", "said", "within"),
    [(2.5, "met (-20.0%)", True), (1.0, "missed (+100.0%)", False)],
)
def test_the_total_is_held_against_the_target(took: float, said: str, within: bool) -> None:
    text, met = section(PLANNED, {"ridge": took})
    assert met is within
    assert said in text
    assert f"| ridge | 2.000 | {took:.3f} | {2 / took - 1:+.1%} |" in text


def test_what_a_plan_did_not_know_counts_as_taken() -> None:
    text, met = section(PLANNED, {"ridge": 2.0, "new": 1.0})
    assert not met  # 2 of 3
    assert "| new | 0.000 | 1.000 | -100.0% |" in text
