from pathlib import Path

import pytest

from frugal_ai.cost.power import rapl
from frugal_ai.cost.power.rapl import Rapl, packages_in
from frugal_ai.errors import CostError

RANGE = 262_143_328_850


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two sockets, a core within one, and the platform's domain, which holds both."""
    zones = {"0": "package-0", "1": "package-1", "0:0": "core", "2": "psys"}
    for zone, name in zones.items():
        folder = tmp_path / f"intel-rapl:{zone}"
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "energy_uj").write_text("1000000\n")
        (folder / "max_energy_range_uj").write_text(f"{RANGE}\n")
    return tmp_path


def count(tree: Path, zone: str, uj: int) -> None:
    (tree / f"intel-rapl:{zone}" / "energy_uj").write_text(f"{uj}\n")


def test_packages_are_added_and_their_parts_are_not(tree: Path) -> None:
    clock = Clock()
    gauge = Rapl.open(tree, clock, period_s=None)
    assert gauge.joules() == 0
    count(tree, "0", 6_000_000)
    count(tree, "1", 3_000_000)
    count(tree, "0:0", 5_000_000)
    count(tree, "2", 90_000_000)
    clock.now = 1.0
    assert gauge.joules() == pytest.approx(5 + 2)


def test_counter_that_wraps(tree: Path) -> None:
    clock = Clock()
    count(tree, "0", RANGE - 2_000_000)
    gauge = Rapl.open(tree, clock, period_s=None)
    count(tree, "0", 3_000_000)
    clock.now = 1.0
    assert gauge.joules() == pytest.approx(5, abs=1e-5)
    count(tree, "0", 4_000_000)
    clock.now = 2.0
    assert gauge.joules() == pytest.approx(6, abs=1e-5)


def test_counter_that_is_reset_is_not_taken_for_a_wrap(tree: Path) -> None:
    clock = Clock()
    count(tree, "0", RANGE // 2)
    gauge = Rapl.open(tree, clock, period_s=None)
    count(tree, "0", 10)
    clock.now = 5.0  # a wrap would be 26 kW
    with pytest.raises(CostError, match=r"goes up or wraps at 262143328850 uJ, got 10 after"):
        gauge.joules()


def test_thread_that_watches_for_wraps_ends(tree: Path) -> None:
    gauge = Rapl.open(tree, period_s=0.001)
    (tree / "intel-rapl:0" / "energy_uj").write_text("nothing")
    assert gauge._background is not None
    gauge._background._thread.join(0.05)
    with pytest.raises(CostError, match="cannot be read"):
        gauge.joules()
    gauge.close()
    assert not gauge._background._thread.is_alive()


def test_machine_without_rapl_is_told_why(tmp_path: Path) -> None:
    for tree in (tmp_path, tmp_path / "absent"):
        with pytest.raises(CostError, match="expected a package, found none; virtual machines"):
            Rapl.open(tree)


def test_counter_that_only_root_may_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Path.read_text

    def refused(path: Path, *args: str, **kwargs: str) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return text(path, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", refused)
    assert len(packages_in(tree)) == 2
    with pytest.raises(CostError, match=r"energy_uj: only root may read it; .* chmod a\+r"):
        Rapl.open(tree)


def test_wraps_cannot_be_missed() -> None:
    smallest = 65_532_610_987  # uJ, of older processors
    assert smallest / 1e6 > rapl._PERIOD_S * rapl._MOST_W
