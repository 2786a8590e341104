"""A command renews its own section of a page and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sections import replaced, write_section
from frugal_ai.errors import OutputError

_TEXT = st.text(st.characters(codec="ascii", exclude_characters="<>\r"), max_size=40)


@given(_TEXT, _TEXT, _TEXT)
def test_one_command_leaves_the_section_of_another_alone(one: str, other: str, new: str) -> None:
    both = replaced(replaced("", "make one", one), "make other", other)
    again = replaced(both, "make one", new)
    assert (
        again.partition("<!-- end: make one -->")[2] == both.partition("<!-- end: make one -->")[2]
    )
    assert f"<!-- begin: make one -->\n\n{new.strip()}\n\n<!-- end: make one -->" in again
    assert replaced(again, "make one", one) == both


def test_a_section_that_is_not_there_comes_last() -> None:
    page = replaced("# Title\n\nWritten by hand.\n", "make one", "# One\n")
    section = "<!-- begin: make one -->\n\n# One\n\n<!-- end: make one -->\n"
    assert page == f"# Title\n\nWritten by hand.\n\n{section}"
    assert replaced(page, "make one", "# One") == page


@pytest.mark.parametrize(
    "page",
    [
        "<!-- begin: make one -->\n",
        "<!-- end: make one -->\n",
        "<!-- end: make one -->\n<!-- begin: make one -->\n",
        2 * "<!-- begin: make one -->\n<!-- end: make one -->\n",
    ],
)
def test_a_page_whose_comments_do_not_pair_stays_as_it_is(page: str, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(page)
    with pytest.raises(OutputError, match=r"page\.md: expected <!-- begin: make one -->"):
        write_section(path, "make one", "# One")
    assert path.read_text() == page


def test_the_committed_page_has_a_section_of_each_command() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    section = page.partition("<!-- begin: make benchmark-peers -->\n\n")[2]
    assert section.startswith("# Benchmarks against other libraries\n\n`make benchmark-peers`")
    assert replaced(page, "make benchmark-peers", section.partition("<!-- end")[0]) == page
