from dataclasses import replace

import pytest

from frugal_ai.errors import StaleEvidenceError
from frugal_ai.review.evidence import Evidence, check_evidence

NOW = Evidence("one", "a" * 64, "b" * 64, {"bundle": "c" * 64}, "d" * 64)


@pytest.mark.parametrize(
    "changed",
    [
        replace(NOW, run_id="two"),
        replace(NOW, report="0" * 64),
        replace(NOW, metrics="0" * 64),
        replace(NOW, bundles={"bundle": "0" * 64}),
        replace(NOW, bundles={"other": "c" * 64}),
        replace(NOW, data="0" * 64),
    ],
)
def test_whatever_changes_is_other_evidence(changed: Evidence) -> None:
    assert changed.digest != NOW.digest
    with pytest.raises(StaleEvidenceError, match="look at the model again"):
        check_evidence(NOW.digest, changed)


def test_the_digits_that_are_shown_will_do() -> None:
    check_evidence(NOW.digest, NOW)
    check_evidence(NOW.digest[:12], NOW)


@pytest.mark.parametrize("seen", ["", NOW.digest[:11], NOW.digest + "0", NOW.digest[1:]])
def test_fewer_or_other_digits_will_not(seen: str) -> None:
    with pytest.raises(StaleEvidenceError, match="expected a decision on the evidence"):
        check_evidence(seen, NOW)
