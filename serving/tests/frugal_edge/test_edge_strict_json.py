from typing import Any

import pytest
from frugal_edge.errors import BundleError
from frugal_edge.strict_json import Node, parse
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"a": 1, "a": 2}', "key 'a' is repeated"),
        (b"[NaN]", "NaN is not a JSON number"),
        (b"[-Infinity]", "-Infinity is not a JSON number"),
        (b"9" * 5000, "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_the_file(text: bytes, said: str) -> None:
    with pytest.raises(BundleError, match=f"x.json: .*{said}"):
        parse(text, "x.json")


@given(st.binary())
def test_any_bytes_give_a_value_or_a_bundle_error(data: bytes) -> None:
    try:
        parse(data, "x.json")
    except BundleError as error:
        assert str(error).startswith("x.json: ")  # noqa: PT017  # other errors must pass through


@pytest.mark.parametrize(
    ("method", "value", "expected"),
    [
        ("text", 1, "a printable text"),
        ("text", "", "a printable text"),
        ("text", "two\nlines", "a printable text"),
        ("text", "\ud800", "a printable text"),
        ("optional_text", 0, "a printable text"),
        ("flag", 1, "true or false"),
        ("integer", True, "a whole number"),
        ("integer", 1.0, "a whole number"),
        ("integer", -1, "a whole number"),
        ("integer", 2**53, "a whole number"),
        ("number", "1", "a finite number"),
        ("number", True, "a finite number"),
        ("number", float("inf"), "a finite number"),
        ("number", 10**400, "a finite number"),
        ("numbers", [1, None], "a list of finite numbers"),
        ("numbers", 1, "a list"),
        ("texts", ["a", "a"], "a list of different texts"),
        ("texts", ["a", 1], "a list of different texts"),
        ("array", {}, "a list"),
        ("node", [], "an object"),
        ("nodes", [1], "an object"),
    ],
)
def test_a_wrong_type_is_refused_with_file_key_expected_and_given(
    method: str, value: Any, expected: str
) -> None:
    node = Node({"key": value}, "x.json", "outer")
    with pytest.raises(BundleError, match=rf"x.json: outer.key.*: expected {expected}.*, got "):
        getattr(node, method)("key")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(BundleError, match=r"x.json: outer.key: the key is missing"):
        Node({}, "x.json", "outer").text("key")


def test_keys_that_nobody_took_are_named() -> None:
    node = Node({"known": 1, "b": 2, "a": 3}, "x.json")
    node.integer("known")
    with pytest.raises(BundleError, match=r"x.json: document: unknown key 'a', 'b'"):
        node.close()


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(BundleError) as caught:
        Node({"key": "x" * 10_000}, "x.json").integer("key")
    assert len(str(caught.value)) < 200
