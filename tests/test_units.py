import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.units import gco2e, kwh, wh


def test_known_amounts() -> None:
    assert wh(3600) == 1
    assert kwh(3.6e6) == 1
    assert gco2e(3.6e6, 56.04, 1.5) == pytest.approx(84.06)


@given(st.floats(0, 1e12), st.floats(0, 1e12), st.floats(0, 1000), st.floats(1, 3))
def test_more_energy_never_emits_less(a: float, b: float, intensity: float, pue: float) -> None:
    low, high = sorted((a, b))
    assert gco2e(low, intensity, pue) <= gco2e(high, intensity, pue)
