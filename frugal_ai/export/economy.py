"""A graph with less in it that computes the same."""

from collections.abc import Callable, Mapping, Sequence

import onnx

from frugal_ai.export import late
from frugal_ai.export.affine import standardized
from frugal_ai.export.chain import constants_first, looked_up_once, numbers_in_rows
from frugal_ai.export.constants import folded, shortened
from frugal_ai.export.editing import Editing
from frugal_ai.export.picks import rows_once, rows_scaled
from frugal_ai.export.rolling import single_rolling
from frugal_ai.export.rules import RULES, cut_transposed
from frugal_ai.export.split import apart, split
from frugal_ai.export.spread import spread
from frugal_ai.export.sums import unordered
from frugal_ai.export.totals import single_sums
from frugal_ai.export.versions import TREES, lowered
from frugal_ai.export.waves import single_waves

Rule = Callable[[onnx.NodeProto, Editing], list[onnx.NodeProto] | None]
_MOST_ROUNDS = 20
_KNOWN = ("", TREES)  # domains whose operators onnx describes
_RULES = (cut_transposed, unordered)
_OF_FEATURES = (
    standardized, rows_once, rows_scaled, apart, split, numbers_in_rows, constants_first,
)  # fmt: skip  # change the size of what is multiplied


def economize(model: onnx.ModelProto, *, fold_scalers: bool = True) -> onnx.ModelProto:
    """Return a graph that computes the same with fewer nodes and bytes.

    Nodes that change nothing go; what can be known before is computed before, unless the result is
    longer than what it is made of; constants are stored in the shortest type that holds them; the
    operator set is the oldest that has all operators.

    Parameters
    ----------
    model
        Without subgraphs or functions.
    fold_scalers
        Whether what standardizes the inputs of a product may become a part of its weights.

    Returns
    -------
    onnx.ModelProto
        A new model; what nothing reads any more is still in it, see `compact`.
    """
    rules = _RULES + (_OF_FEATURES if fold_scalers else ())
    if not any(node.domain == TREES for node in model.graph.node):
        rules += (
            *late.RULES,
            single_waves,
            single_sums,
            single_rolling,
        )  # a tree would feel the last digit
    editing = Editing.of(_plain(model))
    for _ in range(_MOST_ROUNDS):
        before = editing.model.SerializeToString(deterministic=True)
        editing = folded(_rewritten(editing, rules).refreshed())
        if editing.model.SerializeToString(deterministic=True) == before:
            break
    if fold_scalers:
        editing = _rewritten(editing.refreshed(), (looked_up_once,))
        editing = spread(editing.refreshed())
    return lowered(shortened(editing.refreshed()).model)


def _plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose nodes leave out attributes that are what they are by default."""
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    for node in plain.graph.node:
        if node.domain not in _KNOWN:
            continue
        known = onnx.defs.get_schema(node.op_type, opsets[node.domain], node.domain).attributes
        told = [
            one
            for one in node.attribute
            if one.name not in known or one.SerializeToString() != _default(known[one.name])
        ]
        del node.attribute[:]
        node.attribute.extend(told)
    return plain


def _default(attribute: onnx.defs.OpSchema.Attribute) -> bytes:
    return bytes(attribute.default_value.SerializeToString())


def _rewritten(editing: Editing, rules: Sequence[Rule]) -> Editing:
    """Try every rule on every node once."""
    graph = editing.model.graph
    nodes: list[onnx.NodeProto] = []
    equal: dict[str, str] = {}
    for node in list(graph.node):
        _rename(node, equal)
        several = next((new for rule in rules if (new := rule(node, editing)) is not None), None)
        if several is not None:
            for new in several:
                _rename(new, equal)
            nodes += several
            continue
        one = next((by for rule in RULES if (by := rule(node, editing)) is not None), None)
        if one is None:
            nodes.append(node)
        elif isinstance(one, str):
            _replace(node, one, nodes, equal, editing)
        else:
            _rename(one, equal)
            nodes.append(one)
            editing.makers[node.output[0]] = one
    kept = [_copy(node) for node in nodes]
    del graph.node[:]
    graph.node.extend(_alive(kept, editing.outputs))
    return editing


def _rename(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    node.input[:] = [names.get(name, name) for name in node.input]


def _replace(
    node: onnx.NodeProto,
    by: str,
    nodes: list[onnx.NodeProto],
    equal: dict[str, str],
    editing: Editing,
) -> None:
    """Let a value stand for the output of a node."""
    name = node.output[0]
    if name not in editing.outputs:
        equal[name] = by
        return
    maker = next((one for one in nodes if by in one.output), None)
    if maker is None or by in editing.outputs:
        nodes.append(onnx.helper.make_node("Identity", [by], [name]))  # an input or a constant
        return
    # the value takes the name of the output
    for one in nodes:
        one.input[:] = [name if each == by else each for each in one.input]
        one.output[:] = [name if each == by else each for each in one.output]
    for each, its in list(equal.items()):
        equal[each] = name if its == by else its
    equal[by] = name


def _alive(nodes: list[onnx.NodeProto], outputs: frozenset[str]) -> list[onnx.NodeProto]:
    """Return the nodes that an output depends on, in order."""
    needed, alive = set(outputs), []
    for node in reversed(nodes):
        if needed & set(node.output):
            alive.append(node)
            needed.update(node.input)
    return alive[::-1]


def _copy(node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy
