"""The page says what was measured, and why a peer has no figures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks.peers.environments import Installed
from benchmarks.peers.exchange import Given, given
from benchmarks.peers.ours import Ours, Row
from benchmarks.peers.page import Entry, Page, Result
from benchmarks.peers.scoring import Judge
from benchmarks.peers.systems import NAIVE, PEERS, System
from benchmarks.peers.task import FloatArray, Measured
from benchmarks.peers.workers.measure import measured
from benchmarks.peers.workers.seasonal_naive import SeasonalNaive
from frugal_ai.cost.hardware import Host

HOST = Host(cpu="Some CPU", threads=2, ram_gb=8.2, os="Linux", python="3.11.7")
INSTALLED = Installed(Path("python"), "3.12.1", 30, 612.3)


@pytest.fixture(scope="module")
def one(small_settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Given:
    path = tmp_path_factory.mktemp("page") / "small.yaml"
    path.write_text(yaml.safe_dump(small_settings), encoding="utf-8")
    return given(path)


def system(key: str) -> System:
    return next(found for found in PEERS if found.key == key)


def result(one: Given) -> Result:
    naive = measured(lambda: SeasonalNaive(1), one.task)
    judge = Judge(one, [naive.forecast])
    middle = (naive.forecast + one.actual) / 2  # half the error
    spread = np.stack([middle - 9, middle, middle + 9], axis=-1)
    peer = replace(naive, version="9.9.9", train_cpu_s=4.0)
    both = replace(peer, levels=(0.1, 0.5, 0.9), quantiles=spread, forecast=middle)
    quarter = row("basis_ridge", judge, (naive.forecast + 3 * one.actual) / 4, chosen=True)
    ours = Ours("0.1.0", quarter, (quarter,), 1.5, 30.0, 400.0)
    entries = (
        entry(NAIVE[0], judge, naive),
        entry(system("mlforecast"), judge, peer),
        entry(system("openstef_xgboost"), judge, both),
        Entry(system("skforecast"), None, failed="skipped: needs Python 3.99"),
    )
    return Result(one.task, "A small task", "MW", judge, entries, ours)


def entry(what: System, judge: Judge, found: Measured) -> Entry:
    scored = judge.score(found.forecast, found.levels, found.quantiles)
    return Entry(what, INSTALLED, found, scored)


def row(rung: str, judge: Judge, forecast: FloatArray, *, chosen: bool) -> Row:
    scored = judge.score(forecast, (), np.empty((*forecast.shape, 0)))
    return Row(rung, chosen, scored, train_cpu_s=0.5, trial_cpu_s=0.1, origin_cpu_ms=0.1)


def table(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table after a heading."""
    lines = text.split(f"## {heading}", 1)[1].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_a_table_is_ordered_by_error_with_our_rung_first(one: Given) -> None:
    text = Page((result(one),), INSTALLED, HOST, "make benchmark-peers").text()
    head, _, *rows = table(text, "small: A small task")
    assert head[1] == "MAE [95 % CI], MW"
    assert {len(cells) for cells in (head, *rows)} == {len(head)}
    assert [cells[0] for cells in rows] == [
        "**frugal-ai: basis_ridge**", "OpenSTEF xgboost", "seasonal naive (day)",
        "mlforecast + LightGBM",
    ]  # fmt: skip
    errors = [float(cells[1].split(" ")[0]) for cells in rows]
    assert errors[1] == pytest.approx(2 * errors[0], rel=1e-3)
    assert errors[2] == pytest.approx(4 * errors[0], rel=1e-3)
    assert rows[1][3].startswith("50.0 [")
    assert rows[1][5] == "100"
    assert rows[2][4:6] == ["-", "-"]
    assert rows[2][-1] == "-"
    assert rows[3][-1] == "612"
    assert rows[0][6] == "0.500 (trials 0.100)"
    assert [cells[6] for cells in rows[2:]] == ["-", "4.00"]


def test_the_summary_is_against_the_best_peer(one: Given) -> None:
    text = Page((result(one),), INSTALLED, HOST, "make benchmark-peers").text()
    _, _, cells = table(text, "frugal-ai against the best peer")
    assert cells[:3] == ["small", "basis_ridge", "OpenSTEF xgboost"]
    assert cells[3] == "0.500 [0.500, 0.500]"
    assert cells[4:] == ["0.12 (0.15)", "30.0"]
    _, _, linear = table(text, "Linear rungs against the best peer")
    assert linear == ["small", "basis_ridge", "OpenSTEF xgboost", "0.500", "0.12 (0.15)"]


def test_of_peers_with_the_same_error_the_cheaper_to_train_is_the_best(one: Given) -> None:
    found = result(one)
    best = found.best
    assert best is not None
    assert best.measured is not None
    cheaper = replace(best.measured, train_cpu_s=1.0)
    twin = entry(system("openstef_gblinear"), found.judge, cheaper)
    assert replace(found, entries=(*found.entries, twin)).best == twin
    assert replace(found, entries=(twin, *found.entries)).best == twin


def test_a_peer_without_figures_is_named_with_the_reason(one: Given) -> None:
    text = Page((result(one),), INSTALLED, HOST, "make benchmark-peers").text()
    assert "- skforecast + LightGBM: skipped: needs Python 3.99" in text
    libraries = {cells[0] for cells in table(text, "Systems and what is measured")}
    assert {"frugal-ai", "mlforecast", "openstef"} <= libraries
    assert "skforecast" not in libraries


def test_without_our_run_there_is_no_summary_row(one: Given) -> None:
    alone = replace(result(one), ours=None, failed="failed: no data")
    text = Page((alone,), INSTALLED, HOST, "make benchmark-peers").text()
    assert len(table(text, "frugal-ai against the best peer")) == 2
    assert "- frugal-ai: failed: no data" in text


def test_univariate_systems_take_load_without_weather_alone(one: Given) -> None:
    mstl = system("statsforecast_mstl")
    assert not mstl.takes(one.task)
    assert mstl.takes(replace(one.task, known_names=("holiday",)))
    assert not mstl.takes(replace(one.task, known_names=("holiday",), kind="pv"))
    assert system("mlforecast").takes(one.task)
