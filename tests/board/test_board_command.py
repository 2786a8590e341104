import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.board.synthetic import Shape, write_store
from frugal_ai.commands.board import board
from frugal_ai.errors import FrugalError, ReviewError


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return write_store(tmp_path / "mlflow.db", Shape(9, pipelines=1))


def test_a_site_is_written_and_told(uri: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = CliRunner().invoke(board, ["--tracking-uri", uri, "--static", str(site)])
    assert done.exit_code == 0, done.output
    assert str(site / "index.html") in done.output
    assert (site / "index.html").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--private"], "--accounts: expected"),
        (["--proxy-header", "X-User", "--proxy", "10.0.0.2"], "--accounts: expected"),
        (["--accounts", "{tmp}/none"], "cannot be read"),
        (["--accounts", "{tmp}/none", "--proxy", "10.0.0.2"], "--proxy-header: expected"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    uri: str, tmp_path: Path, options: list[str], said: str
) -> None:
    given = [one.replace("{tmp}", str(tmp_path)) for one in options]
    done = CliRunner().invoke(board, ["--tracking-uri", uri, *given])
    assert isinstance(done.exception, ReviewError)
    assert said in str(done.exception)


def test_a_store_that_is_not_there_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    done = CliRunner().invoke(board, ["--tracking-uri", f"sqlite:///{tmp_path}/none.db"])
    assert isinstance(done.exception, FrugalError)
    assert "no such file" in str(done.exception)


def test_help_imports_no_server() -> None:
    code = (
        "import sys; from frugal_ai.cli import commands; "
        "assert not {'starlette', 'uvicorn', 'jinja2', 'frugal_ai.board'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
