"""The board in a real browser: by mouse, by keyboard, without scripts, on paper, on a phone.

Pictures of what was seen are kept in ``artefacts/board``, for people to look at.
"""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from cryptography.fernet import Fernet
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.board.synthetic import Shape, write_store
from frugal_ai.board.app import create_app
from frugal_ai.board.site import write_site
from frugal_ai.board.store import Store
from frugal_ai.review.accounts import Accounts, add_account
from frugal_ai.review.decisions import Decisions
from frugal_ai.review.limiter import Limiter
from frugal_ai.review.promotion import decide
from frugal_ai.review.review import Review
from frugal_ai.review.sessions import Sessions
from frugal_ai.review.visitor import Doorman

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
KEPT = Path(__file__).parents[2] / "artefacts" / "board"
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
}
RunMaker = Callable[..., Path]
Open = Callable[..., Page]

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.xdist_group("browser"),
]


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application on loopback for as long as a test lasts."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the board did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Open]:
    """Open a page in a window of its own; whatever it asks of another host fails the test."""
    contexts, foreign = [], []

    def go(address: str, width: int = 1280, height: int = 900, **settings: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda one: foreign.append(one.url) if _foreign(one.url) else None)
        page.on("pageerror", lambda error: foreign.append(str(error)))
        page.goto(address)
        return page

    yield go
    for context in contexts:
        context.close()
    assert foreign == []


def _foreign(address: str) -> bool:
    return not address.startswith(("http://127.0.0.1:", "data:", "file:"))


def keep(page: Page, name: str, *, whole: bool = True) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=KEPT / f"{name}.png", full_page=whole)


def violations(page: Page) -> list[str]:
    response = Axe().run(page, options=WCAG).response
    assert len(response["passes"]) > 8  # it has looked
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in response["violations"]
        for node in one["nodes"]
    ]


FAINT = """<html lang="en"><title>t</title><main><h1>h</h1><p style="color:silver">faint</p>
<ul><li>b</li></ul><a href="c">d</a><button>e</button><label>f<input></label></main>"""


def test_a_bad_page_does_not_pass(browse: Open) -> None:
    page = browse("data:text/html,<p>")
    page.set_content(FAINT)
    assert [one.partition(":")[0] for one in violations(page)] == ["color-contrast"]


@pytest.fixture(scope="module")
def board(fifty: str) -> Iterator[str]:
    with served(create_app(Store(fifty))) as address:
        yield address


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    uri = write_store(tmp_path_factory.mktemp("many") / "mlflow.db", Shape(300, pipelines=3))
    with served(create_app(Store(uri))) as address:
        yield address


def models(page: Page) -> list[str]:
    return page.locator("tbody th a").all_inner_texts()


def test_a_filter_is_chosen_by_mouse_and_shown_as_chosen(many: str, browse: Open) -> None:
    page = browse(many)
    page.get_by_role("link", name="synthetic-pv-02").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("SYNTHETIC pv")
    page.locator("select[name=scope]").select_option("training")
    page.locator("select[name=metric]").select_option("rmse")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("scope=training"))
    expect(page).to_have_url(re.compile("metric=rmse"))
    expect(page.locator("select[name=scope]")).to_have_value("training")
    expect(page.locator(".scatter")).to_contain_text("CO2e of training")
    expect(page.get_by_role("heading", level=1)).to_contain_text("SYNTHETIC pv")


def test_a_column_is_sorted_either_way(many: str, browse: Open) -> None:
    page = browse(many)
    page.get_by_role("link", name=re.compile("Bytes")).click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    first = models(page)
    page.get_by_role("link", name=re.compile("Bytes")).click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    assert len(first) > 1
    assert models(page) == first[::-1]


def test_the_keyboard_reaches_everything_and_shows_where_it_is(board: str, browse: Open) -> None:
    page = browse(board)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#models$"))
    page.locator(".scatter a").first.focus()
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert "CO2e" in focused
    width = page.evaluate("getComputedStyle(document.activeElement.firstChild).strokeWidth")
    assert float(width.removesuffix("px")) >= 3
    keep(page, "keyboard", whole=False)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#(?!models)|/models/"))
    target = page.evaluate("(document.querySelector('tr:target') || {}).id")
    assert target or "/models/" in page.url


def test_a_point_and_its_row_are_lit_together(board: str, browse: Open) -> None:
    page = browse(board)
    row = page.locator("tbody tr").nth(3)
    row.hover()
    anchor = row.get_attribute("id")
    expect(page.locator(f'.scatter a[href="#{anchor}"]')).to_have_class(re.compile("on"))


def test_a_permalink_shows_the_same_again(many: str, browse: Open) -> None:
    page = browse(f"{many}/?pipeline=synthetic-wind-03&runs=all&sort=error&descending=1&page=2")
    seen, here = models(page), page.url
    address = page.get_by_role("link", name="Permalink").get_attribute("href")
    assert address is not None
    again = browse(f"{many}{address}")
    assert models(again) == seen
    assert again.url == here


def test_without_scripts_nothing_is_lost(many: str, browse: Open) -> None:
    page = browse(many, java_script_enabled=False)
    page.locator("select[name=runs]").select_option("all")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("runs=all"))
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("page=2"))
    expect(page.locator("tbody th a").first).to_be_visible()
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", name="Figures")).to_be_visible()
    keep(page, "no_script_model")


def test_on_paper_the_table_is_whole_and_nothing_is_to_be_clicked(
    board: str, browse: Open, tmp_path: Path
) -> None:
    page = browse(board)
    page.emulate_media(media="print")
    expect(page.locator("form.show")).to_be_hidden()
    expect(page.get_by_role("navigation").first).to_be_hidden()
    expect(page.locator("tbody tr").last).to_be_visible()
    keep(page, "print")
    page.pdf(path=tmp_path / "board.pdf", prefer_css_page_size=True)
    shutil.copy(tmp_path / "board.pdf", KEPT / "print.pdf")
    assert (tmp_path / "board.pdf").read_bytes().startswith(b"%PDF")


