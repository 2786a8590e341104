import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.errors import ReviewError
from frugal_ai.review import text


@pytest.mark.parametrize("name", ["ada", "a.b@example.org", "A_1-x", "a" * 64])
def test_names_of_accounts(name: str) -> None:
    assert text.account_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " ada", "ada ", "../x", "a b", "a\nb", "é", "-a", "a" * 65, "a\x00", "a:b"]
)
def test_what_is_no_name_of_an_account(name: str) -> None:
    with pytest.raises(ReviewError, match="expected a name"):
        text.account_name(name)


def test_a_person_may_have_any_name_that_shows() -> None:
    assert text.person(" Zoë Čapek-O'Neil ") == "Zoë Čapek-O'Neil"


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x1b[31m", "a\u202eb", "x" * 65])
def test_what_is_no_name_of_a_person(name: str) -> None:
    with pytest.raises(ReviewError, match="expected a name"):
        text.person(name)


def test_reasons() -> None:
    assert text.reason("  better\r\nby far ") == "better\nby far"
    assert text.reason("déjà vu\u202f!") == "déjà vu\u202f!"


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("", "expected a reason, got none"),
        (" \n ", "expected a reason, got none"),
        ("x" * 2001, "at most 2000 signs, got 2001"),
        ("a\x00b", r"without hidden signs, got U\+0000"),
        ("a\u202eb", r"got U\+202E"),
        ("a\tb", r"got U\+0009"),
        ("a\u2028b", r"got U\+2028"),
        ("a\ud800b", r"got U\+D800"),
    ],
)
def test_what_is_no_reason(why: str, told: str) -> None:
    with pytest.raises(ReviewError, match=told):
        text.reason(why)


@given(st.text())
def test_what_is_logged_stays_on_one_line_in_ascii(foreign: str) -> None:
    line = text.logged(foreign)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= 1 + 12 * 80 + 1


def test_markdown_shows_what_was_written() -> None:
    assert text.in_markdown("a | b\n<script>*c* [x](y)") == (
        r"a \| b / &lt;script&gt;\*c\* \[x\]\(y\)"
    )
