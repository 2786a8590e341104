import pytest

from frugal_ai.cost.power import pmic
from frugal_ai.cost.power.pmic import open_pmic, parse_adc
from frugal_ai.errors import CostError

ADC = """\
   3V7_WL_SW_A current(0)=0.10000000A
     VDD_CORE_A current(7)=2.00000000A
    3V7_WL_SW_V volt(8)=3.70000000V
      VDD_CORE_V volt(15)=0.80000000V
         EXT5V_V volt(24)=5.10000000V
"""


def test_rails_are_added_and_the_input_without_amperes_is_not() -> None:
    assert parse_adc(ADC) == pytest.approx(0.37 + 1.6)


@pytest.mark.parametrize("text", ["", "VCHI initialization failed\n", "A_A current(0)=1A\n"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(CostError, match="expected amperes and volts"):
        parse_adc(text)


def test_number_that_is_none() -> None:
    with pytest.raises(CostError, match="expected a number"):
        parse_adc("X_A current(0)=1.2.3A\n")


def test_it_is_sampled() -> None:
    gauge = open_pmic(lambda: ADC)
    gauge.close()
    assert gauge.method == "pmic"
    assert gauge.joules() >= 0


@pytest.mark.parametrize("command", [("no-such-command",), ("false",)])
def test_machine_without_the_command(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pmic, "COMMAND", command)
    with pytest.raises(CostError, match=f"pmic: {command[0]}: "):
        open_pmic()
