from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from frugal_edge.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    one = Database(tmp_path / "state")
    yield one
    one.close()


@pytest.fixture(scope="module")
def open_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Database]]:
    """Give an empty database for each example of a property."""
    opened: list[Database] = []

    def make() -> Database:
        while opened:
            opened.pop().close()
        opened.append(Database(tmp_path_factory.mktemp("state")))
        return opened[0]

    yield make
    while opened:
        opened.pop().close()