def test_on_a_phone_nothing_but_picture_and_table_is_wider(board: str, browse: Open) -> None:
    page = browse(board, 375, 740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    expect(page.locator(".headline b")).to_be_in_viewport()
    sizes = page.locator("select, button, input").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 24  # WCAG 2.2, target size
    keep(page, "phone")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_wcag_finds_nothing_on_a_board(
    board: str, browse: Open, scheme: str, language: str
) -> None:
    page = browse(f"{board}/?lang={language}", color_scheme=scheme)
    assert violations(page) == []
    keep(page, f"board_{scheme}_{language}")


def test_a_static_site_sorts_by_script(mixed: str, tmp_path: Path, browse: Open) -> None:
    write_site(Store(mixed), None, tmp_path)
    page = browse(f"file://{tmp_path}/index.html")
    assert violations(page) == []
    first = models(page)
    page.locator("th button").nth(1).click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    ascending = models(page)
    page.locator("th button").nth(1).click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    assert models(page) == ascending[::-1]
    assert sorted(first) == sorted(ascending)
    page.get_by_role("link", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", name="Chiffres")).to_be_visible()
    keep(page, "static_model_fr")


def test_a_static_site_filters_without_a_script(mixed: str, tmp_path: Path, browse: Open) -> None:
    write_site(Store(mixed), None, tmp_path)
    page = browse(f"file://{tmp_path}/index.html", java_script_enabled=False)
    page.get_by_role("link", name="RMSE", exact=True).click()
    expect(page.locator(".picks a[aria-current]").first).to_have_text("RMSE")
    expect(page.locator("thead")).to_contain_text("RMSE")
    page.get_by_role("link", name="training", exact=True).click()
    expect(page.locator(".picks a[aria-current]").nth(1)).to_have_text("training")
    expect(page.locator(".picks a[aria-current]").first).to_have_text("RMSE")
    page.get_by_role("link", name="synthetic-pv-02", exact=True).click()
    expect(page.locator("nav a[aria-current]").first).to_have_text("synthetic-pv-02")
    expect(page.locator(".picks a[aria-current]").first).to_have_text("RMSE")
    keep(page, "static_filtered")


@pytest.fixture
def reviewed(
    tmp_path: Path, empty_store: Path, make_run: RunMaker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Decisions]]:
    """A board with a run that waits for a decision, and accounts."""
    from frugal_ai.tracking import log_run

    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copy(empty_store, runs)
    uri = f"sqlite:///{runs}/mlflow.db"
    log_run(make_run(runs, run_id="first"), uri)
    monkeypatch.setattr("frugal_ai.review.accounts._N", 16)
    accounts = tmp_path / "accounts.jsonl"
    add_account(accounts, "ada", "reviewer", PASSWORD)
    add_account(accounts, "rosa", "reader", PASSWORD)
    doorman = Doorman(Accounts(accounts), Sessions(Fernet.generate_key()))
    review = Review(
        uri, Decisions(runs / "decisions.jsonl"), doorman, limiter=Limiter(), decide=decide
    )
    with served(create_app(Store(uri), review)) as address:
        yield address, review.record


def sign_in(page: Page, name: str) -> None:
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    keep(page, "sign_in")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_reviewer_approves_with_a_reason(reviewed: tuple[str, Decisions], browse: Open) -> None:
    address, record = reviewed
    page = browse(address)
    expect(page.locator(".headline")).to_contain_text("Nobody has decided on it yet.")
    sign_in(page, "ada")
    page.locator(".headline a").click()
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    assert violations(page) == []
    keep(page, "decide")
    page.get_by_role("button", name="Approve").click()
    assert record.all() == ()  # a reason is required
    page.get_by_label(re.compile("Reason")).fill("the smallest that is good enough")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#decisions")).to_contain_text("the smallest that is good enough")
    assert [(one.by, one.stage) for one in record.all()] == [("ada", "champion")]
    keep(page, "approved")
    page.goto(address)
    expect(page.locator(".headline")).to_contain_text("Approved as champion by ada")
    keep(page, "approved_board")


def test_a_reviewer_rejects_without_scripts(reviewed: tuple[str, Decisions], browse: Open) -> None:
    address, record = reviewed
    page = browse(address, java_script_enabled=False)
    sign_in(page, "ada")
    page.locator(".headline a").click()
    page.get_by_label(re.compile("Reason")).fill("worse on cold days")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#decisions")).to_contain_text("worse on cold days")
    assert [(one.by, one.stage) for one in record.all()] == [("ada", "rejected")]


def test_a_reader_finds_nothing_to_decide(reviewed: tuple[str, Decisions], browse: Open) -> None:
    address, _ = reviewed
    page = browse(address)
    sign_in(page, "rosa")
    page.locator(".headline a").click()
    expect(page.get_by_role("heading", name="Decisions")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_wcag_finds_nothing_on_a_model(
    reviewed: tuple[str, Decisions], browse: Open, scheme: str, language: str
) -> None:
    address, _ = reviewed
    page = browse(f"{address}/models/first?lang={language}", color_scheme=scheme)
    assert violations(page) == []
    keep(page, f"model_{scheme}_{language}")


def test_pages_are_light_in_the_browser_too(board: str, browse: Open) -> None:
    page = browse(board)
    requests = page.evaluate("performance.getEntriesByType('resource').length") + 1
    moved = page.evaluate("performance.getEntriesByType('navigation')[0].transferSize")
    assert requests <= 5
    assert moved <= 50_000
