"""Who one is where a reverse proxy says it."""

from collections.abc import Callable
from typing import Any

import pytest

Fixture = Any
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
FORM = "application/x-www-form-urlencoded"


def test_a_proxy_that_is_trusted_says_who_it_is(
    store: Fixture, behind_proxy: Callable[..., Fixture]
) -> None:
    browser = behind_proxy("10.0.0.2", X_Remote_User="ada")
    assert "ada (reviewer)" in browser.get("/models/first").text
    assert browser.decide().status_code == 303
    (decision,) = store.record.all()
    assert (decision.by, decision.via) == ("ada", "proxy")


def test_somebody_without_an_account_reads(behind_proxy: Callable[..., Fixture]) -> None:
    browser = behind_proxy("10.0.0.2", X_Remote_User="stranger")
    page = browser.get("/models/first")
    assert "stranger (reader)" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("10.0.0.99", {"X_Remote_User": "ada"}),
        ("192.0.2.1", {"X_Remote_User": "ada", "X_Forwarded_For": "10.0.0.2"}),
        ("127.0.0.1", {"X_Remote_User": "ada", "Forwarded": "for=10.0.0.2"}),
        ("10.0.0.2", {"X_Remote_User": "ada\x0b"}),
        ("10.0.0.2", {"X_Remote_User": "../ada"}),
        ("10.0.0.2", {}),
    ],
)
def test_a_header_from_anybody_else_says_nothing(
    store: Fixture, behind_proxy: Callable[..., Fixture], address: str, headers: dict[str, str]
) -> None:
    browser = behind_proxy(address, **headers)
    assert "ada" not in browser.get("/models/first").text
    answer = browser.post("/models/first/decision", {"stage": "champion", "why": "x"})
    assert answer.status_code == 401
    assert store.record.all() == ()


def test_without_a_proxy_the_header_says_nothing(browser: Fixture) -> None:
    browser.headers = {"X-Remote-User": "ada", "Remote-User": "ada"}
    assert "ada" not in browser.get("/models/first").text


def test_behind_a_proxy_nobody_signs_in_here(behind_proxy: Callable[..., Fixture]) -> None:
    browser = behind_proxy("192.0.2.1")
    assert "password" not in browser.get("/login").text.lower()
    assert browser.post("/login", {"name": "ada", "password": PASSWORD}).status_code == 403


def test_behind_a_proxy_a_form_has_its_token_too(
    store: Fixture, behind_proxy: Callable[..., Fixture]
) -> None:
    ada = behind_proxy("10.0.0.2", X_Remote_User="ada")
    bob = behind_proxy("10.0.0.2", X_Remote_User="bob")
    form = ada.form()
    assert bob.post("/models/first/decision", form).status_code == 403
    assert ada.post("/models/first/decision", form | {"token": ""}).status_code == 403
    assert store.record.all() == ()
