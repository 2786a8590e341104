from typing import Any

import pytest

from frugal_ai.review import limiter as module
from frugal_ai.review.limiter import Limiter

Fixture = Any


@pytest.fixture
def limiter(clock: Fixture) -> Limiter:
    return Limiter(per_name=3, per_address=5, window_s=60, clock=clock)


def test_a_name_waits_after_its_failures_until_the_first_is_old(
    limiter: Limiter, clock: Fixture
) -> None:
    for _ in range(3):
        assert limiter.wait_s("here", "ada") == 0
        limiter.failed("here", "ada")
        clock.now += 10
    assert limiter.wait_s("here", "ada") == 31
    clock.now += 31
    assert limiter.wait_s("here", "ada") == 0


def test_nobody_locks_out_a_name_from_another_address(limiter: Limiter) -> None:
    for _ in range(9):
        limiter.failed("elsewhere", "ada")
    assert limiter.wait_s("elsewhere", "ada") > 0
    assert limiter.wait_s("here", "ada") == 0


def test_an_address_waits_after_failures_of_many_names(limiter: Limiter) -> None:
    for i in range(5):
        limiter.failed("here", f"name{i}")
    assert limiter.wait_s("here", "another") == 61


def test_success_forgets_a_name_but_not_what_others_did(limiter: Limiter) -> None:
    for name in ("ada", "ada", "bob", "bob", "bob"):
        limiter.failed("here", name)
    limiter.succeeded("here", "ada")
    assert limiter.wait_s("here", "ada") == 0
    limiter.failed("here", "ada")
    assert limiter.wait_s("here", "ada") > 0  # the address
    assert limiter.wait_s("here", "bob") > 0


def test_memory_is_bounded(limiter: Limiter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 10)
    for i in range(100):
        limiter.failed(f"address{i}", "ada")
    assert len(limiter._failures) == 10
