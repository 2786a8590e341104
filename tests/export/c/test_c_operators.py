"""Every operator alone, on random shapes, against onnxruntime."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import BroadcastableShapes, mutually_broadcastable_shapes
from numpy.typing import NDArray
from onnx.helper import make_node

Check = Callable[..., None]
Array = NDArray[Any]
F32, F64, I64 = np.float32, np.float64, np.int64
FEW = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
TYPES = st.sampled_from([F32, F64, I64])


def numbers(shape: tuple[int, ...], dtype: Any, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "i":
        return np.asarray(rng.integers(-50, 50, shape), dtype)
    return np.asarray(rng.normal(0, 3, shape), dtype)


def ints(*values: int) -> Array:
    return np.array(values, np.int64)


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Max", "Min"])
@FEW
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=1, max_side=4), TYPES)
def test_arithmetic_broadcasts(
    check: Check, operator: str, shapes: BroadcastableShapes, dtype: Any
) -> None:
    a, b = (numbers(shape, dtype, k) for k, shape in enumerate(shapes.input_shapes))
    check([make_node(operator, ["a", "b"], ["y"])], {"a": a, "b": b})


@pytest.mark.parametrize("operator", ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"])
@FEW
@given(mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=1, max_side=4), TYPES)
def test_comparisons_choose(
    check: Check, operator: str, shapes: BroadcastableShapes, dtype: Any
) -> None:
    a, b, c = (np.asarray(numbers(s, dtype, k) // 10) for k, s in enumerate(shapes.input_shapes))
    nodes = [make_node(operator, ["a", "b"], ["m"]), make_node("Where", ["m", "a", "c"], ["y"])]
    check(nodes, {"a": a, "b": b, "c": c})


@pytest.mark.parametrize("divisor", [7, -7, 1, 86400])
@pytest.mark.parametrize(("operator", "fmod"), [("Div", None), ("Mod", 0), ("Mod", 1)])
def test_whole_numbers_are_divided_as_onnx_does(
    check: Check, operator: str, fmod: int | None, divisor: int
) -> None:
    a = np.array([[-86401, -86400, -15, -14, -8, -7, -1, 0, 1, 6, 7, 8, 86399, 2**40]], I64)
    more: dict[str, Any] = {} if fmod is None else {"fmod": fmod}
    node = make_node(operator, ["a", "n"], ["y"], **more)
    check([node], {"a": a}, constants={"n": ints(divisor)})


@pytest.mark.parametrize(
    "operator",
    [
        "Abs", "Neg", "Relu", "Sign", "Ceil", "Floor", "Round", "Exp", "Sqrt", "Tanh", "Sigmoid",
        "Sin", "Cos", "Log", "Reciprocal", "LeakyRelu", "Atan", "Erf",
    ],
)  # fmt: skip
def test_functions_of_one_number(check: Check, operator: str) -> None:
    x = numbers((3, 41), F32, 0)
    if operator in {"Sqrt", "Log"}:
        x = np.abs(x) + F32(0.01)
    if operator == "Round":
        x[0, :8] = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4.5]
    check([make_node(operator, ["x"], ["y"])], {"x": x}, rtol=1e-5)


@pytest.mark.parametrize("dtype", [F32, F64])
def test_sine_of_reals_near_and_far(check: Check, dtype: Any) -> None:
    x = np.array([[0, -0.1, 0.7, 1.6, 3.2, 100.5, -4e3, 5e4]], dtype)
    check([make_node("Sin", ["x"], ["y"])], {"x": x}, rtol=1e-5)


def test_powers_and_clips(check: Check) -> None:
    x = np.abs(numbers((2, 9), F32, 1)) + F32(0.1)
    low, high = np.array(0.5, F32), np.array(np.inf, F32)
    check(
        [make_node("Pow", ["x", "p"], ["z"]), make_node("Clip", ["z", "low", "high"], ["y"])],
        {"x": x},
        constants={"p": np.array(1 / 3, F32), "low": low, "high": high},
        rtol=1e-5,
    )


@pytest.mark.parametrize("taken", [F32, F64, np.int64, np.int32, np.uint8, np.bool_])
@pytest.mark.parametrize("given_type", [1, 11, 7, 6, 9])
def test_casts(check: Check, taken: Any, given_type: int) -> None:
    x = np.array([[0, 1, 2.7, 3.2, 100, 0.4]]).astype(taken)
    if np.dtype(taken).kind in "fi":
        x = np.concatenate([x, -x], axis=1)
    check([make_node("Cast", ["x"], ["y"], to=given_type)], {"x": x})


@pytest.mark.parametrize("operator", ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"])
@FEW
@given(SHAPES, st.data(), st.booleans())
def test_reductions(
    check: Check, operator: str, shape: tuple[int, ...], data: Any, keep: bool
) -> None:
    shape = (*shape, data.draw(st.sampled_from([1, 3, 16, 35])))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    signs = [axis - len(shape) * data.draw(st.integers(0, 1)) for axis in sorted(axes)]
    x, constants = numbers(shape, F32, 2), {}
    node = make_node(operator, ["x"], ["y"], keepdims=int(keep), axes=signs)
    if operator == "ReduceSum":
        node = make_node(operator, ["x", "axes"], ["y"], keepdims=int(keep))
        constants = {"axes": ints(*signs)}
    check([node], {"x": x}, constants=constants, rtol=1e-5)


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
@FEW
@given(SHAPES, st.data())
def test_running_sums(
    check: Check, exclusive: int, reverse: int, shape: tuple[int, ...], data: Any
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    node = make_node("CumSum", ["x", "axis"], ["y"], exclusive=exclusive, reverse=reverse)
    check([node], {"x": numbers(shape, F64, 3)}, constants={"axis": np.array(axis, I64)})


@FEW
@given(SHAPES, st.booleans(), st.data())
def test_top_k(check: Check, shape: tuple[int, ...], largest: bool, data: Any) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    count = data.draw(st.integers(1, shape[axis]))
    node = make_node("TopK", ["x", "k"], ["y", "order"], axis=axis, largest=int(largest))
    check([node], {"x": numbers(shape, F32, 4)}, constants={"k": ints(count)})


@FEW
@given(SHAPES, st.data())
def test_slices_with_steps(check: Check, shape: tuple[int, ...], data: Any) -> None:
    axes = sorted(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    cuts = []
    for axis in axes:
        first, last = sorted(data.draw(st.tuples(*[st.integers(0, shape[axis] - 1)] * 2)))
        step = data.draw(st.sampled_from([1, 2, -1, -2]))
        ends = (first, last + 1) if step > 0 else (last, first - 1 if first else -(2**40))
        cuts.append((*ends, axis, step))
    columns = [ints(*column) for column in zip(*cuts, strict=True)]
    names = ["starts", "ends", "axes", "steps"]
    x = numbers(shape, F32, 5)
    nodes = [make_node("Slice", ["x", *names], ["z"]), make_node("Neg", ["z"], ["y"])]
    check(nodes, {"x": x}, constants=dict(zip(names, columns, strict=True)))


@FEW
@given(SHAPES, SHAPES, st.data())
def test_constant_gathers(
    check: Check, shape: tuple[int, ...], of: tuple[int, ...], data: Any
) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    indices = np.random.default_rng(6).integers(-shape[axis], shape[axis], of[:2])
    node = make_node("Gather", ["x", "i"], ["y"], axis=axis)
    check([node], {"x": numbers(shape, F32, 6)}, constants={"i": indices})


@FEW
@given(SHAPES, SHAPES, st.data())
def test_computed_gathers_count_from_the_end_below_zero(
    check: Check, shape: tuple[int, ...], of: tuple[int, ...], data: Any
) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    indices = np.random.default_rng(7).integers(-shape[axis], shape[axis], of[:2])
    node = make_node("Gather", ["x", "i"], ["y"], axis=axis)
    check([node], {"x": numbers(shape, F32, 7), "i": indices})


@FEW
@given(st.lists(SHAPES, min_size=2, max_size=4), st.data())
def test_joins_and_what_is_taken_of_them(
    check: Check, shapes: list[tuple[int, ...]], data: Any
) -> None:
    rank = len(shapes[0])
    axis = data.draw(st.integers(0, rank - 1))
    parts = {
        f"p{k}": numbers((*shapes[0][:axis], one[0], *shapes[0][axis + 1 :]), F32, k)
        for k, one in enumerate(shapes)
    }
    size = sum(part.shape[axis] for part in parts.values())
    taken = data.draw(st.lists(st.integers(-size, size - 1), min_size=1, max_size=9))
    nodes = [
        make_node("Concat", list(parts), ["z"], axis=axis),
        make_node("Gather", ["z", "i"], ["u"], axis=axis),
        make_node("Tanh", ["u"], ["y"]),
    ]
    check(nodes, parts, constants={"i": ints(*taken)}, rtol=1e-5)


@FEW
@given(st.lists(st.sampled_from([1, 2, 3, 4]), min_size=2, max_size=4), st.randoms())
def test_shapes_change_and_elements_stay(check: Check, shape: list[int], random: Any) -> None:
    factors = [factor for size in shape for factor in ([2, 2] if size == 4 else [size])]
    random.shuffle(factors)
    middle = random.randint(0, len(factors))
    wanted = ints(math.prod(factors[:middle]), 1, math.prod(factors[middle:]))
    x = numbers(tuple(shape), F32, 8)
    nodes = [
        make_node("Neg", ["x"], ["a"]),
        make_node("Reshape", ["a", "wanted"], ["b"]),
        make_node("Transpose", ["b"], ["c"], perm=[2, 1, 0]),
        make_node("Reshape", ["c", "flat"], ["d"]),
        make_node("Mul", ["d", "weights"], ["y"]),
    ]
    constants = {"wanted": wanted, "flat": ints(-1), "weights": numbers((x.size,), F32, 9)}
    check(nodes, {"x": x}, constants=constants)


@FEW
@given(st.sampled_from([(2, 12), (4, 6), (8, 3), (3, 8)]), st.data())
def test_gathers_from_another_shape(check: Check, shape: tuple[int, int], data: Any) -> None:
    taken = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=6))
    nodes = [
        make_node("Reshape", ["x", "days"], ["z"]),
        make_node("Gather", ["z", "i"], ["u"], axis=0),
        make_node("Neg", ["u"], ["y"]),
    ]
    constants = {"days": ints(6, 4), "i": ints(*taken)}
    check(nodes, {"x": numbers(shape, F32, 10)}, constants=constants)


def test_expand_squeeze_split_flatten_pad(check: Check) -> None:
    nodes = [
        make_node("Unsqueeze", ["x", "two"], ["a"]),
        make_node("Expand", ["a", "shape"], ["b"]),
        make_node("Split", ["b", "sizes"], ["c", "d"], axis=1),
        make_node("Flatten", ["c"], ["e"], axis=2),
        make_node("Pad", ["e", "pads", "fill"], ["f"]),
        make_node("Squeeze", ["one"], ["g"]),
        make_node("Add", ["f", "g"], ["y"]),
    ]
    constants = {
        "two": ints(2), "shape": ints(2, 3, 5), "sizes": ints(1, 2), "pads": ints(1, 0, 2, 3),
        "fill": np.array(4.5, F32), "one": np.ones((1, 1), F32),
    }  # fmt: skip
    check(nodes, {"x": numbers((2, 3), F32, 11)}, constants=constants, outputs=("y", "d"))


@FEW
@given(st.integers(1, 4), st.integers(1, 20), st.integers(1, 19), st.booleans())
def test_matrix_products(check: Check, rows: int, inner: int, columns: int, known: bool) -> None:
    a, b = numbers((3, rows, inner), F32, 12), numbers((inner, columns), F32, 13)
    inputs, constants = ({"a": a}, {"b": b}) if known else ({"a": a, "b": b}, {})
    nodes = [make_node("MatMul", ["a", "b"], ["z"]), make_node("Relu", ["z"], ["y"])]
    check(nodes, inputs, constants=constants, rtol=1e-4)


@FEW
@given(st.integers(1, 37), st.integers(1, 20), st.sampled_from([0.0, 0.6]), st.booleans())
def test_a_constant_matrix_times_columns(
    check: Check, rows: int, inner: int, zeros: float, signs: bool
) -> None:
    rng = np.random.default_rng(rows + inner)
    a = numbers((rows, inner), F32, 22)
    if signs:
        a = np.sign(a)
    a[:, rng.uniform(size=inner) < zeros] = 0
    nodes = [
        make_node("MatMul", ["a", "b"], ["z"]),
        make_node("Transpose", ["z"], ["y"], perm=[0, 2, 1]),
    ]
    check(nodes, {"b": numbers((1, inner, 48), F32, 23)}, constants={"a": a}, rtol=1e-4)


@FEW
@given(st.integers(1, 6), st.integers(0, 5), st.integers(1, 9), st.booleans(), st.booleans())
def test_rows_that_stay_from_column_to_column(
    check: Check, rows: int, once: int, units: int, centred: bool, behind: bool
) -> None:
    width = rows + once
    parts = [("x", numbers((1, rows, 48), F32, 24))]
    nodes = []
    if once:
        nodes = [make_node("Expand", ["p", "shape"], ["q"])]
        parts.insert(int(behind), ("p", numbers((1, once, 1), F32, 25)))
    names = ["q" if name == "p" else name for name, _ in parts]
    nodes += [
        make_node("Concat", names, ["c"], axis=1),
        *([make_node("Sub", ["c", "mean"], ["d"])] if centred else []),
        make_node("MatMul", ["w", "d" if centred else "c"], ["z"]),
        make_node("Transpose", ["z"], ["y"], perm=[0, 2, 1]),
    ]
    constants: dict[str, Any] = {"w": numbers((units, width), F32, 26)}
    constants |= {"shape": ints(1, 1, 48)} if once else {}
    constants |= {"mean": numbers((width, 1), F32, 27)} if centred else {}
    check(nodes, dict(parts), constants=constants, rtol=1e-4)


@FEW
@given(st.lists(st.integers(1, 70), min_size=1, max_size=6), st.integers(1, 9))
def test_weights_that_repeat_themselves(check: Check, runs: list[int], columns: int) -> None:
    weights = np.repeat(numbers((len(runs), columns), F32, 28), runs, axis=0)
    nodes = [make_node("MatMul", ["x", "w"], ["y"])]
    check(nodes, {"x": numbers((1, sum(runs)), F32, 29)}, constants={"w": weights}, rtol=1e-4)


def test_columns_of_the_same_weights(check: Check) -> None:
    weights = np.tile(numbers((5, 1), F32, 30), (1, 4))
    nodes = [make_node("MatMul", ["x", "w"], ["y"])]
    check(nodes, {"x": numbers((1, 48, 5), F32, 31)}, constants={"w": weights}, rtol=1e-4)


@pytest.mark.parametrize("turned", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_gemm(check: Check, turned: tuple[int, int]) -> None:
    a, b = numbers((4, 6), F32, 14), numbers((6, 10), F32, 15)
    node = make_node(
        "Gemm", ["a", "b", "c"], ["y"], transA=turned[0], transB=turned[1], alpha=0.5, beta=2.0
    )
    inputs = {"a": a.T.copy() if turned[0] else a}
    constants = {"b": b.T.copy() if turned[1] else b, "c": numbers((10,), F32, 16)}
    check([node], inputs, constants=constants, rtol=1e-4)


@pytest.mark.parametrize("stored", [np.int8, np.uint8, np.int16, np.float16])
def test_weights_stay_in_their_small_type(check: Check, stored: Any, both: Any) -> None:
    small = np.dtype(stored).kind
    weights = numbers((6, 5), F32, 17).astype(stored) if small == "f" else None
    if weights is None:
        weights = np.random.default_rng(0).integers(0, 120, (6, 5)).astype(stored)
    nodes = [
        make_node("Cast", ["w"], ["v"], to=1),
        make_node("Mul", ["v", "scale"], ["u"]),
        make_node("MatMul", ["x", "u"], ["y"]),
    ]
    constants = {"w": weights, "scale": numbers((1, 5), F32, 18)}
    check(nodes, {"x": numbers((4, 6), F32, 19)}, constants=constants, rtol=1e-4)


@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("target", [np.int8, np.uint8])
def test_quantized_and_back(check: Check, axis: int | None, target: Any) -> None:
    count = 1 if axis is None else 5
    shape = () if axis is None else (count,)
    scale = (0.05 * np.arange(1, count + 1)).astype(F32).reshape(shape)
    zero = np.arange(count).astype(target).reshape(shape)
    more: dict[str, Any] = {} if axis is None else {"axis": axis}
    nodes = [
        make_node("QuantizeLinear", ["x", "s", "z"], ["q"], **more),
        make_node("DequantizeLinear", ["q", "s", "z"], ["y"], **more),
    ]
    check(nodes, {"x": numbers((7, 5), F32, 20) * 3}, constants={"s": scale, "z": zero})


def test_softmax(check: Check) -> None:
    check([make_node("Softmax", ["x"], ["y"], axis=1)], {"x": numbers((2, 7, 3), F32, 21)})


@pytest.mark.parametrize("shifts", [(0.0, math.pi / 2), (0.3, -40.0)])
@pytest.mark.parametrize("shape", [(1, 1, 8), (1, 8, 1)])
def test_waves_of_evenly_growing_angles(
    check: Check, shape: tuple[int, ...], shifts: tuple[float, float]
) -> None:
    turns = np.tile(np.arange(1, 5), 2).reshape(shape) * 2 * np.pi / 86400
    nodes = [
        make_node("Mul", ["t", "turns"], ["a"]),
        make_node("Add", ["a", "shifts"], ["b"]),
        make_node("Sin", ["b"], ["y"]),
    ]
    seconds = np.linspace(-2e8, 2e8, 48).reshape((1, 48, 1) if shape[2] > 1 else (1, 1, 48))
    constants = {"turns": turns, "shifts": np.repeat(shifts, 4).reshape(shape)}
    check(nodes, {"t": seconds}, constants=constants, rtol=1e-8)


@pytest.mark.parametrize("most", [4, 8, 9])
def test_waves_in_single_precision(check: Check, most: int) -> None:
    turns = (np.arange(1, most + 1) * 2 * np.pi / 31557600).astype(F32)[:, None]
    nodes = [
        make_node("Mul", ["t", "turns"], ["a"]),
        make_node("Add", ["a", "shifts"], ["b"]),
        make_node("Sin", ["b"], ["y"]),
    ]
    seconds = np.linspace(0, 31557599, 48).astype(F32).reshape(1, 1, 48)
    shifts = np.linspace(0, 6, most).astype(F32)[:, None]
    check(nodes, {"t": seconds}, constants={"turns": turns, "shifts": shifts}, rtol=5e-5)


@pytest.mark.parametrize(("length", "libm"), [(31557600, False), (2 * 31557600, True)])
def test_waves_of_what_is_left_of_a_turn(check: Check, length: int, libm: bool) -> None:
    turns = (np.arange(1, 5) * 2 * np.pi / 31557600).astype(F32)[:, None]
    nodes = [
        make_node("Mod", ["t", "length"], ["left"]),
        make_node("Cast", ["left"], ["single"], to=1),
        make_node("Mul", ["single", "turns"], ["a"]),
        make_node("Add", ["a", "shifts"], ["b"]),
        make_node("Sin", ["b"], ["y"]),
    ]
    seconds = np.linspace(-31557600, 2 * 31557599, 48).astype(np.int64).reshape(1, 1, 48)
    shifts = np.linspace(0, 6, 4).astype(F32)[:, None]
    constants = {"turns": turns, "shifts": shifts, "length": np.array(length)}
    check(nodes, {"t": seconds}, constants=constants, rtol=5e-5 if libm else 1e-5)


@pytest.mark.parametrize("length", [15, 16, 49])
def test_running_sums_in_single_precision(check: Check, length: int) -> None:
    node = make_node("CumSum", ["x", "axis"], ["y"])
    given = {"x": numbers((2, length), F32, 3)}
    check([node], given, constants={"axis": np.array(1)}, rtol=1e-5)
