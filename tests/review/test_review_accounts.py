import json
from pathlib import Path

import pytest

from frugal_ai.errors import OutputError, ReviewError
from frugal_ai.review.accounts import Accounts, add_account, read_accounts

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.jsonl"
    add_account(path, "ada", "reviewer", PASSWORD)
    return path


def test_the_password_is_not_in_the_file_and_the_file_is_its_owners(file: Path) -> None:
    assert PASSWORD not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(file.read_text())
    assert kept["name"], kept["role"] == ("ada", "reviewer")
    assert (kept["scrypt"]["n"], kept["scrypt"]["r"], kept["scrypt"]["p"]) == (1 << 15, 8, 3)


def test_only_the_right_password_lets_in(file: Path) -> None:
    accounts = Accounts(file)
    found = accounts.check("ada", PASSWORD)
    assert found is not None
    assert found.role == "reviewer"
    for name, password in (("ada", PASSWORD + "!"), ("ada", ""), ("eve", PASSWORD), ("", "")):
        assert accounts.check(name, password) is None


def test_two_accounts_of_one_password_have_different_hashes(file: Path) -> None:
    add_account(file, "bob", "reader", PASSWORD)
    first, second = read_accounts(file)
    assert first.scrypt is not None
    assert second.scrypt is not None
    assert first.scrypt.hash != second.scrypt.hash


def test_an_unknown_name_costs_a_hash_as_a_known_one_does(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    hashed = []
    real = hashlib.scrypt

    def counted(data: bytes, **given: int) -> bytes:
        hashed.append(given["n"] * given["r"] * given["p"])
        return real(data, **given)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(hashlib, "scrypt", counted)
    Accounts(file).check("ada", "wrong")
    Accounts(file).check("nobody", "wrong")
    assert hashed[0] == hashed[1]


def test_an_account_of_a_proxy_has_no_password_to_sign_in_with(file: Path) -> None:
    add_account(file, "carol", "reviewer", None)
    accounts = Accounts(file)
    assert accounts.get("carol") is not None
    assert accounts.check("carol", "") is None


def test_an_account_that_was_removed_is_out_at_once(file: Path) -> None:
    accounts = Accounts(file)
    assert accounts.get("ada") is not None
    file.write_text("")
    assert accounts.get("ada") is None


def test_a_file_that_others_may_read_lets_nobody_in(file: Path) -> None:
    accounts = Accounts(file)
    assert accounts.get("ada") is not None
    file.chmod(0o644)
    with pytest.raises(ReviewError, match=r"others than its owner may read.*chmod 600"):
        accounts.get("ada")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nonsense", "line 2: expected a JSON object"),
        ('{"name": "x"}', "line 2: role: expected, but it is missing"),
        (
            '{"name": "x", "role": "reader", "scrypt": {"salt": "5"}}',
            "line 2: scrypt: expected a h",
        ),
        ('{"name": "x", "role": "admin"}', "line 2: role: .*'reader' or 'reviewer'"),
        ('{"name": "../x", "role": "reader"}', "line 2: expected a name"),
        ('{"name": "ada", "role": "reader"}', "line 2: there is 'ada' twice"),
        ('{"name": "x", "role": "reader", "sudo": true}', "line 2: sudo: unknown key"),
    ],
)
def test_a_line_that_is_no_account(file: Path, line: str, told: str) -> None:
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(ReviewError, match=told):
        read_accounts(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"no\.jsonl: cannot be read: No such file"):
        read_accounts(tmp_path / "no.jsonl")


@pytest.mark.parametrize(
    ("name", "role", "password", "told"),
    [
        ("ada", "reader", PASSWORD, "there is an account 'ada' already"),
        ("a b", "reader", PASSWORD, "expected a name"),
        ("bob", "admin", PASSWORD, "expected role reader or reviewer"),
        ("bob", "reader", "short", "expected a password of 12 to 256 signs, got 5"),
        ("bob", "reader", "x" * 257, "got 257"),
    ],
)
def test_what_is_no_new_account(file: Path, name: str, role: str, password: str, told: str) -> None:
    before = file.read_bytes()
    with pytest.raises(ReviewError, match=told):
        add_account(file, name, role, password)
    assert file.read_bytes() == before


def test_a_file_whose_last_line_has_no_end(file: Path) -> None:
    file.write_text(file.read_text().rstrip("\n"))
    add_account(file, "bob", "reader", PASSWORD)
    assert [one.name for one in read_accounts(file)] == ["ada", "bob"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        add_account(tmp_path / "no" / "accounts", "ada", "reader", None)
