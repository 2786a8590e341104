import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frugal_edge import __version__, cli
from frugal_edge.errors import EdgeError
from frugal_edge.quality import Quality, judge
from numpy.typing import NDArray

ORIGIN = 1_717_192_800
STEP, STEPS, HORIZON, LOOKBACK = 1800, 96, 48, 4
DAY = 86400

MakeBundle = Callable[..., Path]
WriteCsv = Callable[..., Path]
Capture = pytest.CaptureFixture[str]


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_a_forecast_comes_as_csv(
    make_bundle: MakeBundle, write_csv: WriteCsv, capsys: Capture
) -> None:
    history = write_csv("history.csv", ORIGIN - 100 * STEP, {"value": np.arange(100) + 0.1})
    assert run("forecast", make_bundle(["history"]), "--history", history) == 0
    out, err = capsys.readouterr()
    header, *lines = out.splitlines()
    assert header == "series_id,timestamp,value,unit,quality,model"
    assert lines[0] == "feeder,2024-05-31T22:00:00Z,52.1,MW,model,load-naive_day-0123456789ab"
    assert lines[-1] == "feeder,2024-06-01T21:30:00Z,99.1,MW,model,load-naive_day-0123456789ab"
    assert len(lines) == HORIZON
    assert err == ""


def test_a_forecast_comes_as_one_json_object(
    make_bundle: MakeBundle,
    write_csv: WriteCsv,
    expect: Callable[[Mapping[str, Any]], NDArray[np.float32]],
    capsys: Capture,
) -> None:
    rng = np.random.default_rng(0)
    value, voltage = rng.uniform(10, 90, (2, STEPS)).round(2)
    weather = rng.uniform(0, 30, (LOOKBACK + HORIZON, 2)).round(2)
    history = write_csv("history.csv", ORIGIN - STEPS * STEP, {"value": value, "voltage": voltage})
    known = write_csv(
        "known.csv",
        ORIGIN - LOOKBACK * STEP,
        {"temperature": weather[:, 0], "wind": weather[:, 1]},
    )
    folder = make_bundle(("history", "origin", "known", "past"))
    options = ("--known", known, "--origin", "2024-06-01T00:00+02:00", "--json")
    assert run("forecast", folder, "--history", history, *options) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    answer = json.loads(out)
    rows = answer.pop("forecast")
    assert answer == {
        "series_id": "feeder",
        "model": "load-naive_day-0123456789ab",
        "simulated": True,
        "unit": "MW",
        "step_s": 1800,
        "origin": "2024-05-31T22:00:00Z",
        "quality": "model",
        "filled_steps": 0,
        "out_of_bounds": [],
        "quantiles": [],
    }
    assert rows[1]["timestamp"] == "2024-05-31T22:30:00Z"
    seen = {"history": value, "origin": ORIGIN, "known": weather, "past": voltage[:, None]}
    np.testing.assert_allclose([row["value"] for row in rows], expect(seen), rtol=1e-6)


