import csv
import io
import json
from pathlib import Path

import pytest

from frugal_ai.errors import OutputError
from frugal_ai.leaderboard.export import write_leaderboard
from frugal_ai.leaderboard.rows import to_csv, to_json
from frugal_ai.report import RungRow, RunReport


def test_json_holds_every_row_whole(rows: list[RungRow]) -> None:
    found = [RungRow.model_validate(row) for row in json.loads(to_json(rows))]
    assert found == rows
    assert json.loads(to_json([])) == []


def test_csv_holds_every_figure_in_full_precision(rows: list[RungRow]) -> None:
    found = list(csv.DictReader(io.StringIO(to_csv(rows))))
    assert [line["rung"] for line in found] == [row.rung for row in rows]
    for line, row in zip(found, rows, strict=True):
        for name, value in row.flat().items():
            assert line[name] == ("" if value is None else repr(value))
    best = found[5]
    assert (best["chosen"], best["simulated"], best["verdict"]) == ("true", "true", "worth it")
    assert best["ended"] == "2026-11-20T08:05:30Z"
    assert best["mlflow_run_id"] == ""


def test_csv_names_every_column_once(rows: list[RungRow]) -> None:
    header = to_csv([]).strip().split(",")
    assert len(header) == len(set(header))
    assert header[:2] == ["pipeline", "rung"]
    plain = {name for name in RungRow.model_fields if not name.endswith("_ci")}
    sure = ("mae", "rmse", "nmae", "mase", "pinball", "crps", "skill", "gain", "coverage")
    assert set(header) == plain | {f"{one}_{end}" for one in sure for end in ("lo", "hi")}


def test_a_comma_in_a_name_stays_in_its_column(rows: list[RungRow]) -> None:
    odd = rows[0].model_copy(update={"rung": 'a, "b"\nc'})
    (line,) = csv.DictReader(io.StringIO(to_csv([odd])))
    assert line["rung"] == odd.rung


def test_a_run_gets_its_three_files(tmp_path: Path, report: RunReport) -> None:
    write_leaderboard(tmp_path, report)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["leaderboard.csv", "leaderboard.json", "pareto.svg"]
    assert len(json.loads((tmp_path / "leaderboard.json").read_bytes())) == 9


def test_a_folder_that_is_gone_is_named(tmp_path: Path, report: RunReport) -> None:
    with pytest.raises(OutputError, match=r"absent/leaderboard\.json: cannot be written"):
        write_leaderboard(tmp_path / "absent", report)
