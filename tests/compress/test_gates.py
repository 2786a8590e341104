from dataclasses import replace
from typing import Any

import pytest

from frugal_ai.compress.gates import Figures, misses, smallest
from frugal_ai.errors import CompressionError
from frugal_ai.selection.compression import Compression

GOOD = Figures(
    retained=1.0, retained_least=0.98, retained_quantiles=1.0, parity=1e-7, bytes=20_000,
    latency_us=40.0, rss_mb=58.0,
)  # fmt: skip
RULE = Compression()


@pytest.mark.parametrize(
    ("change", "rule", "says"),
    [
        ({"retained": 0.985}, {}, "keeps 98.50% of the skill, less than 0.99"),
        ({"retained_least": 0.96}, {}, "one series keeps 96.00% of it, less than 0.97"),
        ({"retained_quantiles": 0.98}, {}, "its quantiles keep 98.00% of the gain in pinball loss"),
        ({"parity": 2e-5}, {}, "differ by 2e-05, more than 1e-05"),
        ({"parity": float("inf")}, {}, "differ by inf"),
        ({}, {"max_bytes": "19kB"}, "20000 bytes, more than 19000"),
        ({}, {"max_latency": "30us"}, "40 us, more than 30"),
        ({}, {"max_rss": "50MB"}, "58 MB of memory, more than 50"),
    ],
)
def test_each_gate_says_what_missed_by_how_much(
    change: dict[str, Any], rule: dict[str, Any], says: str
) -> None:
    (found,) = misses(replace(GOOD, **change), Compression.model_validate(rule))
    assert says in found


def test_what_is_not_known_or_not_asked_is_no_gate() -> None:
    unknown = replace(GOOD, parity=None, retained_quantiles=None, rss_mb=None)
    assert misses(unknown, Compression.model_validate({"max_rss": "1MB"})) == ()
    assert misses(replace(GOOD, bytes=10**9, latency_us=1e9, rss_mb=1e9), RULE) == ()


def test_the_smallest_that_passes_is_shipped() -> None:
    seen = [
        GOOD,
        replace(GOOD, bytes=9_000),
        replace(GOOD, bytes=8_000),
        replace(GOOD, bytes=1_000, retained=0.5),
    ]
    best, reason = smallest(["original", "a", "b", "c"], seen, RULE)
    assert best == 2
    assert "3 that pass every gate, 100.0% of the skill in 40.0% of the bytes" in reason


def test_without_a_smaller_one_the_original_is_shipped() -> None:
    seen = [GOOD, replace(GOOD, bytes=30_000), replace(GOOD, bytes=10, retained=0.1)]
    assert smallest(["original", "a", "b"], seen, RULE) == (
        0,
        "no smaller model passes every gate",
    )


def test_where_nothing_passes_the_original_is_shipped_or_it_is_refused() -> None:
    rule = {"max_bytes": "10kB"}
    seen = [GOOD, replace(GOOD, bytes=11_000)]
    assert smallest(["original", "a"], seen, Compression.model_validate(rule))[0] == 0
    strict = Compression.model_validate(rule | {"strict": True})
    with pytest.raises(CompressionError, match=r"original: 20000 bytes.*; a: 11000 bytes, more"):
        smallest(["original", "a"], seen, strict)