def test_a_filled_gap_is_flagged(
    make_bundle: MakeBundle, write_csv: WriteCsv, capsys: Capture
) -> None:
    values: list[float | None] = [float(n) for n in range(100)]
    values[60:62] = [None, None]
    history = write_csv("history.csv", ORIGIN - 100 * STEP, {"value": values})
    assert run("forecast", make_bundle(["history"]), "--history", history, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["quality"] == "gap_filled"
    assert answer["filled_steps"] == 2
    assert [row["value"] for row in answer["forecast"]] == [float(n) for n in range(52, 100)]


def test_inputs_beyond_the_training_are_flagged_and_told(
    make_bundle: MakeBundle, write_csv: WriteCsv, capsys: Capture
) -> None:
    history = write_csv("history.csv", ORIGIN - 100 * STEP, {"value": np.arange(100) * 1000.0})
    assert run("forecast", make_bundle(["history"]), "--history", history) == 0
    out, err = capsys.readouterr()
    assert ",out_of_bounds," in out.splitlines()[1]
    assert err == (
        "frugal-edge: warning: history: 4000.0 to 99000.0, in training -1000.0 to 1000.0\n"
    )


def test_the_least_trustworthy_flag_is_given() -> None:
    assert judge(0, ()) is Quality.MODEL
    assert judge(1, ()) is Quality.GAP_FILLED
    assert judge(0, ("history",)) is Quality.OUT_OF_BOUNDS
    assert judge(1, ("history",)) is Quality.OUT_OF_BOUNDS


def test_an_earlier_origin_sees_only_what_came_before(
    make_bundle: MakeBundle, write_csv: WriteCsv, capsys: Capture
) -> None:
    history = write_csv("history.csv", ORIGIN - 150 * STEP, {"value": np.arange(150.0)})
    options = ("--history", history, "--origin", "2024-05-30T22:00:00Z", "--json")
    assert run("forecast", make_bundle(["history"]), *options) == 0
    rows = json.loads(capsys.readouterr().out)["forecast"]
    assert [row["value"] for row in rows] == [float(n) for n in range(54, 102)]


@pytest.mark.parametrize(
    ("start", "rows", "options", "said"),
    [
        (-100, 99, (), "origin 2024-05-31T21:30:00Z is 23:30 in Europe/Paris: the model was train"),
        (-100, 100, ("--origin", "2024-06-01T00:00"), "--origin: expected an offset from UTC"),
        (-100, 100, ("--origin", "tomorrow"), "--origin: expected an ISO 8601 time"),
        (-100, 100, ("--origin", "2034-06-01T00:00+02:00"), "expected one from 2024-01-01T00:00"),
        (-50, 50, (), "history.csv: feeder: expected 96 steps of 1800 s before the origin"),
        (
            -100,
            52,
            ("--origin", "2024-06-01T00:00+02:00"),
            "expected values up to 2024-05-31T21:30",
        ),
    ],
)
def test_an_error_is_one_line_and_exit_code_two(
    make_bundle: MakeBundle,
    write_csv: WriteCsv,
    capsys: Capture,
    start: int,
    rows: int,
    options: Sequence[str],
    said: str,
) -> None:
    history = write_csv("history.csv", ORIGIN + start * STEP, {"value": np.arange(rows)})
    assert run("forecast", make_bundle(["history"]), "--history", history, *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("frugal-edge: error: ")
    assert said in err
    assert err.count("\n") == 1


def test_a_known_covariate_without_its_file_is_named(
    make_bundle: MakeBundle, write_csv: WriteCsv, capsys: Capture
) -> None:
    history = write_csv("history.csv", ORIGIN - 100 * STEP, {"value": np.arange(100)})
    folder = make_bundle(["history", "known"])
    assert run("forecast", folder, "--history", history) == 2
    assert "known covariate temperature is missing at 2024-05-31T20:00" in capsys.readouterr().err


def test_a_past_covariate_that_the_history_lacks_is_named(
    make_bundle: MakeBundle, write_csv: WriteCsv, capsys: Capture
) -> None:
    history = write_csv("history.csv", ORIGIN - 100 * STEP, {"value": np.arange(100)})
    assert run("forecast", make_bundle(["history", "past"]), "--history", history) == 2
    assert "line 1: expected a column voltage, got series_id,timesta" in capsys.readouterr().err


def test_a_spoilt_bundle_gives_no_forecast(
    make_bundle: MakeBundle, write_csv: WriteCsv, capsys: Capture
) -> None:
    def spoil(golden: dict[str, Any]) -> None:
        golden["cases"][2]["outputs"]["forecast"][0] += 1

    history = write_csv("history.csv", ORIGIN - 100 * STEP, {"value": np.arange(100)})
    folder = make_bundle(["history"], edit_golden=spoil)
    assert run("forecast", folder, "--history", history) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "golden.json: case 2, forecast, step 0: expected" in err


def test_verify_says_what_was_checked(make_bundle: MakeBundle, capsys: Capture) -> None:
    assert run("verify", make_bundle()) == 0
    assert capsys.readouterr().out.startswith(
        "load-naive_day-0123456789ab: not signed, 4 files as listed, 3 golden cases reproduced,"
    )


def test_info_says_what_the_model_needs(make_bundle: MakeBundle, capsys: Capture) -> None:
    assert run("info", make_bundle(("history", "origin", "known", "past"))) == 0
    out = capsys.readouterr().out
    assert "feeder [MW], load, simulated" in out
    assert "temperature, wind, from 4 steps before the origin" in out
    assert "2024-01-01T00:00:00Z to 2024-12-31T00:00:00Z, at 00:00 (Europe/Paris)" in out


def test_info_of_a_model_without_covariates(make_bundle: MakeBundle, capsys: Capture) -> None:
    def real(manifest: dict[str, Any]) -> None:
        manifest["simulated"] = False

    assert run("info", make_bundle(edit=real)) == 0
    out = capsys.readouterr().out
    assert "feeder [MW], load\n" in out
    assert "known       none\n" in out


def test_the_version_is_told(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        run("--version")
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"frugal-edge {__version__}\n"


def test_ctrl_c_exits_with_130_and_no_traceback(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("frugal_edge.bundle.open_bundle", interrupt)
    assert run("verify", make_bundle()) == 130
    assert capsys.readouterr() == ("", "")


def test_an_absent_onnxruntime_is_told(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delitem(sys.modules, "frugal_edge.runtime", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert run("verify", make_bundle()) == 2
    assert "numpy and onnxruntime are needed to run a model" in capsys.readouterr().err


def test_a_message_of_several_lines_is_told_in_one(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def fail(folder: str) -> None:
        raise EdgeError("one\n  two")

    monkeypatch.setattr("frugal_edge.bundle.open_bundle", fail)
    assert run("info", "anywhere") == 2
    assert capsys.readouterr().err == "frugal-edge: error: one two\n"


def test_a_closed_output_is_an_error(make_bundle: MakeBundle, monkeypatch: Any) -> None:
    folder = make_bundle()
    monkeypatch.setattr(sys, "stdout", None)
    assert run("info", folder) == 2


def test_a_full_disk_is_an_error(make_bundle: MakeBundle) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full to write to")
    command = [sys.executable, "-m", "frugal_edge", "info", str(make_bundle())]
    with full.open("w") as stdout:
        done = subprocess.run(
            command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == (
        "frugal-edge: error: stdout: cannot be written: No space left on device\n"
    )
