import gzip
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from benchmarks.board.synthetic import Shape, write_store
from frugal_ai.board.render import script, style
from frugal_ai.board.site import write_site
from frugal_ai.board.store import Store
from frugal_ai.errors import BoardError
from frugal_ai.review.decisions import Decisions
from frugal_ai.review.headers import policy


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


def chosen(page: Path) -> list[str]:
    """What the lines of links of a page say that it shows."""
    (nav,) = re.findall(r'<nav class="picks".*?</nav>', page.read_text(encoding="utf-8"), re.DOTALL)
    return [unescape(one) for one in re.findall(r'aria-current="page">([^<]*)<', nav)]


def test_each_error_and_carbon_of_the_latest_comparison_of_a_pipeline_has_a_page(
    site: Path, mixed: str
) -> None:
    found = Store(mixed).snapshot()
    pages = {path.stem for path in (site / "boards").glob("*.html")}
    seen = set()
    for group in found.groups:
        short = group.key.short
        own = {one for one in pages if one.split("-")[0] == short}
        if group.key.pipeline in seen:
            assert own == {short}
            continue
        seen.add(group.key.pipeline)
        assert len(own) == 3 * (6 + 3)  # scopes, errors, bands of lead times
        assert {short, f"{short}-rmse", f"{short}-pinball-training"} <= own
        assert f"{short}-lead-3600-21600-inference" in own
    assert len(seen) == len(found.pipelines)


def test_links_lead_from_one_error_and_carbon_to_the_others(site: Path, mixed: str) -> None:
    short = Store(mixed).snapshot().groups[0].key.short
    usual = site / "boards" / f"{short}.html"
    assert chosen(usual) == chosen(site / "index.html") == ["MAE", "training and use"]
    other = site / "boards" / f"{short}-rmse-training.html"
    assert chosen(other) == ["RMSE", "training"]
    names = {target.name for target, _ in links(other)}
    assert {f"{short}-rmse.html", f"{short}-training.html", f"{short}-rmse-training-board.csv"} <= (
        names
    )
    text = other.read_text(encoding="utf-8")
    assert "RMSE [" in text
    assert json.loads((site / "boards" / f"{short}-rmse-training-board.json").read_text())[
        "metric"
    ] == ("rmse")


def test_each_page_says_itself_what_may_be_loaded_and_is_light(site: Path) -> None:
    rule = policy([style()], [script()], framed=True)
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        (said,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        assert unescape(said) == rule
        assert len(gzip.compress(text.encode())) < 50_000
    assert "frame-ancestors" not in rule  # a page cannot say so itself


def test_all_models_stand_on_the_one_page_of_a_file(fifty: str, tmp_path: Path) -> None:
    write_site(Store(fifty), None, tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert text.count('<tr id="m-') == 50
    assert "rel=" not in re.sub(r'rel="icon"', "", text)
    assert len(gzip.compress(text.encode())) < 50_000


def test_pages_ask_nothing_of_a_server(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<form" not in text
        assert not re.search(r'(?:href|src)="(?:/|https?:)', text), page


def test_of_nothing_no_site_is_made(tmp_path: Path) -> None:
    uri = write_store(tmp_path / "mlflow.db", Shape(0, pipelines=1))
    with pytest.raises(BoardError, match="expected a run that was logged"):
        write_site(Store(uri), None, tmp_path / "site")
