import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frugal_ai.review.forms import safe_path
from frugal_ai.review.headers import policy


@pytest.mark.parametrize("path", ["/", "/models/a?lang=fr&x=1", "/models/a%20b", "/?a=http://x"])
def test_paths_of_this_server(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "models", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
     "http://evil.example", "https:evil.example", "javascript:alert(1)", "/\t/evil.example",
     "/\n/evil.example", "/a\r\nset-cookie: x=1", "/é", " //evil.example", "/ /evil"],
)  # fmt: skip
def test_nothing_leads_to_another_server(path: str) -> None:
    assert safe_path(path) == "/"


@given(st.text(alphabet="/\\:?#@ab.%\t\n ", max_size=12))
def test_a_path_stays_on_this_server_whatever_it_is(path: str) -> None:
    there = httpx.URL("http://board.example/login").join(safe_path(path))
    assert there.host == "board.example"


def test_the_policy_names_styles_by_their_digest_and_allows_no_script() -> None:
    # the digest is that of the example in the W3C's Content Security Policy Level 3, 2.3.1
    assert "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='" in policy(
        scripts=["alert('Hello, world.');"]
    )
    strict = policy(styles=["a{}"])
    assert "script-src 'none'" in strict
    assert "default-src 'none'" in strict
    assert "frame-ancestors 'none'" in strict
    assert "unsafe" not in strict
