"""The pure pieces: constants, indices, shapes, places in memory, words."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from frugal_ai.export.c.expression import Index, Load, Memory, Var
from frugal_ai.export.c.fuse import fuse
from frugal_ai.export.c.kernel import Store, nest
from frugal_ai.export.c.memory import plan
from frugal_ai.export.c.reading import affine_part
from frugal_ai.export.c.scalar import DOUBLE, FLOAT, INT64, literal, smallest
from frugal_ai.export.c.shapes import common_factors, merged_axes, strides_of
from frugal_ai.export.c.tensor import constant
from frugal_ai.export.c.text import comment, is_name, name_of, string

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_the_same(value: float) -> None:
    text = literal(value, FLOAT)
    assert text.endswith("f")
    assert np.float32(text[:-1]) == np.float32(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_the_same(value: float) -> None:
    assert float(literal(value, DOUBLE)) == value


def test_other_constants() -> None:
    assert literal(math.nan, FLOAT) == "NAN"
    assert literal(-math.inf, DOUBLE) == "(-INFINITY)"
    assert literal(2**40, INT64) == "INT64_C(1099511627776)"
    assert literal(-(2**63), INT64) == "(-INT64_C(9223372036854775807) - 1)"


@given(arrays(np.int64, st.integers(1, 5), elements=st.integers(-(2**40), 2**40)))
def test_the_smallest_type_holds_every_number(values: Any) -> None:
    small = smallest(values)
    assert small.tolist() == values.tolist()
    assert small.itemsize <= values.itemsize


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9), st.integers(2, 5))
def test_an_index_spans_what_it_takes(a: int, b: int, offset: int, size: int) -> None:
    i, j = Var("i", size), Var("j", 3)
    index = Index.of(i) * a + Index.of(j) * b + offset
    values = [a * x + b * y + offset for x, y in itertools.product(range(size), range(3))]
    assert index.span == (min(values), max(values))
    assert (index + index * -1) == Index()
    assert index.without(i).factor(i) == 0


@given(SHAPES)
def test_strides_number_the_elements(shape: tuple[int, ...]) -> None:
    strides = strides_of(shape)
    for k, place in enumerate(np.ndindex(*shape)):
        assert sum(x * stride for x, stride in zip(place, strides, strict=True)) == k


@given(SHAPES, st.randoms())
def test_merged_axes_and_common_factors_point_at_the_same_element(
    shape: tuple[int, ...], random: Any
) -> None:
    factors = [f for size in shape for f in ([2, 2] if size == 4 else [size])]
    cuts = sorted(random.randint(0, len(factors)) for _ in range(2))
    target = tuple(math.prod(factors[a:b]) for a, b in itertools.pairwise([0, *cuts, len(factors)]))
    source = np.arange(math.prod(shape)).reshape(shape)
    found, parts = merged_axes(shape, target), common_factors(shape, target)
    assert parts is not None
    for place in np.ndindex(*target):
        expected = source.reshape(target)[place]
        if found is not None:
            at = tuple(sum(place[axis] * f for axis, f in one) for one in found)
            assert source[at] == expected
        rest, here, step = list(place), [0] * len(shape), [1] * len(shape)
        for size, i, j in parts:
            here[i] += rest[j] % size * step[i]
            rest[j] //= size
            step[i] *= size
        assert source[tuple(here)] == expected


@given(arrays(np.int64, SHAPES, elements=st.integers(-1000, 1000)), st.integers(-5, 5))
def test_what_grows_evenly_is_split_off(values: Any, step: int) -> None:
    values = values + step * np.arange(values.shape[-1])
    factors, rest = affine_part(constant(values))
    grid = np.indices(values.shape)
    even = sum((f * g for f, g in zip(factors, grid, strict=True)), np.zeros(values.shape, int))
    np.testing.assert_array_equal(even + rest, values)


def buffer(size: int) -> Memory:
    return Memory("", FLOAT, size)


def copy(target: Memory, source: Memory, var: Var, back: int = 0) -> Any:
    """target[i] = source[i], or from the end."""
    at = Index.of(var)
    place = at * -1 + back if back else at
    return nest((var,), Store(Load(target, at), Load(source, place)))


def test_loops_are_fused_and_what_lies_between_them_becomes_a_variable() -> None:
    given_, result = (Memory(name, FLOAT, 9, given=True) for name in "xy")
    middle, i = buffer(9), Var("i", 9)
    fused = fuse([copy(middle, given_, i), copy(result, middle, i)])
    assert len(fused.groups) == 1
    layout = plan(fused)
    assert layout.stands[middle].scalar
    assert not layout.arrays


def test_a_loop_that_reads_ahead_waits_until_all_is_written() -> None:
    given_, result = (Memory(name, FLOAT, 9, given=True) for name in "xy")
    middle, i = buffer(9), Var("i", 9)
    fused = fuse([copy(middle, given_, i), copy(result, middle, i, back=8)])
    assert len(fused.groups) == 2
    assert plan(fused).arrays == {FLOAT: 9}


def test_buffers_that_are_not_needed_at_once_share_their_place() -> None:
    first, last = (Memory(name, FLOAT, 9, given=True) for name in "xy")
    i, chain = Var("i", 9), [first, *(buffer(9) for _ in range(5)), last]
    nests = [copy(to, source, i, back=8) for source, to in itertools.pairwise(chain)]
    fused = fuse(nests)
    layout = plan(fused)
    assert layout.arrays == {FLOAT: 18}
    for one, other in itertools.combinations(chain[1:-1], 2):
        if layout.stands[one].offset == layout.stands[other].offset:
            a, b = fused.lives[one], fused.lives[other]
            assert a[1] < b[0] or b[1] < a[0]


@given(st.text())
def test_any_text_is_a_comment_and_a_string(text: str) -> None:
    written = comment(text)
    assert written.count("*/") == 1
    assert written.count("/*") == 1
    assert "??" not in written
    assert all(character.isprintable() or character == "\n" for character in written)
    assert not any(line.endswith("\\") for line in written.split("\n"))
    quoted = string(text)
    assert quoted.isascii()
    assert "\n" not in quoted


@pytest.mark.parametrize(
    ("text", "name"),
    [("feeder_load", "frugal_feeder_load"), ("Île-de-France", "frugal_le_de_france"),
     ("42", "frugal_42"), ("été", "frugal_t"), ("日本", "frugal_model")],
)  # fmt: skip
def test_names_follow_from_the_series(text: str, name: str) -> None:
    assert name_of(text) == name
    assert is_name(name)


@given(st.text())
def test_every_series_has_a_name(text: str) -> None:
    assert is_name(name_of(text))
