import os
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import ValidationError

from frugal_ai.cost import hardware
from frugal_ai.cost.hardware import Hardware, Host, describe, detect_host

HOST = Host(cpu="AMD EPYC", threads=2, ram_gb=25.0, os="Linux", python="3.11.7")


def test_unknown_processor_gets_the_flagged_default() -> None:
    record = describe(Hardware(), HOST, default_w_per_thread=4.0)
    assert record.default
    assert (record.tdp_w, record.threads, record.cpu_model) == (8.0, 2, "AMD EPYC")


def test_description_wins_over_detection() -> None:
    described = Hardware(cpu="EPYC 9R14", tdp_w=280, threads=96, ram_gb=8)
    record = describe(described, HOST, default_w_per_thread=4.0)
    assert not record.default
    assert (record.tdp_w, record.threads, record.cpu_model) == (280, 96, "EPYC 9R14")
    assert (record.cpu_count, record.ram_total_size) == (2, 8)


def test_threads_alone_do_not_make_the_power_known() -> None:
    record = describe(Hardware(threads=6), HOST, default_w_per_thread=4.0)
    assert record.default
    assert record.tdp_w == 24


def test_tdp_without_its_threads_is_refused() -> None:
    with pytest.raises(ValidationError, match="threads beside tdp_w"):
        Hardware(tdp_w=280)


@pytest.mark.parametrize(
    "settings", [{"tdp_w": 0, "threads": 2}, {"threads": 0}, {"ram_gb": -1}, {"gpu": "none"}]
)
def test_impossible_hardware_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Hardware.model_validate(settings)


def test_this_machine_is_described() -> None:
    host = detect_host()
    assert host.threads >= 1
    assert host.cpu
    assert host.os
    assert host.ram_gb is None or host.ram_gb > 0.1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor : 0\nmodel name\t: AMD EPYC\nflags : a\n", "AMD EPYC"),
        ("processor : 0\nRevision : a02082\nModel : Raspberry Pi 4\n", "Raspberry Pi 4"),
    ],
)
def test_name_of_the_processor(
    text: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(text)
    monkeypatch.setattr(hardware, "_CPUINFO", cpuinfo)
    assert detect_host().cpu == name


def test_machine_that_tells_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> NoReturn:
        raise ValueError(name)

    monkeypatch.setattr(hardware, "_CPUINFO", tmp_path / "absent")
    monkeypatch.setattr(os, "sysconf", unknown)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    host = detect_host()
    assert host.cpu
    assert (host.threads, host.ram_gb) == (1, None)
