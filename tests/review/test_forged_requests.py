"""Decisions that another site would like somebody to take."""

import re
from typing import Any

import httpx
import pytest

from frugal_ai.review.review import Review

Fixture = Any
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
FORM = "application/x-www-form-urlencoded"


def value_of(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


@pytest.mark.parametrize("token", ["", "nonsense", "of another"])
def test_a_decision_without_the_form_s_own_token_is_refused(
    store: Fixture, browser: Fixture, review: Review, token: str
) -> None:
    browser.sign_in("ada")
    form = browser.form()
    other = review.doorman.sessions.token("session of-somebody-else")
    form["token"] = other if token == "of another" else token  # noqa: S105 - of a parameter
    answer = browser.post("/models/first/decision", form)
    assert answer.status_code == 403
    assert store.record.all() == ()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8081"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_a_decision_from_another_site_is_refused_though_its_token_is_right(
    store: Fixture, browser: Fixture, headers: dict[str, str]
) -> None:
    browser.sign_in("ada")
    answer = browser.post("/models/first/decision", browser.form(), **headers)
    assert answer.status_code == 403
    assert "another site" in answer.text
    assert store.record.all() == ()


def test_a_decision_from_our_own_page_has_its_origin(browser: Fixture) -> None:
    browser.sign_in("ada")
    answer = browser.post(
        "/models/first/decision", browser.form(), origin="http://127.0.0.1:8080",
        sec_fetch_site="same-origin",
    )  # fmt: skip
    assert answer.status_code == 303


def test_nobody_is_signed_in_or_out_by_another_site(browser: Fixture) -> None:
    right = {"name": "ada", "password": PASSWORD}
    assert browser.post("/login", right).status_code == 403
    page = browser.get("/login")
    browser.cookies = httpx.Cookies()
    assert browser.post("/login", right | {"token": value_of(page, "token")}).status_code == 403
    browser.sign_in("ada")
    assert browser.post("/logout", {"token": ""}).status_code == 403
    assert "ada" in browser.get("/models/first").text


def test_a_decision_is_never_taken_by_a_get(store: Fixture, browser: Fixture) -> None:
    browser.sign_in("ada")
    assert browser.get("/models/first/decision?stage=champion&why=x").status_code == 405
    assert browser.get("/logout").status_code == 405
