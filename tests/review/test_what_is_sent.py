"""Odd forms, names and headers."""

import logging
from typing import Any

import pytest

Fixture = Any
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
FORM = "application/x-www-form-urlencoded"


def test_forms_are_bounded(store: Fixture, browser: Fixture) -> None:
    browser.sign_in("ada")
    form = browser.form()
    assert browser.post("/models/first/decision", form | {"why": "x" * 20_000}).status_code == 413
    assert browser.post("/models/first/decision", form | {"why": "x" * 2_001}).status_code == 422
    many = "&".join(f"a{i}=1" for i in range(17)).encode()
    assert browser.post("/models/first/decision", many, content_type=FORM).status_code == 400
    assert store.record.all() == ()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"stage": "champion"}', "application/json", 415),
        (b"stage=champion", "text/plain", 415),
        (b"stage=champion&stage=rejected", FORM, 400),
        (b"why=\xff", FORM, 400),
        (b"why=%ff", FORM, 400),
        (b"", FORM, 403),
    ],
)
def test_what_is_no_form_of_ours(browser: Fixture, body: bytes, kind: str, status: int) -> None:
    browser.sign_in("ada")
    answer = browser.post("/models/first/decision", body, content_type=kind)
    assert answer.status_code == status


def test_an_unknown_stage_is_refused(store: Fixture, browser: Fixture) -> None:
    browser.sign_in("ada")
    assert browser.decide(stage="production").status_code == 422
    assert store.record.all() == ()


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "a'%20or%20'1'='1", "%0aset-cookie:x", "x" * 300]
)
def test_names_lead_nowhere(store: Fixture, browser: Fixture, name: str) -> None:
    browser.sign_in("ada")
    answer = browser.post(f"/models/{name}/decision", browser.form())
    assert answer.status_code == 404
    assert "x" not in answer.headers.get("set-cookie", "")
    assert store.record.all() == ()


def test_a_reason_is_text_on_every_page(browser: Fixture) -> None:
    browser.sign_in("ada")
    script = "<script>alert(1)</script>\"' onload=x"
    assert browser.decide(why=script).status_code == 303
    page = browser.get("/models/first")
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39; onload=x" in page.text


def test_a_log_has_one_line_for_each_event(
    browser: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "frugal_ai.review"):
        browser.sign_in("eve\nINFO signed in: ada\x1b[2J\u202e")
        browser.sign_in("ada")
        browser.decide(why="fine\nINFO decision 9")
    told = [one.getMessage() for one in caplog.records if one.name == "frugal_ai.review"]
    assert told == [
        r'sign-in failed: "eve\nINFO signed in: ada\u001b[2J\u202e" from 127.0.0.1',
        "signed in: ada from 127.0.0.1",
        "decision 1: ada: first champion",
    ]
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("path", ["/models/first", "/login", "/nowhere"])
def test_every_answer_has_the_strict_policy(browser: Fixture, path: str) -> None:
    headers = browser.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"


def test_pages_of_somebody_are_kept_by_no_cache(browser: Fixture) -> None:
    assert browser.get("/login").headers["cache-control"] == "no-store"
    headers = browser.get("/models/first").headers
    assert (headers["cache-control"], headers["vary"]) == ("private, no-cache", "cookie")
