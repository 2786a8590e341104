import pytest
from frugal_edge.mqtt.backoff import Backoff


def test_pauses_double_up_to_a_bound_and_begin_again() -> None:
    backoff = Backoff(1.0, 60.0, lambda: 0.0)
    assert [backoff.pause() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.reset()
    assert backoff.pause() == 1


@pytest.mark.parametrize(("chance", "share"), [(0.0, 1.0), (0.5, 0.75), (1.0, 0.5)])
def test_chance_cuts_a_pause_by_half_at_most(chance: float, share: float) -> None:
    assert Backoff(4.0, 60.0, lambda: chance).pause() == 4 * share


def test_two_gateways_do_not_come_back_together() -> None:
    assert Backoff().pause() != Backoff().pause()
