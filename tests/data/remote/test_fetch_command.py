"""`frugal-ai fetch` and a pipeline on what it fetched, as a user meets them."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

FRANCE = Path(__file__).parents[3] / "pipelines" / "france"
SPAN = ["--from", "2023-09-01", "--to", "2024-03-31"]
NATIONAL = ["fetch", "odre", "--dataset", "eco2mix-national", *SPAN, "--out", "data"]
VARIABLES = "temperature_2m,wind_speed_10m,cloud_cover,relative_humidity_2m,shortwave_radiation"
WEATHER = ["fetch", "open-meteo", "--variables", VARIABLES, *SPAN, "--out", "data"]
PERIODS = {
    "train": "2023-09-05T00:00:00Z",
    "validation": {"first": "2024-01-10", "last": "2024-02-06"},
    "test": {"first": "2024-02-10", "last": "2024-03-10"},
}
Run = Callable[..., subprocess.CompletedProcess[str]]


def short(folder: Path, name: str) -> Path:
    """Write a pipeline of the project with shorter periods and fewer rungs."""
    (folder / "pipelines" / "france").mkdir(parents=True, exist_ok=True)
    (folder / "pipelines" / "france" / "cities.csv").write_bytes(
        (FRANCE / "cities.csv").read_bytes()
    )
    content = yaml.safe_load((FRANCE / f"{name}.yaml").read_text())
    content["periods"] = PERIODS
    content["rungs"] = ["persistence", {"rung": "seasonal_naive", "season": "1d"}, "ridge"]
    path = folder / "pipelines" / "france" / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.usefixtures("store_beside")
def test_from_the_services_to_a_model(command_line: Run, service: Any, tmp_path: Path) -> None:
    path = short(tmp_path, "load")
    missing = command_line("check", path)
    assert missing.returncode == 2
    assert missing.stdout == ""
    assert "type: frugal-ai fetch odre --dataset eco2mix-national --from 2023-09-05" in (
        missing.stderr
    )
    assert "type: frugal-ai fetch open-meteo --places" in missing.stderr
    fetched = command_line(*NATIONAL, "--url", service.url)
    assert fetched.returncode == 0, fetched.stderr
    assert fetched.stdout == (
        "eco2mix-national: 7 months, 10,224 rows from 2023-09-01T00:00Z to 2024-03-31T23:30Z in"
        " data/eco2mix-national (7 fetched, 0 were there)\n"
    )
    assert fetched.stderr == ""
    places = path.parent / "cities.csv"
    weather = command_line(*WEATHER, "--places", places, "--url", service.url)
    assert weather.returncode == 0, weather.stderr
    again = command_line(*WEATHER, "--places", places, "--url", service.url)
    assert "(0 fetched, 7 were there)" in again.stdout
    asked = len(service.asked)
    done = command_line("run", path, "--json", "--out", "out")
    assert done.returncode == 0, done.stderr
    rungs = {rung["rung"]: rung["mae"] for rung in json.loads(done.stdout)["rungs"]}
    assert rungs["ridge"] < rungs["seasonal_naive_1d"] < rungs["persistence"]
    for name in ("solar", "wind"):
        checked = command_line("check", short(tmp_path, name))
        assert checked.returncode == 0, checked.stderr
    assert len(service.asked) == asked


def test_lead_times_and_places_one_by_one(command_line: Run, service: Any, tmp_path: Path) -> None:
    brest = ["--latitude", "48.39", "--longitude", "-4.49", "--name", "brest"]
    paris = ["--latitude", "48.86", "--longitude", "2.35", "--name", "paris"]
    days = ["--from", "2024-02-01", "--to", "2024-02-02", "--out", "data"]
    done = command_line(
        "fetch", "open-meteo", *brest, *paris, "--variables", "temperature_2m",
        "--lead-times", "1,2", *days, "--url", service.url,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("open-meteo-previous-runs: 1 month, 2,784 rows")


def test_regions(command_line: Run, service: Any) -> None:
    days = ["--from", "2024-02-01", "--to", "2024-02-02", "--out", "data"]
    done = command_line(
        "fetch", "odre", "--dataset", "eco2mix-regional", "--region", "Bretagne", "--region", "93",
        *days, "--url", service.url,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 month, 2,784 rows" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*NATIONAL, "--url", "nowhere"], "--url: expected an address http(s)://…, got 'nowhere'"),
        ([*NATIONAL, "--region", "53"], "expected --region with --dataset eco2mix-regional only"),
        ([*NATIONAL[:4], "--from", "2024-01-01", "--out", "data"], "Missing option '--to'"),
        (
            [*NATIONAL[:4], "--from", "2024-02-01", "--to", "2024-01-01", "--out", "data"],
            "expected --from not after --to",
        ),
        ([*NATIONAL[:4], "--from", "01/02/2024", "--to", "x", "--out", "data"], "does not match"),
        (["fetch", "odre", "--dataset", "eco2mix", *SPAN, "--out", "data"], "Invalid value"),
        (WEATHER, "expected --places FILE, or --latitude and --longitude, got neither"),
        ([*WEATHER, "--latitude", "1"], "once for each place, got 1 and 0"),
        ([*WEATHER, "--places", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (
            [*WEATHER, "--latitude", "1", "--longitude", "2", "--lead-times", "1,soon"],
            "open-meteo: lead_days.1: Input should be a valid integer",
        ),
    ],
)
def test_bad_input_is_one_line_and_asks_nobody(
    tmp_path: Path, command_line: Run, arguments: list[str], said: str
) -> None:
    done = command_line(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "data").exists()


def test_a_refusal_is_one_line(command_line: Run, service: Any, answer: Any) -> None:
    service.faults = [answer({"error_code": "NotFound", "message": "No such dataset"}, 404)]
    done = command_line(*NATIONAL, "--url", service.url)
    assert done.returncode == 2
    assert done.stderr == (
        f"frugal-ai: error: {service.url}: answer 404 Not Found: No such dataset\n"
    )


def test_ctrl_c_leaves_what_is_done(
    command_line: Run, service: Any, tmp_path: Path, answer: Any
) -> None:
    healthy = service.answer

    def third_is_slow(path: str, params: dict[str, str], headers: dict[str, str]) -> Any:
        found = healthy(path, params, headers)
        found.slow = len(service.asked) == 3
        return found

    service.answer = third_is_slow
    command = [sys.executable, "-m", "frugal_ai.cli", *NATIONAL, "--url", service.url]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 60
        while len(service.asked) < 3 and time.monotonic() < limit:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip() == "frugal-ai: interrupted"
    service.answer = healthy
    done = command_line(*NATIONAL, "--url", service.url)
    assert "(5 fetched, 2 were there)" in done.stdout
