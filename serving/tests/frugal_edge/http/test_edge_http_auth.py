"""Bearer tokens: who is let in, and what is kept of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frugal_edge import cli
from frugal_edge.errors import ConfigError
from frugal_edge.gateway.config import HttpSettings
from frugal_edge.http import auth, tokens
from frugal_edge.http.auth import Auth

NEWEST = "/v1/series/feeder/forecast"
OBSERVATIONS = "/v1/series/feeder/observations"
STATELESS = "/v1/models/load-naive_day-0123456789ab/forecast"
INFER = "/v2/models/load-naive_day-0123456789ab/infer"
READ = [
    NEWEST, "/v1/series", "/v1/models", "/v1/models/load-naive_day-0123456789ab", "/metrics",
    "/openapi.json", "/v2", "/v2/models/load-naive_day-0123456789ab",
    "/v2/models/load-naive_day-0123456789ab/ready",
]  # fmt: skip
OPEN = ["/livez", "/readyz", "/v2/health/live", "/v2/health/ready"]
MakeClient = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_scopes(make_client: MakeClient, file: Path) -> None:
    read = tokens.add_token(file, "reader", ("read",))
    operate = tokens.add_token(file, "meter", ("operate",))
    both = tokens.add_token(file, "both", ("read", "operate"))
    client = make_client(readings=True, settings=HttpSettings(tokens=file))
    for path in OPEN:
        assert client.get(path).status_code in {200, 503}
    for path in READ:
        assert client.get(path).status_code == 401
        assert client.get(path, headers=bearer(read)).status_code == 200
        assert client.get(path, headers=bearer(both)).status_code == 200
        assert client.get(path, headers=bearer(operate)).status_code == 403
    for path in (STATELESS, INFER):
        assert client.post(path, content=b"{").status_code == 401
        assert client.post(path, content=b"{", headers=bearer(read)).status_code == 400
        assert client.post(path, content=b"{", headers=bearer(operate)).status_code == 403
    assert client.post(OBSERVATIONS, content=b"{").status_code == 401
    assert client.post(OBSERVATIONS, content=b"{", headers=bearer(read)).status_code == 403
    assert client.post(OBSERVATIONS, content=b"{", headers=bearer(operate)).status_code == 400


def test_what_a_refusal_tells(make_client: MakeClient, file: Path) -> None:
    read = tokens.add_token(file, "reader", ("read",))
    client = make_client(settings=HttpSettings(tokens=file))
    none = client.get(NEWEST)
    assert none.headers["www-authenticate"] == 'Bearer realm="frugal-edge"'
    assert none.json()["detail"] == "expected a bearer token, got no authorization"
    basic = client.get(NEWEST, headers={"authorization": "Basic YTpi"})
    assert basic.json()["detail"] == "expected a bearer token, got another scheme"
    for token in ("", "x", read[:-1], read + "x", read.swapcase(), "é" * 20):
        wrong = client.get(NEWEST, headers={b"authorization": b"Bearer " + token.encode()})
        assert wrong.status_code == 401
        assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
    other = client.post(OBSERVATIONS, content=b"{}", headers=bearer(read))
    assert other.status_code == 403
    assert other.json()["detail"] == "expected a token with scope operate, 'reader' has read"
    assert 'scope="operate"' in other.headers["www-authenticate"]
    assert client.get("/v1/models", headers={"authorization": f"bearer {read}"}).status_code == 200


def test_command_shows_a_token_once_and_keeps_its_hash(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["token", "meter-1", "--scopes", "read,operate", "--file", str(file)]
    assert cli.main(command) == 0
    token = capsys.readouterr().out.strip()
    assert len(token) >= 43
    assert token not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    (kept,) = tokens.read_tokens(file)
    assert kept.name == "meter-1"
    assert kept.scopes == {"read", "operate"}
    assert tokens.find((kept,), token.encode()) == kept
    assert cli.main(command) == 2
    assert "there is a token 'meter-1' already" in capsys.readouterr().err
    assert cli.main(["token", "x", "--scopes", "write", "--file", str(file)]) == 2
    assert "expected one or both of read, operate" in capsys.readouterr().err
    assert len(tokens.read_tokens(file)) == 1


def test_a_line_without_its_end_is_not_joined(file: Path) -> None:
    tokens.add_token(file, "one", ("read",))
    file.write_text(file.read_text().rstrip("\n"))
    tokens.add_token(file, "two", ("read",))
    assert [one.name for one in tokens.read_tokens(file)] == ["one", "two"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 1: not valid JSON"),
        ("[]", "line 1: document: expected an object"),
        ('{"name": "a", "scopes": ["read"]}', "sha256: the key is missing"),
        ('{"name": "a", "scopes": ["root"], "sha256": "%s"}' % ("0" * 64), "scopes: expected one"),
        ('{"name": "a", "scopes": [], "sha256": "%s"}' % ("0" * 64), "scopes: expected one"),
        ('{"name": "a", "scopes": ["read"], "sha256": "secret"}', "sha256: expected 64 hex"),
        ('{"name": "a", "scopes": ["read"], "sha256": "%s", "x": 1}' % ("0" * 64), "unknown key"),
    ],
)
def test_a_file_that_is_none_is_refused(file: Path, line: str, complaint: str) -> None:
    file.write_text(line)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="tokens") as error:
        tokens.read_tokens(file)
    assert complaint in str(error.value)
    assert "secret" not in str(error.value) or "secret" in line


def test_a_file_that_others_may_write_is_refused(file: Path) -> None:
    tokens.add_token(file, "one", ("read",))
    file.chmod(0o622)
    with pytest.raises(ConfigError, match="others may write it"):
        Auth(file)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Auth(file.with_name("none"))


def test_names_are_different(file: Path) -> None:
    tokens.add_token(file, "one", ("read",))
    file.write_text(file.read_text() * 2)
    with pytest.raises(ConfigError, match="got 'one' twice"):
        tokens.read_tokens(file)


def test_a_removed_token_is_refused_soon_and_a_broken_file_lets_nobody_in(
    make_client: MakeClient, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_LOOK_S", 0.0)
    one = tokens.add_token(file, "one", ("read",))
    client = make_client(settings=HttpSettings(tokens=file))
    assert client.get("/v1/models", headers=bearer(one)).status_code == 200
    two = tokens.add_token(file, "two", ("read",))
    assert client.get("/v1/models", headers=bearer(two)).status_code == 200
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(lines[1])
    assert client.get("/v1/models", headers=bearer(one)).status_code == 401
    assert client.get("/v1/models", headers=bearer(two)).status_code == 200
    file.write_text(lines[1] + "{")
    assert client.get("/v1/models", headers=bearer(two)).status_code == 401
    file.unlink()
    assert client.get("/v1/models", headers=bearer(two)).status_code == 401
    file.write_text(lines[1])
    assert client.get("/v1/models", headers=bearer(two)).status_code == 200
