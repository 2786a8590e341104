import json
import os
import pwd
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from frugal_edge.errors import InstallError
from frugal_edge.install import audit


def test_who_when_and_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    audit.append(tmp_path / "new", "rollback", series="a", sequence=3, to=None)
    monkeypatch.setenv("SUDO_USER", "ana")
    audit.append(tmp_path / "new", "commit")
    first, second = audit.read(tmp_path / "new")
    user = pwd.getpwuid(os.getuid()).pw_name
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(first.pop("time")))
    assert first == {"who": user, "what": "rollback", "series": "a", "sequence": 3, "to": None}
    assert second["who"] == f"ana as {user}"


def test_nothing_was_audited_where_nothing_is(tmp_path: Path) -> None:
    assert audit.read(tmp_path) == []


def test_a_line_that_was_cut_off_is_no_line_and_is_replaced(tmp_path: Path) -> None:
    audit.append(tmp_path, "one")
    audit.append(tmp_path, "two")
    path = tmp_path / audit.NAME
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        expected = ["one"] if length >= first else []
        assert [event["what"] for event in audit.read(tmp_path)] == expected
        audit.append(tmp_path, "three")
        assert [event["what"] for event in audit.read(tmp_path)] == [*expected, "three"]


def test_a_line_that_was_altered_is_named(tmp_path: Path) -> None:
    audit.append(tmp_path, "one")
    path = tmp_path / audit.NAME
    path.write_bytes(b"[]\n" + path.read_bytes())
    with pytest.raises(InstallError, match=r"audit.jsonl: line 1: document: expected an object"):
        audit.read(tmp_path)


def _many(state: Path, name: str) -> None:
    for number in range(50):
        audit.append(state, name, number=number)


def test_several_processes_lose_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        list(pool.map(_many, [tmp_path] * 4, "abcd"))
    lines = (tmp_path / audit.NAME).read_text().splitlines()
    events = [json.loads(line) for line in lines]
    for name in "abcd":
        assert [e["number"] for e in events if e["what"] == name] == list(range(50))
    assert len(events) == 200
