"""Signing in and deciding as a user does."""

import re
from typing import Any

import httpx
from mlflow.tracking import MlflowClient

Fixture = Any
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
FORM = "application/x-www-form-urlencoded"


def value_of(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


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
