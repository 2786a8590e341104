"""Stores with invented runs, and a board over them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from benchmarks.board.synthetic import Shape, write_store
from frugal_ai.board.app import create_app
from frugal_ai.board.entries import Entry, Full, Run
from frugal_ai.board.store import Store
from frugal_ai.report import RungRow, RunReport
from frugal_ai.tracking.content import rung_tags

EXAMPLE = Path(__file__).parents[1] / "report"

Get = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with 50 models under equal circumstances."""
    shape = Shape(runs=55, rungs=10, pipelines=1, alike=True)
    return write_store(tmp_path_factory.mktemp("fifty") / "mlflow.db", shape)


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with several pipelines on two machines and two grids."""
    return write_store(tmp_path_factory.mktemp("mixed") / "mlflow.db", Shape(200, pipelines=4))


@pytest.fixture(scope="session")
def app_of() -> Callable[[str], Starlette]:
    """Compose a board that is only read."""
    return lambda uri: create_app(Store(uri))


@pytest.fixture
def get(mixed: str, app_of: Callable[[str], Starlette]) -> Get:
    """Ask the board over the mixed store."""
    return getter(app_of(mixed))


def getter(app: Starlette) -> Get:
    async def ask(path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://board") as client:
            return await client.get(path, headers=headers)

    def get(path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return asyncio.run(ask(path, named))

    return get


@pytest.fixture(scope="session")
def get_of(app_of: Callable[[str], Starlette]) -> Callable[[str], Get]:
    """Ask a board over any store."""
    return lambda uri: getter(app_of(uri))


@dataclass(frozen=True)
class Known:
    """A model that need not be read."""

    model: Full

    def load(self, entries: Sequence[Entry]) -> None:
        assert entries

    def full(self, entry: Entry) -> Full:
        assert entry.id
        return self.model

    def run(self, parent: str) -> Run:
        assert parent == self.model.run.id
        return self.model.run


def run_of(**changes: Any) -> Run:
    found: dict[str, Any] = {
        "id": "a" * 32, "artifact_uri": "file:///nowhere", "title": "Load of a feeder",
        "series": ("feeder",), "step_s": 1800, "horizon_s": 86400, "interrupted": False,
        "reason": "it costs the least", "origins_validation": 182, "failed_gates": (),
        "rule": "least_carbon", "shipped": "", "shipped_bytes": None, "bill_g_per_year": None,
        "years": None, "stages": (),
    }  # fmt: skip
    return Run(**found | changes)


@pytest.fixture(scope="session")
def rows() -> list[RungRow]:
    """Rungs of the example run."""
    return RunReport.read(EXAMPLE).rows()


@pytest.fixture(scope="session")
def entry_of() -> Callable[..., Entry]:
    """Make an entry of a row, some fields of it and of its run replaced."""

    def make(
        row: RungRow, run: dict[str, Any] | None = None, leads: str = "", **changes: Any
    ) -> Entry:
        changed = row.model_copy(update=changes)
        leads = leads or rung_tags(changed).get("frugal.mae_by_lead", "")
        found = run_of(**(run or {}))
        return Entry(
            f"{changed.run_id}-{changed.rung}", found.id, changed.run_id, changed.rung,
            changed.chosen, changed.ended, changed.circumstances,
            Known(Full(changed, found, leads)),
        )  # fmt: skip

    return make
