import subprocess
import sys

import pytest

from frugal_ai.cost.threads import VARIABLES, pinned_threads, threads_in_force
from frugal_ai.errors import CostError


def test_pins_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert set(threads_in_force().values()) == {"unset"}
    pinned_threads(3)
    assert threads_in_force() == dict.fromkeys(VARIABLES, "3")


@pytest.mark.parametrize(("before", "in_time"), [("", True), ("import numpy", False)])
def test_too_late_is_said(before: str, *, in_time: bool) -> None:
    code = f"{before}\nfrom frugal_ai.cost.threads import pinned_threads\nprint(pinned_threads(1))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == str(in_time)


def test_no_threads_are_refused() -> None:
    with pytest.raises(CostError, match="at least 1"):
        pinned_threads(0)
