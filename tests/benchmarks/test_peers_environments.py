"""Pinned requirements, the Pythons that are found, and what is counted as an installation."""

import re
import sys
from pathlib import Path

import pytest

from benchmarks.peers import environments
from benchmarks.peers.environments import UnavailableError, inspect, interpreter
from benchmarks.peers.systems import LIBRARIES, NAIVE, PEERS, Library

_ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==\S+", re.MULTILINE)


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)
def test_every_requirement_is_pinned_with_digests(library: Library) -> None:
    text = library.requirements.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 20
    for entry in entries:
        assert re.match(_ENTRY, entry), entry
        assert "--hash=sha256:" in entry
    assert "://" not in text
    assert "/" not in text


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)
def test_what_a_library_is_for_is_pinned(library: Library) -> None:
    asked = library.requirements.with_suffix(".in").read_text(encoding="utf-8")
    names = {line.split("#")[0].split("<")[0].strip() for line in asked.splitlines()} - {""}
    pinned = set(re.findall(_ENTRY, library.requirements.read_text(encoding="utf-8")))
    assert names <= pinned


def test_every_system_has_a_script_and_a_name_of_its_own() -> None:
    systems = (*PEERS, *NAIVE)
    assert len({system.key for system in systems}) == len(systems)
    assert len({system.label for system in systems}) == len(systems)
    folder = Path(environments.__file__).parent / "workers"
    assert all((folder / f"{system.script}.py").is_file() for system in systems)


def test_this_python_is_taken_where_it_will_do() -> None:
    assert interpreter((3, 11)) == sys.executable


def test_a_python_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "_candidates", lambda _: [])
    monkeypatch.setattr(environments, "_NEWEST", (3, 99))
    with pytest.raises(UnavailableError, match=r"needs Python 3\.99 or newer, and none was found"):
        interpreter((3, 99))


def test_a_python_that_does_not_run_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "_candidates", lambda _: ["/nowhere/python", "/bin/false"])
    monkeypatch.setattr(environments, "_NEWEST", (3, 99))
    with pytest.raises(UnavailableError, match="none was found"):
        interpreter((3, 99))


def test_an_installation_is_what_the_requirements_name(tmp_path: Path) -> None:
    requirements = tmp_path / "some.txt"
    digest = "    --hash=sha256:00\n"
    requirements.write_text(f"numpy==1 \\\n{digest}no-such-package==1 \\\n{digest}")
    found = inspect(Path(sys.executable), requirements)
    assert found.packages == 1
    assert 10 < found.size_mb < 500
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "big.py").write_bytes(b" " * 2_000_000)
    more = inspect(Path(sys.executable), requirements, (linked,))
    assert more.packages == 2
    assert more.size_mb == pytest.approx(found.size_mb + 2)
