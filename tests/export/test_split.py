"""A product of weights and rows, split by what the rows depend on."""

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v17 as op
from frugal_edge.session import quiet_session
from numpy.typing import NDArray
from spox import Var

from frugal_ai.export.compact import compact
from frugal_ai.features.frame import const

F32 = np.float32
H = 6
RNG = np.random.default_rng(0)
STEPS = op.const(np.array([1, 1, H], np.int64))


def inputs() -> tuple[dict[str, Var], dict[str, NDArray[F32]]]:
    given = {
        "rows": RNG.normal(3, 2, (2, 4, H)).astype(F32),
        "numbers": RNG.normal(3, 2, (2, 3)).astype(F32),
    }
    shapes = {"rows": ("B", 4, H), "numbers": ("B", 3)}
    return {name: spox.argument(spox.Tensor(F32, shapes[name])) for name in given}, given


def product(parts: list[Var], width: int) -> Var:
    weights = const(RNG.normal(size=(5, width)), F32)
    return op.matmul(weights, op.concat(parts, axis=1))


def left(y: Var, arguments: dict[str, Var], given: dict[str, NDArray[F32]]) -> list[str]:
    """Hold the small graph against the given one; name the operators that read an input."""
    model = spox.build(arguments, {"y": y})
    small = compact(model)
    onnx.checker.check_model(small, full_check=True)
    got, expected = (
        quiet_session(one.SerializeToString()).run(None, given)[0] for one in (small, model)
    )
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-4)
    moving, kinds = set(given), []
    for node in small.graph.node:
        if moving.intersection(node.input):
            moving.update(node.output)
            kinds.append(node.op_type)
    return sorted(kinds)


def test_rows_that_never_change_become_a_constant() -> None:
    x, given = inputs()
    lead = op.expand(
        const(np.arange(2 * H).reshape(1, 2, H), F32),
        op.concat([op.slice(op.shape(x["rows"]), *(op.const(np.array([i])) for i in (0, 1))),
                   op.const(np.array([1, 1]))], axis=0),
    )  # fmt: skip
    more = op.neg(x["rows"])
    y = op.relu(product([x["rows"], lead, more], 10))
    assert left(y, {"rows": x["rows"]}, {"rows": given["rows"]}) == [
        "Add", "Concat", "MatMul", "Neg", "Relu",
    ]  # fmt: skip


def test_rows_that_never_change_are_multiplied_before_with_their_means_off() -> None:
    x, given = inputs()
    lead = op.expand(
        const(np.arange(2 * H).reshape(1, 2, H), F32),
        op.concat([op.slice(op.shape(x["rows"]), *(op.const(np.array([i])) for i in (0, 1))),
                   op.const(np.array([1, 1]))], axis=0),
    )  # fmt: skip
    joined = op.concat([x["rows"], lead, op.neg(x["rows"])], axis=1)
    centred = op.sub(joined, const(RNG.normal(9, 2, (10, 1)), F32))
    y = op.relu(op.matmul(const(RNG.normal(size=(5, 10)), F32), centred))
    assert left(y, {"rows": x["rows"]}, {"rows": given["rows"]}) == [
        "Add", "Concat", "MatMul", "Neg", "Relu", "Sub",
    ]  # fmt: skip


def test_what_is_taken_off_rows_comes_off_their_weights() -> None:
    x, given = inputs()
    numbers = op.expand(op.unsqueeze(x["numbers"], const([2], np.int64)), STEPS)
    level = op.gather(numbers, const([1], np.int32), axis=1)
    each = op.gather(numbers, const([0, 2, 1, 0], np.int32), axis=1)
    parts = [op.sub(x["rows"], level), numbers, op.sub(op.neg(x["rows"]), each)]
    assert left(product(parts, 11), x, given) == [
        "Add", "Concat", "MatMul", "MatMul", "Neg", "Unsqueeze",
    ]  # fmt: skip


def test_one_row_is_taken_off_all_others() -> None:
    x, given = inputs()
    mean = op.reduce_mean(x["numbers"], axes=[1], keepdims=1)
    number = op.expand(op.unsqueeze(mean, const([2], np.int64)), STEPS)
    parts = [op.sub(x["rows"], number), number, op.neg(x["rows"])]
    kinds = left(product(parts, 9), x, given)
    assert "Sub" not in kinds
    assert kinds.count("MatMul") == 2


def test_rows_of_a_table_are_multiplied_before_they_are_looked_up() -> None:
    x, given = inputs()
    place = spox.argument(spox.Tensor(np.int64, ("B", H)))
    table = const(RNG.normal(size=(9, 3)), F32)
    found = op.transpose(op.gather(table, place), perm=[0, 2, 1])
    y = product([x["rows"], found], 7)
    where = {"rows": given["rows"], "place": np.array([[0, 8, 3, 3, 1, 7], [5, 4, 3, 2, 1, 0]])}
    assert left(y, {"rows": x["rows"], "place": place}, where) == [
        "Add", "Gather", "MatMul", "Transpose",
    ]  # fmt: skip


def test_numbers_of_an_origin_are_multiplied_before_they_are_repeated() -> None:
    x, given = inputs()
    means = op.matmul(x["numbers"], const(RNG.normal(size=(3, 2)), F32))
    repeated = op.expand(op.unsqueeze(means, const([2], np.int64)), STEPS)
    assert left(product([x["rows"], repeated], 6), x, given) == [
        "Add", "MatMul", "MatMul", "Unsqueeze",
    ]  # fmt: skip


def test_other_products_stay_whole() -> None:
    x, given = inputs()
    numbers = op.expand(op.unsqueeze(x["numbers"], const([2], np.int64)), STEPS)
    joined = op.concat([op.sub(x["rows"], op.gather(numbers, const([1], np.int32), axis=1)),
                        numbers], axis=1)  # fmt: skip
    weights = const(RNG.normal(size=(5, 7)), F32)
    twice = op.concat([op.matmul(weights, joined), op.neg(joined)], axis=1)
    assert "Sub" in left(twice, x, given)
