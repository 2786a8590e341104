import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from frugal_ai.errors import OutputError, ReviewError
from frugal_ai.review.decisions import Decision, Decisions, Draft
from frugal_ai.tracking.stages import Stage


def draft(
    why: str = "good", stage: Stage = "champion", run: str = "one", version: int = 1
) -> Draft:
    return Draft(
        at=datetime(2026, 11, 28, 12, tzinfo=UTC), by="ada", via="session", stage=stage, why=why,
        run_id=run, mlflow_run_id="0" * 32, pipeline="load", models={"load": str(version)},
        bundles={"load-ridge": "ab" * 32}, evidence="cd" * 32,
    )  # fmt: skip


def append(path: Path, *drafts: Draft) -> list[Decision]:
    with Decisions(path).alone() as writer:
        return [writer.append(one) for one in drafts]


def append_many(path: Path, start: int, count: int) -> None:
    for i in range(start, start + count):
        append(path, draft(f"no. {i}"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "decisions.jsonl"


def test_nothing_was_decided_where_there_is_no_file(path: Path) -> None:
    assert Decisions(path).all() == ()
    assert Decisions(path).history("one") == []


def test_what_was_appended_is_read_with_numbers_and_seals(path: Path) -> None:
    first, second = append(path, draft("first"), draft("second"))
    assert Decisions(path).all() == (first, second)
    assert (first.number, second.number) == (1, 2)
    assert first.previous == "0" * 64
    assert second.previous != first.previous
    assert path.stat().st_mode & 0o007 == 0


def test_a_record_is_read_anew_when_it_grows(path: Path) -> None:
    record = Decisions(path)
    append(path, draft())
    assert len(record.all()) == 1
    append(path, draft("more"))
    assert [one.why for one in record.all()] == ["good", "more"]


@pytest.mark.parametrize("line", [0, 1])
def test_a_line_that_was_changed_is_told(path: Path, line: int) -> None:
    append(path, draft("yes"), draft("no"), draft("third"))
    lines = path.read_text().splitlines()
    lines[line] = lines[line].replace('"by":"ada"', '"by":"eve"')
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ReviewError, match=f"line {line + 2}: the record was altered"):
        Decisions(path).all()
    with pytest.raises(ReviewError, match="altered"):
        append(path, draft("on top"))
    assert len(path.read_text().splitlines()) == 3


def test_a_line_that_was_taken_out_is_told(path: Path) -> None:
    append(path, draft("1"), draft("2"), draft("3"))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    with pytest.raises(ReviewError, match="line 2: the record was altered"):
        Decisions(path).all()


def test_a_line_that_is_none_is_told(path: Path) -> None:
    append(path, draft())
    path.write_text(path.read_text() + '{"number": 2}\n')
    with pytest.raises(ReviewError, match=r"line 2: no decision: .*expected"):
        Decisions(path).all()


def test_what_a_crash_left_of_a_line_is_no_decision_and_goes(path: Path) -> None:
    append(path, draft("whole"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:100])
    assert [one.why for one in Decisions(path).all()] == ["whole"]
    append(path, draft("next"))
    assert [one.why for one in Decisions(path).all()] == ["whole", "next"]
    assert path.read_bytes().startswith(whole)


def test_a_reason_stays_on_one_line_of_the_file(path: Path) -> None:
    forged = 'fine\n{"number": 2, "by": "eve"}\u2028\r\nend'
    append(path, draft(forged))
    assert len(path.read_bytes().splitlines()) == 1
    assert json.loads(path.read_bytes())["why"] == forged
    assert Decisions(path).all()[0].why == forged


def test_decisions_of_threads_are_all_kept(path: Path) -> None:
    threads = [threading.Thread(target=append_many, args=(path, 100 * i, 10)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Decisions(path).all()
    assert sorted(one.why for one in found) == sorted(
        f"no. {100 * i + j}" for i in range(8) for j in range(10)
    )


def test_decisions_of_processes_are_all_kept(path: Path) -> None:
    append(path, draft("first"))
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from frugal_ai.review.decisions import Decisions, Draft\n"
        "record = Decisions(Path(sys.argv[1]))\n"
        "own = {'schema_version', 'number', 'previous'}\n"
        "draft = Draft(**record.all()[0].model_dump(exclude=own))\n"
        "for _ in range(30):\n"
        "    with record.alone() as writer:\n"
        "        writer.append(draft)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert [one.number for one in Decisions(path).all()] == list(range(1, 62))


def test_history_has_what_replaced_a_model_too(path: Path) -> None:
    later = draft("better", run="two", version=2)
    replacing = later.model_copy(update={"replaces": {"load": "1"}})
    append(path, draft("first"), draft("elsewhere", run="three", version=9), replacing)
    assert [one.why for one in Decisions(path).history("one")] == ["first", "better"]
    assert [one.why for one in Decisions(path).history("two")] == ["better"]


def test_a_record_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="cannot be written"),
        Decisions(tmp_path / "file" / "x").alone(),
    ):
        pass
