import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from frugal_edge.errors import SignatureError
from frugal_edge.trust.statement import Statement, read_statement, write_statement
from hypothesis import given
from hypothesis import strategies as st

A, B = "a" * 64, "b" * 64
STATEMENT = Statement("load", {"model.onnx": B, "manifest.json": A})


def edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(write_statement(STATEMENT))
    change(document)
    return json.dumps(document).encode()


def test_files_stand_in_the_order_of_their_names_with_one_digest_over_all() -> None:
    document = json.loads(write_statement(STATEMENT))
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://model_signing/signature/v1.0"
    assert document["predicate"]["resources"] == [
        {"name": "manifest.json", "algorithm": "sha256", "digest": A},
        {"name": "model.onnx", "algorithm": "sha256", "digest": B},
    ]
    total = hashlib.sha256(b"\xaa" * 32 + b"\xbb" * 32).hexdigest()
    assert document["subject"] == [{"name": "load", "digest": {"sha256": total}}]
    assert document["predicate"]["serialization"] == {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": ["model.sig"],
    }


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(
    lambda name: (
        name.isprintable() and not set(name) & set("/\\") and name not in {".", "..", "model.sig"}
    )
)


@given(digests=st.dictionaries(names, st.binary(min_size=32, max_size=32).map(bytes.hex)))
def test_what_is_written_is_read(digests: dict[str, str]) -> None:
    statement = Statement("load", digests)
    assert read_statement(write_statement(statement), "model.sig") == statement


def test_what_the_format_may_add_is_passed_over() -> None:
    def add(document: dict[str, Any]) -> None:
        document["predicate"]["model_card"] = {"name": "x"}
        document["predicate"]["serialization"]["ignore_paths"] = [".git", "x.sig"]

    assert read_statement(edited(add), "model.sig") == STATEMENT


def resource(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda d: d["predicate"]["resources"][0].update(changes)


def serialization(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda d: d["predicate"]["serialization"].update(changes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(_type="https://in-toto.io/Statement/v0.1"), "_type: expected 'https"),
        (
            lambda d: d.update(predicateType="https://model_signing/Digests/v0.1"),
            "predicateType: expected 'https://model_signing/signature/v1.0', got 'https://model_s",
        ),
        (lambda d: d.update(other=1), "document: unknown key 'other'"),
        (lambda d: d.update(subject=[]), "subject: expected one subject, got []"),
        (lambda d: d["subject"].append(d["subject"][0]), "subject: expected one subject"),
        (
            lambda d: d["subject"][0]["digest"].update(sha256=A),
            f"over its resources, got {A}",
        ),
        (lambda d: d["predicate"]["resources"].reverse(), "over its resources"),
        (lambda d: d["predicate"]["resources"].pop(), "over its resources"),
        (
            lambda d: d["predicate"]["resources"].append(d["predicate"]["resources"][0]),
            "resources[2].name: expected every file once, got 'manifest.json'",
        ),
        (serialization(method="shards"), "serialization.method: expected 'files', got 'shards'"),
        (serialization(hash_type="blake3"), "hash_type: expected 'sha256', got 'blake3'"),
        (serialization(allow_symlinks=True), "allow_symlinks: expected false, got True"),
        (resource(algorithm="blake2b"), "algorithm: expected 'sha256', got 'blake2b'"),
        (resource(digest=A.upper()), "resources[0].digest: expected 64 hex digits"),
        (resource(digest="aa"), "resources[0].digest: expected 64 hex digits, got 'aa'"),
        (resource(more=1), "resources[0]: unknown key 'more'"),
        *(
            (resource(name=name), "resources[0].name: expected the plain name of a file other")
            for name in ("../manifest.json", "sub/x", "/etc/passwd", "a\\b", ".", "..", "model.sig")
        ),
    ],
)
def test_other_statements_are_refused(
    change: Callable[[dict[str, Any]], object], said: str
) -> None:
    with pytest.raises(SignatureError) as refused:
        read_statement(edited(change), "b/model.sig")
    assert str(refused.value).startswith("b/model.sig: payload: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
