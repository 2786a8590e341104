import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from benchmarks.board.synthetic import Shape, write_store
from frugal_ai.board.site import write_site
from frugal_ai.board.store import Store
from frugal_ai.errors import BoardError
from frugal_ai.review.decisions import Decisions


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, mixed: str) -> Path:
    """A site of the mixed store, in a folder of its own."""
    out = tmp_path_factory.mktemp("site")
    write_site(Store(mixed), Decisions(out / "decisions.jsonl"), out)
    return out


def links(page: Path) -> Iterator[tuple[Path, str]]:
    for address in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
        path, _, anchor = unescape(address).partition("#")
        if not path.startswith("data:"):
            yield (page.parent / unquote(path)).resolve() if path else page, anchor


def test_every_link_leads_to_a_file_of_the_site_or_one_that_its_run_lacks(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        for target, anchor in links(page):
            assert target.is_relative_to(site.resolve()), (page, target)
            if "/runs/" in target.as_posix():
                continue  # the invented runs have no files
            assert target.is_file(), (page, target)
            assert not anchor or f'id="{anchor}"' in target.read_text(encoding="utf-8")


def test_there_is_a_page_for_each_comparison_in_each_language(site: Path) -> None:
    english = sorted(path.name for path in (site / "boards").glob("*.html"))
    assert english == sorted(path.name for path in (site / "fr" / "boards").glob("*.html"))
    assert len(english) > 4
    assert 'lang="fr"' in (site / "fr" / "index.html").read_text(encoding="utf-8")
    assert {path.suffix for path in (site / "boards").iterdir()} == {
        ".html",
        ".csv",
        ".json",
        ".svg",
    }


def test_pages_ask_nothing_of_a_server(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<form" not in text
        assert not re.search(r'(?:href|src)="(?:/|https?:)', text), page


def test_of_nothing_no_site_is_made(tmp_path: Path) -> None:
    uri = write_store(tmp_path / "mlflow.db", Shape(0, pipelines=1))
    with pytest.raises(BoardError, match="expected a run that was logged"):
        write_site(Store(uri), None, tmp_path / "site")
