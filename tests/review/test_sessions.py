from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from frugal_ai.errors import OutputError, ReviewError
from frugal_ai.review.accounts import Account
from frugal_ai.review.sessions import Sessions, read_key

Fixture = Any

ADA = Account(name="ada", role="reviewer")


@pytest.fixture
def sessions(clock: Fixture) -> Sessions:
    return Sessions(Fernet.generate_key(), clock=clock)


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "session.key"
    key = read_key(path)
    assert read_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(ReviewError, match="chmod 600"):
        read_key(path)


def test_what_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "session.key"
    path.write_text("short")
    path.chmod(0o600)
    with pytest.raises(ReviewError, match="expected a key of 32 bytes in base64"):
        read_key(path)
    with pytest.raises(OutputError, match="cannot be written"):
        read_key(tmp_path / "no" / "session.key")


def test_a_session_is_read_until_it_is_over(sessions: Sessions, clock: Fixture) -> None:
    cookie = sessions.begin(ADA)
    found = sessions.read(cookie)
    assert found is not None
    assert (found.name, found.stamp) == ("ada", ADA.stamp)
    clock.now += sessions.lifetime_s - 1
    assert sessions.read(cookie) == found
    clock.now += 2
    assert sessions.read(cookie) is None


def test_two_sessions_of_one_account_differ(sessions: Sessions) -> None:
    first, second = (sessions.read(sessions.begin(ADA)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.id != second.id


def test_a_cookie_that_was_changed_or_made_elsewhere_is_none(sessions: Sessions) -> None:
    cookie = sessions.begin(ADA)
    middle = len(cookie) // 2
    changed = cookie[:middle] + ("A" if cookie[middle] != "A" else "B") + cookie[middle + 1 :]
    foreign = Sessions(Fernet.generate_key(), clock=sessions.clock).begin(ADA)
    for one in (changed, foreign, "", "x", "é", cookie[:-1], "A" * 5000):
        assert sessions.read(one) is None


def test_a_session_that_was_signed_out_is_over_wherever_its_cookie_is(sessions: Sessions) -> None:
    cookie, other = sessions.begin(ADA), sessions.begin(ADA)
    session = sessions.read(cookie)
    assert session is not None
    sessions.end(session)
    assert sessions.read(cookie) is None
    assert sessions.read(other) is not None


def test_sessions_that_ended_are_forgotten_when_they_would_be_over(
    sessions: Sessions, clock: Fixture
) -> None:
    for _ in range(3):
        session = sessions.read(sessions.begin(ADA))
        assert session is not None
        sessions.end(session)
        clock.now += sessions.lifetime_s + 1
    assert len(sessions._ended) == 1


def test_a_token_belongs_to_one_session(sessions: Sessions, clock: Fixture) -> None:
    token = sessions.token("session 1")
    assert sessions.is_token(token, "session 1")
    assert not sessions.is_token(token, "session 2")
    assert not sessions.is_token("", "session 1")
    assert sessions.token("session 1") != token
    clock.now += sessions.lifetime_s + 1
    assert not sessions.is_token(token, "session 1")


def test_a_cookie_is_no_token_and_a_token_is_no_cookie(sessions: Sessions) -> None:
    cookie = sessions.begin(ADA)
    session = sessions.read(cookie)
    assert session is not None
    assert not sessions.is_token(cookie, session.model_dump_json())
    assert sessions.read(sessions.token(session.model_dump_json())) is None
