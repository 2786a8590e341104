"""What a reader, or nobody, asks for all the same."""

import re
from pathlib import Path
from typing import Any

import httpx

from frugal_ai.review.accounts import add_account
from frugal_ai.review.review import Review

Fixture = Any
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
FORM = "application/x-www-form-urlencoded"


def value_of(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def test_a_reader_sees_no_form_and_cannot_send_one(
    store: Fixture, browser: Fixture, review: Review
) -> None:
    browser.sign_in("ada")
    form = browser.form()
    browser.sign_in("rosa")
    page = browser.get("/models/first")
    assert "rosa (reader)" in page.text
    assert "decision" not in page.text.replace("decisions", "")
    form["token"] = value_of(page, "token")
    answer = browser.post("/models/first/decision", form)
    assert answer.status_code == 403
    assert "Readers do not decide" in answer.text
    assert store.record.all() == ()


def test_nobody_decides_without_signing_in(store: Fixture, browser: Fixture) -> None:
    answer = browser.post("/models/first/decision", {"stage": "champion", "why": "x"})
    assert answer.status_code == 401
    assert store.record.all() == ()


def test_somebody_who_became_a_reader_or_was_removed_decides_no_more(
    store: Fixture, browser: Fixture, review: Review, tmp_path: Path
) -> None:
    own = tmp_path / "accounts"
    add_account(own, "zoe", "reviewer", PASSWORD)
    review.doorman.accounts.path = own
    browser.sign_in("zoe")
    form = browser.form()
    own.write_text(own.read_text().replace("reviewer", "reader"))
    assert browser.post("/models/first/decision", form).status_code == 401
    own.write_text("")
    assert browser.post("/models/first/decision", form).status_code == 401
    own.unlink()
    assert browser.post("/models/first/decision", form).status_code == 401
    assert store.record.all() == ()


def test_a_private_board_is_for_those_who_signed_in(review: Review, browser: Fixture) -> None:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    review.private = True
    secret = Route("/table.csv", lambda _: PlainTextResponse("secret"), methods=["GET", "POST"])
    browser.app = Starlette(routes=[secret, *review.routes()], middleware=review.middleware())
    answer = browser.get("/table.csv?sort=mae")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Ftable.csv%3Fsort%3Dmae"
    assert browser.post("/table.csv", {}).status_code == 401
    assert browser.get("/nowhere").status_code == 303
    assert browser.sign_in("rosa", following="/table.csv").headers["location"] == "/table.csv"
    assert browser.get("/table.csv").text == "secret"
