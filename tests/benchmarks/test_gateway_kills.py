"""The campaign of kills sees a broken state where there is one, and none where there is not."""

import json
from pathlib import Path

import pytest

from benchmarks.gateway.kills import Tally, campaign, examine, make_releases, new_state


def test_a_few_kills_break_nothing(tmp_path: Path) -> None:
    tally = campaign(6, 1, tmp_path)
    assert tally.broken == []
    assert tally.kills == sum(tally.runs.values()) == 6


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a/model.onnx", "altered since it was signed"),
        ("slots.json", "not valid JSON"),
        ("a/model.sig", "not valid JSON"),
    ],
)
def test_a_broken_state_is_seen(tmp_path: Path, name: str, said: str) -> None:
    make_releases(tmp_path / "releases", 1)
    new_state(tmp_path / "state", tmp_path / "releases")
    (tmp_path / "state" / "models" / "feeder_load" / name).write_bytes(b"{")
    tally = Tally()
    examine(tmp_path / "state", ["release-1"], tally)
    assert said in tally.broken[0]


def test_a_bundle_that_was_neither_there_nor_on_its_way_is_seen(tmp_path: Path) -> None:
    make_releases(tmp_path / "releases", 1)
    new_state(tmp_path / "state", tmp_path / "releases")
    tally = Tally()
    examine(tmp_path / "state", ["release-7", "release-8"], tally)
    assert "release-1 runs, expected one of" in tally.broken[0]
    path = tmp_path / "state" / "models" / "feeder_load" / "slots.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"current": None}))
    examine(tmp_path / "state", ["release-1"], tally)
    assert "nothing runs" in tally.broken[1]
