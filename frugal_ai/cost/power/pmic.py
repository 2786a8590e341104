"""The power management circuit of a Raspberry Pi 5: volts and amperes of each rail."""

import re
import subprocess
from collections.abc import Callable

from frugal_ai.cost.power.sampled import Sampled
from frugal_ai.errors import CostError

COMMAND = ("vcgencmd", "pmic_read_adc")

_TIMEOUT_S = 2.0
_RAIL = re.compile(r"^\s*(\w+)_(A|V)\s+(?:current|volt)\(\d+\)=([0-9.eE+-]+)[AV]\s*$")


def parse_adc(text: str) -> float:
    """Return the power of all rails together [W].

    Rails with a voltage alone, as the 5 V input, are left out: what flows in is not measured.

    Raises
    ------
    CostError
        If there is no rail with both.
    """
    found: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        if match := _RAIL.match(line):
            rail, kind, value = match.groups()
            try:
                found.setdefault(rail, {})[kind] = float(value)
            except ValueError as error:
                raise CostError(f"pmic: expected a number, got {line.strip()!r}") from error
    powers = [rail["A"] * rail["V"] for rail in found.values() if rail.keys() == {"A", "V"}]
    if not powers:
        raise CostError(f"pmic: expected amperes and volts of rails, got {text.strip()[:80]!r}")
    return sum(powers)


def run_command() -> str:
    """Run `vcgencmd pmic_read_adc`.

    Raises
    ------
    CostError
        If it is not there, fails or does not end.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            COMMAND, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CostError(f"pmic: {' '.join(COMMAND)}: {error}") from error
    return done.stdout


def open_pmic(command: Callable[[], str] = run_command) -> Sampled:
    """Sample the rails.

    Parameters
    ----------
    command
        Returns what `vcgencmd pmic_read_adc` prints.

    Raises
    ------
    CostError
        If this is not a Raspberry Pi 5.
    """
    return Sampled(lambda: parse_adc(command()), "pmic")
