"""Sessions and passwords, and where one is led after signing in."""

import re
from typing import Any

import httpx
import pytest

Fixture = Any
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
FORM = "application/x-www-form-urlencoded"


def value_of(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def set_cookies(answer: httpx.Response) -> list[str]:
    return [one for one in answer.headers.get_list("set-cookie") if "Max-Age=0" not in one]


def test_the_cookie_is_for_this_server_s_pages_alone(browser: Fixture) -> None:
    (cookie,) = set_cookies(browser.sign_in("ada"))
    name, *attributes = [part.strip() for part in cookie.split(";")]
    assert name.startswith("frugal-session=")
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Max-Age=28800"} == set(attributes)


def test_the_cookie_goes_over_https_alone_unless_it_stays_on_this_machine(
    browser: Fixture,
) -> None:
    browser.base = "https://board.example"
    (cookie,) = set_cookies(browser.sign_in("ada"))
    assert cookie.startswith("__Host-frugal-session=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert "ada (reviewer)" in browser.get("/models/first").text


def test_a_password_is_not_taken_over_plain_http_from_another_machine(browser: Fixture) -> None:
    browser.base = "http://board.example"
    page = browser.get("/login")
    form = {"token": value_of(page, "token"), "name": "ada", "password": PASSWORD}
    answer = browser.post("/login", form, origin="http://board.example")
    assert answer.status_code == 403
    assert "HTTPS" in answer.text


def test_signing_in_makes_a_session_that_nobody_had_before(browser: Fixture) -> None:
    browser.cookies.set("frugal-session", "planted", domain="127.0.0.1", path="/")
    browser.sign_in("ada")
    first = dict(browser.cookies)["frugal-session"]
    assert first != "planted"
    browser.sign_in("ada")
    assert dict(browser.cookies)["frugal-session"] != first
    browser.cookies = httpx.Cookies()
    browser.cookies.set("frugal-session", first, domain="127.0.0.1", path="/")
    assert "ada" not in browser.get("/models/first").text  # the former one has ended


def test_name_and_password_are_wrong_in_the_same_words(browser: Fixture) -> None:
    answers = [browser.sign_in(*one) for one in (("ada", "wrong"), ("nobody", "wrong"))]
    assert [one.status_code for one in answers] == [403, 403]
    told = [re.sub(r'value="[^"]*"', "", one.text) for one in answers]
    assert told[0] == told[1]
    assert "Name or password is wrong." in told[0]


def test_after_five_failures_even_the_right_password_waits(browser: Fixture) -> None:
    for _ in range(5):
        assert browser.sign_in("ada", "wrong").status_code == 403
    answer = browser.sign_in("ada")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 901
    assert browser.sign_in("bob").status_code == 303


@pytest.mark.parametrize(
    "following", ["//evil.example", "https://evil.example", "/%5Cevil.example"]
)
def test_signing_in_leads_to_no_other_server(browser: Fixture, following: str) -> None:
    assert browser.sign_in("ada", following=following).headers["location"] == "/"


def test_a_form_that_was_changed_leads_to_no_other_server(browser: Fixture) -> None:
    for following in ("//evil.example", "/a\r\nset-cookie: x=1", "javascript:alert(1)"):
        token = value_of(browser.get("/login"), "token")
        form = {"token": token, "name": "ada", "password": PASSWORD, "next": following}
        answer = browser.post("/login", form)
        assert answer.headers["location"] == "/"
        assert "x=1" not in str(answer.headers)
