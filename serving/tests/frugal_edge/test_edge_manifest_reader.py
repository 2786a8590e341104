import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from frugal_edge.errors import BundleError
from frugal_edge.manifest import Counts, Manifest
from frugal_edge.manifest_reader import SCHEMA_VERSION, read_manifest
from hypothesis import given, settings
from hypothesis import strategies as st

ALL = ("history", "origin", "known", "past")
ManifestOf = Callable[[Sequence[str]], dict[str, Any]]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def read(content: object) -> Manifest:
    return read_manifest(json.dumps(content).encode())


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every value inside a JSON document."""
    if path:
        yield path
    if isinstance(value, list):
        value = dict(enumerate(value))
    for key, child in value.items() if isinstance(value, dict) else ():
        yield from places(child, (*path, key))


def put(document: Any, path: tuple[Any, ...], value: object) -> None:
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value


def test_a_manifest_is_read_as_it_stands(manifest_of: ManifestOf) -> None:
    manifest = read(manifest_of(ALL))
    assert manifest.id == "load-naive_day-0123456789ab"
    assert manifest.inputs["known"].shape == (None, 52, 2)
    assert manifest.inputs["known"].lookback == 4
    assert manifest.columns("known") == ("temperature", "wind")
    assert manifest.origins.valid_from == 1_704_067_200
    assert manifest.bounds.known["wind"] == (-1000.0, 1000.0)
    assert manifest.files["model.onnx"].sha256 == "0" * 64
    assert manifest.mlflow is None


def test_a_model_that_reads_one_input_has_no_columns(manifest_of: ManifestOf) -> None:
    manifest = read(manifest_of(["history"]))
    assert list(manifest.inputs) == ["history"]
    assert manifest.columns("known") == ()


COUNTS = {"kind": "average", "basis": "direct", "scope": "production"}


def test_a_bundle_may_say_what_its_intensity_counts(manifest_of: ManifestOf) -> None:
    assert read(manifest_of(ALL)).counts is None
    said = read(manifest_of(ALL) | {"schema_version": 3, "counts": COUNTS}).counts
    assert said == Counts(kind="average", basis="direct", scope="production")


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (COUNTS | {"basis": "all"}, "counts.basis: expected 'direct' or 'lifecycle', got 'all'"),
        (COUNTS | {"year": 1}, "counts: unknown key 'year'"),
        ({"kind": "average"}, "counts.basis: the key is missing"),
        (None, "counts"),
    ],
)
def test_what_counts_something_else_is_refused(
    manifest_of: ManifestOf, counts: object, message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        read(manifest_of(ALL) | {"schema_version": 3, "counts": counts})


def test_a_newer_schema_is_refused_before_anything_else() -> None:
    newer = SCHEMA_VERSION + 1
    with pytest.raises(BundleError, match=rf"reads up to 3, got {newer}; update frugal-edge"):
        read({"schema_version": newer})


def test_every_key_is_needed(manifest_of: ManifestOf) -> None:
    for path in places(manifest_of(ALL)):
        free = path[0] in {"metrics", "costs"} and len(path) > 1
        optional = path[0] == "bounds" and len(path) > 2
        if isinstance(path[-1], int) or free or optional:
            continue
        document = manifest_of(ALL)
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        del parent[path[-1]]
        with pytest.raises(BundleError, match=re.escape(path[-1])):
            read(document)


CHANGES: list[tuple[tuple[Any, ...], object, str]] = [
    (("horizon",), "48", "horizon: expected a whole number"),
    (("horizon",), 0, "horizon: expected a whole number"),
    (("step_s",), 0, "step_s: expected a whole number"),
    (("colour",), "red", "document: unknown key 'colour'"),
    (("origins", "colour"), "red", "origins: unknown key 'colour'"),
    (("inputs", 0, "colour"), "red", r"inputs\[0\]: unknown key 'colour'"),
    (("simulated",), "no", "simulated: expected true or false"),
    (("inputs",), [], "inputs: expected at least one input"),
    (("inputs", 0, "name"), "weather", "name: expected one of history, origin, known, past"),
    (("inputs", 1, "name"), "history", "inputs: expected at least one input and no name twice"),
    (("inputs", 0, "dtype"), "float64", "dtype: expected float32 for history, got float64"),
    (("inputs", 0, "axes"), ["N", "B"], "axes: expected"),
    (("inputs", 0, "shape"), [None, 95], r"shape: expected \(None, 96\) for history"),
    (("inputs", 0, "shape"), [1, 96], "shape: expected null and then whole numbers"),
    (("inputs", 0, "shape"), [], "shape: expected null and then whole numbers"),
    (("inputs", 2, "lookback"), 5, r"shape: expected \(None, 53, 2\) for known"),
    (("inputs", 2, "columns"), ["temperature"], r"shape: expected \(None, 52, 1\) for known"),
    (("inputs", 2, "columns"), ["value", "wind"], "'value' is the name of another column"),
    (("inputs", 3, "columns"), ["wind"], "'wind' is the name of another column"),
    (("outputs",), [], "outputs: expected outputs named 'forecast', each once, with no quantile"),
    (("outputs", 0, "name"), "quantiles", "outputs: expected outputs named 'forecast'"),
    (("outputs", 0, "shape"), [None, 47], r"shape: expected \(None, 48\) for forecast"),
    (("quantiles",), [0.5, 0.1], "quantiles: expected rising levels between 0 and 1"),
    (("quantiles",), [0.0], "quantiles: expected rising levels between 0 and 1"),
    (("origins", "valid_from"), "2024-01-01", "valid_from: expected an offset"),
    (("origins", "valid_from"), "2030-01-01T00:00:00Z", "valid_until: expected a time not before"),
    (("origins", "local_time"), ["24:00"], "local_time: expected times of the day"),
    (("gap_policy", "fill"), "zero", "fill: expected 'linear' or 'previous', got 'zero'"),
    (("gap_policy", "max_gap_steps"), -1, "max_gap_steps: expected a whole number"),
    (("bounds", "history"), [2, 1], "history: expected the lowest and the highest"),
    (("bounds", "known", "rain"), [0, 1], "rain: no covariate of this name is read"),
    (("created",), "yesterday", "created: expected an ISO 8601 time"),
    (("onnx", "opset"), None, "opset: expected a whole number"),
    (("minimum_onnxruntime",), "new", "minimum_onnxruntime: expected a version"),
    (("files",), {}, "files: model.onnx, golden.json, fallback.json, MODEL_CARD.md not listed"),
    (("files", "../etc"), {}, "expected the plain name of another file, got '../etc'"),
    (("files", "manifest.json"), {}, "expected the plain name of another file"),
    (("files", "model.sig"), {}, "expected the plain name of another file, got 'model.sig'"),
    (("files", "model.onnx", "sha256"), "A" * 64, "sha256: expected 64 hex digits"),
    (("files", "model.onnx", "bytes"), -1, "bytes: expected a whole number"),
]


@pytest.mark.parametrize(("path", "value", "said"), CHANGES)
def test_a_wrong_value_is_refused_with_its_key(
    manifest_of: ManifestOf, path: tuple[Any, ...], value: object, said: str
) -> None:
    document = manifest_of(ALL)
    put(document, path, value)
    with pytest.raises(BundleError, match=rf"manifest\.json: .*{said}"):
        read(document)


@given(document=JSON)
def test_any_json_gives_nothing_but_a_bundle_error(document: object) -> None:
    with pytest.raises(BundleError):
        read(document)


@settings(max_examples=300)
@given(data=st.data(), value=JSON)
def test_any_value_in_any_place_is_read_or_refused(
    manifest_of: ManifestOf, data: st.DataObject, value: object
) -> None:
    document = manifest_of(ALL)
    put(document, data.draw(st.sampled_from(list(places(document)))), value)
    try:
        manifest = read(document)
    except BundleError:
        return
    assert isinstance(manifest, Manifest)
