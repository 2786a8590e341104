"""Signing in and deciding as a user does, and as an attacker would like to."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from mlflow.tracking import MlflowClient

from frugal_ai.review.accounts import add_account
from frugal_ai.review.review import Review

Fixture = Any
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
FORM = "application/x-www-form-urlencoded"


def value_of(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def set_cookies(answer: httpx.Response) -> list[str]:
    return [one for one in answer.headers.get_list("set-cookie") if "Max-Age=0" not in one]


# What a user does.


def test_a_reviewer_signs_in_approves_and_sees_it(store: Fixture, browser: Fixture) -> None:
    page = browser.get("/models/first?lang=en")
    assert '<a href="/login?next=%2Fmodels%2Ffirst%3Flang%3Den">Sign in</a>' in page.text
    assert "<form" not in page.text
    answer = browser.sign_in("ada", following="/models/first")
    assert (answer.status_code, answer.headers["location"]) == (303, "/models/first")
    answer = browser.decide(why="cheap & good")
    assert (answer.status_code, answer.headers["location"]) == (303, "/models/first#decisions")
    page = browser.get("/models/first")
    assert "cheap &amp; good" in page.text
    assert "load/1 champion" in page.text
    assert ">Retire<" in page.text
    assert ">Reject<" not in page.text
    client = MlflowClient(store.uri)
    assert client.get_registered_model("load").aliases == {"champion": 1}
    (decision,) = store.record.all()
    assert (decision.by, decision.via, decision.why) == ("ada", "session", "cheap & good")


def test_a_reviewer_rejects(store: Fixture, browser: Fixture) -> None:
    browser.sign_in("ada")
    assert browser.decide(stage="rejected", why="too wide").status_code == 303
    assert MlflowClient(store.uri).get_registered_model("load").aliases == {}
    assert "load/1 rejected" in browser.get("/models/first").text


def test_a_decision_without_a_reason_is_refused(store: Fixture, browser: Fixture) -> None:
    browser.sign_in("ada")
    for stage in ("champion", "rejected"):
        answer = browser.decide(stage=stage, why="  ")
        assert answer.status_code == 422
        assert "expected a reason, got none" in answer.text
    assert store.record.all() == ()


def test_a_decision_on_what_is_no_longer_there_is_refused(store: Fixture, browser: Fixture) -> None:
    browser.sign_in("ada")
    form = browser.form()
    client = MlflowClient(store.uri)
    (run,) = client.search_runs(["1"], "tags.`frugal.role` = 'run'")
    client.log_metric(run.info.run_id, "mae", 1.0)
    answer = browser.post("/models/first/decision", form)
    assert answer.status_code == 409
    assert "look at the model again" in answer.text
    assert store.record.all() == ()
    assert browser.decide().status_code == 303


def test_signing_out_ends_the_session_wherever_its_cookie_is(browser: Fixture) -> None:
    browser.sign_in("ada")
    stolen = httpx.Cookies(browser.cookies)
    page = browser.get("/models/first")
    assert "ada (reviewer)" in page.text
    assert browser.post("/logout", {"token": value_of(page, "token")}).status_code == 303
    assert "frugal-session" not in dict(browser.cookies)
    browser.cookies = stolen
    assert "ada" not in browser.get("/models/first").text


def test_pages_speak_french(browser: Fixture) -> None:
    assert "Mot de passe" in browser.get("/login?lang=fr").text
    assert "Mot de passe" in browser.get("/login", accept_language="fr-FR,en;q=0.5").text
    browser.sign_in("ada")
    assert "Approuver comme champion" in browser.get("/models/first?lang=fr").text


def test_an_unknown_run_is_told(browser: Fixture) -> None:
    browser.sign_in("ada")
    page = browser.get("/models/nothing")
    assert "No decision can be taken" in page.text
    form = browser.form()
    answer = browser.post("/models/nothing/decision", form)
    assert answer.status_code == 404
    assert "has no finished run" in answer.text


# Cross-site request forgery.


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


# Forced browsing.


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


# Sessions.


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


# Passwords.


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


# Where one is led.


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


# What a reverse proxy says.


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


# What is sent.


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


# Headers.


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
