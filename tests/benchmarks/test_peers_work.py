"""Jobs leave a result and the key it holds for, or say why they failed."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers.work import FailedError, Job, carry_out, done


def job(folder: Path, code: str, key: str = "one") -> Job:
    result = folder / "toy.npz"
    return Job("T0", "toy", (sys.executable, "-c", code, str(result)), result, key)


WRITES = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('x')"


def test_a_result_is_reused_for_its_own_key_alone(tmp_path: Path) -> None:
    first = job(tmp_path, WRITES)
    assert not done(first)
    carry_out(first)
    assert done(first)
    assert not done(replace(first, key="two"))
    first.result.unlink()
    assert not done(first)


def test_a_failure_is_one_line_and_leaves_nothing_to_reuse(tmp_path: Path) -> None:
    carry_out(job(tmp_path, WRITES))
    failing = job(tmp_path, "import sys; sys.exit('first\\nthe last line')")
    with pytest.raises(FailedError, match=r"^the last line$"):
        carry_out(failing)
    assert not done(failing)


def test_a_peer_runs_on_one_thread_and_tells_nobody(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "wanted = {'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'DO_NOT_TRACK': 'true'}\n"
        "sys.exit(any(os.environ.get(name) != value for name, value in wanted.items()))\n"
    )
    carry_out(job(tmp_path, code))
