import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from frugal_edge import cli
from frugal_edge.drift import Drift
from frugal_edge.errors import InputError, OutputError
from frugal_edge.runtime import load
from frugal_edge.state import State, read_state

MakeBundle = Callable[..., Path]
WriteCsv = Callable[..., Path]
Capture = pytest.CaptureFixture[str]

ORIGIN = 1_717_192_800
STEP, STEPS, HORIZON = 1800, 96, 48
DAY = 86400
OFFSETS = {0.1: -5.0, 0.5: 0.0, 0.9: 5.0}


@pytest.fixture
def drifting(make_bundle: MakeBundle) -> Path:
    """Give a bundle that repeats the day before, with quantiles 5 to either side."""
    return make_bundle(("history", "drift"), offsets=OFFSETS)


def forecast(bundle: Path, history: Path, state: Path, origin: int, capsys: Capture) -> np.ndarray:
    """Return the quantiles that the command line gives, [H, Q]."""
    arguments = ["forecast", bundle, "--history", history, "--state", state]
    when = np.datetime64(origin, "s").astype(str) + "Z"
    assert cli.main([*map(str, arguments), "--origin", when, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["forecast"]
    return np.array([[row[f"q{level}"] for level in OFFSETS] for row in rows])


def test_quantiles_follow_what_arrives(
    drifting: Path, write_csv: WriteCsv, tmp_path: Path, capsys: Capture
) -> None:
    rising = np.repeat(np.arange(12.0), 48) * 4  # each day 4 above the one before
    history = write_csv("history.csv", ORIGIN - 2 * DAY, {"value": rising})
    state = tmp_path / "state.json"
    drift = Drift.none(tuple(OFFSETS), STEP)
    for day in range(9):
        origin = ORIGIN + day * DAY
        got = forecast(drifting, history, state, origin, capsys)
        plain = 4.0 * (day + 1) + np.array([*OFFSETS.values()])
        assert got == pytest.approx(plain + 10 * drift.ahead(origin, HORIZON), abs=1e-4)
        drift = drift.learn(origin, got, np.full(HORIZON, 4.0 * (day + 2)))
    assert got[:, 1].min() > plain[1] + 2  # it has learnt that the series rises
    kept = json.loads(state.read_text())
    assert [one["origin"] for one in kept["open"]] == [origin]


def test_a_forecast_asked_twice_teaches_once(
    drifting: Path, write_csv: WriteCsv, tmp_path: Path, capsys: Capture
) -> None:
    history = write_csv("history.csv", ORIGIN - 2 * DAY, {"value": np.arange(48.0 * 6)})
    once, twice = tmp_path / "once.json", tmp_path / "twice.json"
    forecast(drifting, history, once, ORIGIN, capsys)
    for _ in range(2):
        forecast(drifting, history, twice, ORIGIN, capsys)
    forecast(drifting, history, once, ORIGIN + DAY, capsys)
    forecast(drifting, history, twice, ORIGIN + DAY, capsys)
    assert once.read_text() == twice.read_text()


def test_without_a_state_nothing_drifts(
    drifting: Path, write_csv: WriteCsv, capsys: Capture, tmp_path: Path
) -> None:
    history = write_csv("history.csv", ORIGIN - 2 * DAY, {"value": np.arange(96.0)})
    assert cli.main(["forecast", str(drifting), "--history", str(history)]) == 0
    first = capsys.readouterr().out.splitlines()[1].split(",")
    assert [float(cell) for cell in first[-3:]] == [43.0, 48.0, 53.0]
    assert list(tmp_path.glob("*.json")) == []


def test_a_model_whose_quantiles_stand_still_keeps_nothing(
    make_bundle: MakeBundle, write_csv: WriteCsv, tmp_path: Path, capsys: Capture
) -> None:
    history = write_csv("history.csv", ORIGIN - 2 * DAY, {"value": np.arange(96.0)})
    state = tmp_path / "state.json"
    bundle = make_bundle(["history"], offsets=OFFSETS)
    assert (
        cli.main(["forecast", str(bundle), "--history", str(history), "--state", str(state)]) == 0
    )
    assert "do not drift" in capsys.readouterr().err
    assert not state.exists()


def test_the_state_of_another_model_is_not_taken(drifting: Path, tmp_path: Path) -> None:
    manifest = load(drifting).manifest
    path = tmp_path / "state.json"
    moved = State.new(manifest).at(0, lambda _: np.zeros(HORIZON))
    State("another", moved.drift, ()).write(path)
    assert read_state(path, manifest).model == manifest.id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not valid JSON"),
        ("[]", "expected an object"),
        ('{"model": "load-naive_day-0123456789ab"}', "common: the key is missing"),
        (
            '{"model": "load-naive_day-0123456789ab", "common": [0, 0]}',
            "finite numbers of shape [3]",
        ),
        ('{"model": "load-naive_day-0123456789ab", "common": ["a"]}', "numbers of shape [3]"),
    ],
)
def test_a_broken_state_is_refused_in_one_line(
    drifting: Path, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_state(path, load(drifting).manifest)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "remove the file" in str(caught.value)


def test_a_state_that_cannot_be_written_leaves_the_old_one(drifting: Path, tmp_path: Path) -> None:
    state = State.new(load(drifting).manifest)
    with pytest.raises(OutputError, match="cannot be written"):
        state.write(tmp_path / "missing" / "state.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        state.write(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
