"""The command line as a user meets it; what a process of its own is for is tested in one."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

WriteSmall = Callable[..., Path]
CommandLine = Callable[..., subprocess.CompletedProcess[str]]

# every connection beyond the machine is an error; local pairs, which asyncio makes, are not
NO_NETWORK = """
import socket, sys
def refuse(*given, **named):
    raise AssertionError(f"a socket was used: {given}")
socket.socket.connect = socket.socket.connect_ex = socket.socket.bind = refuse
socket.create_connection = socket.getaddrinfo = refuse
from frugal_ai.cli import main
main()
"""


def process(
    *arguments: str | Path, cwd: Path, code: str = "from frugal_ai.cli import main; main()"
) -> subprocess.CompletedProcess[str]:
    home = cwd / "home"
    home.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if k not in {"CI", "ORT_DISABLE_TELEMETRY"}}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env=kept | {"HOME": str(home), "MPLCONFIGDIR": str(cwd / "mpl"), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


QUICK = ["persistence", {"rung": "seasonal_naive", "season": "1d"}, "ridge"]


@pytest.fixture
def quick(write_small: WriteSmall) -> Path:
    return write_small(rungs=QUICK)


def test_json_is_one_object_and_nothing_else_and_no_socket_is_used(
    quick: Path, tmp_path: Path
) -> None:
    done = process("run", quick, "--json", "--out", "out", cwd=tmp_path, code=NO_NETWORK)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) == {"pipeline", "weather", "chosen", "bundle", "rungs", "not_run"}
    assert answer["weather"] == "perfect"
    assert answer["pipeline"] == "small"
    assert Path(answer["bundle"]).name == "bundle"
    for rung in answer["rungs"]:
        assert set(rung) == {
            "rung", "mae", "rmse", "nmae", "mase", "skill", "skill_ci", "fit_cpu_s", "energy_wh",
            "co2e_g", "co2e_g_per_1000", "verdict",
        }  # fmt: skip
        low, high = rung["skill_ci"]
        assert low <= rung["skill"] <= high
    assert done.stderr == ""
    # neither a device identifier nor anything else is left in the user's home
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("store_beside")
def test_a_run_prints_ladder_choice_and_where_everything_lies(
    quick: Path, command_line: CommandLine
) -> None:
    done = command_line("run", quick, "--out", "out")
    assert done.returncode == 0, done.stderr
    for expected in (
        "Small pipeline  (simulated data, perfect weather)",
        "SIMULATED DATA; perfect weather; ",
        "seasonal_naive_1d",
        "baseline",
        "ridge",
        "chosen: ",
        "bundle   out/bundle",
        "picture  out/pareto.svg",
        "mlflow ui --backend-store-uri sqlite:///",
    ):
        assert expected in done.stdout
    assert "rung 1 of 3: persistence" in done.stderr
    assert "…" not in done.stdout
    board = command_line("leaderboard", "--json", "--tracking-uri", "sqlite:///mlflow.db")
    assert board.returncode == 0, board.stderr
    assert {row["rung"] for row in json.loads(board.stdout)} == {
        "persistence",
        "seasonal_naive_1d",
        "ridge",
    }


def test_a_dry_run_and_a_check_say_what_would_be_done_and_write_nothing(
    quick: Path, tmp_path: Path, command_line: CommandLine
) -> None:
    before = set(tmp_path.rglob("*"))
    commands: list[list[str | Path]] = [["run", quick, "--dry-run"], ["check", quick]]
    for command in commands:
        done = command_line(*command)
        assert done.returncode == 0, done.stderr
        assert "features" in done.stdout
        assert "28 origins" in done.stdout
    assert set(tmp_path.rglob("*")) == before


def test_check_goes_on_after_a_bad_pipeline_and_ends_with_2(
    quick: Path, tmp_path: Path, command_line: CommandLine
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: bad\nsteps: 3\n")
    done = command_line("check", bad, quick)
    assert done.returncode == 2
    assert "bad.yaml: " in done.stderr
    assert "steps: unknown key" in done.stderr
    assert "small (" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "absent.yaml"], "frugal-ai: error: absent.yaml: cannot be read"),
        (["run", "small.yaml", "--out", "small.yaml"], "small.yaml: cannot be written"),
        (["run", "small.yaml", "--data", "x.csv"], "the source sample reads no file"),
        (["run", "small.yaml", "--data", "a", "--data", "b"], "expected one file for the source"),
        (["log", "."], "expected a run's report"),
        (["leaderboard", "--csv", "--json"], "expected --csv or --json, got both"),
        (["climb"], "No such command"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    quick: Path, command_line: CommandLine, arguments: list[str], said: str
) -> None:
    done = command_line(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_bad_input_ends_the_process_with_2(tmp_path: Path) -> None:
    done = process("log", "nowhere", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("frugal-ai: error: nowhere")
    assert len(done.stderr.splitlines()) == 1


def test_rungs_and_sources_are_listed_one_a_line(command_line: CommandLine) -> None:
    rungs = command_line("rungs").stdout.splitlines()
    assert [line.split()[0] for line in rungs][-1].endswith("boosting")
    assert len(rungs) >= 7
    sources = command_line("sources").stdout.splitlines()
    assert [line.split()[0] for line in sources] == ["file", "odre", "open_meteo", "sample"]
    assert all(len(line.split()) > 2 for line in rungs + sources)


HEAVY = ("numpy", "polars", "mlflow", "codecarbon", "onnxruntime", "lightgbm", "spox", "matplotlib",
         "rich", "pydantic")  # fmt: skip


@pytest.mark.parametrize("code", ["import frugal_ai", "import frugal_ai.cli"])
def test_importing_loads_nothing_heavy(code: str) -> None:
    listing = f"{code}; import sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("store_beside")
def test_a_budget_that_nobody_keeps_ends_with_2_after_the_ladder(
    write_small: WriteSmall, command_line: CommandLine
) -> None:
    path = write_small(rungs=QUICK, selection={"budget": {"bytes": 10}})
    done = command_line("run", path, "--out", "out")
    assert done.returncode == 2
    assert "persistence" in done.stdout
    assert "nothing is chosen. On 28 validation origins, budget: expected" in done.stdout
    assert "frugal-ai: error: " in done.stderr.splitlines()[-1]


def test_check_finds_out_that_there_is_no_room_to_learn(
    write_small: WriteSmall, command_line: CommandLine
) -> None:
    periods = {
        "train": "2023-02-20T00:00:00Z",
        "validation": {"first": "2023-03-01", "last": "2023-03-28"},
        "test": {"first": "2023-04-01", "last": "2023-04-28"},
    }
    done = command_line("check", write_small(rungs=QUICK, periods=periods))
    assert done.returncode == 0, done.stderr
    periods["train"] = "2023-02-21T00:00:00Z"
    done = command_line("check", write_small(rungs=QUICK, periods=periods))
    assert done.returncode == 0, done.stderr
    assert "would be left out: periods: expected a training origin of ridge" in done.stdout
    done = command_line("check", write_small(rungs=["ridge"], periods=periods))
    assert done.returncode == 2
    assert "origin of ridge whose targets end before the first validation origin" in done.stderr
