"""A product of weights and rows, split by what the rows depend on.

Rows that are the same for every origin become a constant; those that are the same for every step of
the horizon are multiplied once for all of them; what is taken off rows comes off their weights;
rows of a table are multiplied before they are looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx

from frugal_ai.export.editing import Editing, attributes, make, sizes
from frugal_ai.export.picks import joined_rows, parts_of

Found = list[onnx.NodeProto] | None


@dataclass
class _Product:
    """Weights times rows that are put together from parts.

    Attributes
    ----------
    weights
        Constant, [U, F].
    kept
        Parts that stay, each with its columns of the weights.
    nodes
        What is added to the graph.
    """

    editing: Editing
    weights: str
    kept: list[tuple[str, range]] = field(default_factory=list)
    nodes: list[onnx.NodeProto] = field(default_factory=list)

    def add(self, kind: str, inputs: Sequence[str], **how: int | list[int]) -> str:
        """Add a node and return its output."""
        name = self.editing.fresh()
        self.nodes.append(make(kind, inputs, name, **how))
        return name

    def columns(self, parts: Sequence[range]) -> str:
        """Return some columns of the weights."""
        index = [column for part in parts for column in part]
        return self.add(
            "Gather", [self.weights, self.editing.add_constant(np.array(index, np.int32))], axis=1
        )


@dataclass(frozen=True)
class _Origin:
    """Numbers of an origin, [B, n, 1], and their repetition over the horizon, [B, n, H]."""

    numbers: str
    repeated: str
    size: int


def split(node: onnx.NodeProto, editing: Editing) -> Found:
    """Split a product where that leaves less to do; the nodes in its place, or None."""
    weights = node.input[0]
    joined = joined_rows(node.input[1], editing) if node.op_type == "MatMul" else None
    if joined is None or weights not in editing.fixed:
        return None
    parts = parts_of(joined, editing)
    if len(editing.shapes.get(weights, ())) != 2 or parts is None:
        return None
    origin = next((found for name in joined.input if (found := _origin(name, editing))), None)
    fixed = [(name, its) for name, its in parts if _fixed(name, editing)]
    tables = [(name, its) for name, its in parts if _table(name, editing)]
    rest = [one for one in parts if one not in fixed + tables]
    if len(rest) == len(parts) and not origin:
        return None
    product = _Product(editing, weights)
    terms = []
    if origin:
        terms.append(_once_an_origin(product, rest, origin))
    else:
        product.kept = rest
    if not product.kept:
        return None
    terms += [_looked_up(product, name, its) for name, its in tables]
    # constants last, where they meet others
    terms += [
        product.add("MatMul", [product.columns([its]), editing.makers[name].input[0]])
        for name, its in fixed
    ]
    total = _rest(product)
    for term in terms[:-1]:
        total = product.add("Add", [total, term])
    return [*product.nodes, make("Add", [total, terms[-1]], node.output[0])]


def apart(node: onnx.NodeProto, editing: Editing) -> Found:
    """Multiply rows that are the same for every origin before any forecast, their means taken off.

    The product ``W (x - mean)`` of the others stays as it is.
    """
    weights = node.input[0]
    centred = editing.made_by(node.input[1], "Sub") if node.op_type == "MatMul" else None
    joined = editing.made_by(centred.input[0], "Concat") if centred else None
    if centred is None or joined is None or weights not in editing.fixed:
        return None
    mean, shape = editing.constant(centred.input[1]), editing.shapes.get(weights, ())
    parts = parts_of(joined, editing) if attributes(joined)["axis"] == 1 else None
    alone = all(len(editing.users[one.output[0]]) == 1 for one in (joined, centred))
    if mean is None or parts is None or not alone or len(shape) != 2:
        return None
    fixed = [(name, its) for name, its in parts if _fixed(name, editing)]
    product = _Product(editing, weights, [one for one in parts if one not in fixed])
    if not fixed or not product.kept or mean.shape != (shape[1], 1):
        return None
    left = [column for _, its in product.kept for column in its]
    names = [name for name, _ in product.kept]
    rows = product.add("Concat", names, axis=1) if len(names) > 1 else names[0]
    rows = product.add("Sub", [rows, editing.add_constant(mean[left])])
    total = product.add("MatMul", [product.columns([its for _, its in product.kept]), rows])
    for i, (name, its) in enumerate(fixed):
        own = editing.add_constant(mean[list(its)])
        known = product.add("Sub", [editing.makers[name].input[0], own])
        term = product.add("MatMul", [product.columns([its]), known])
        last = node.output[0] if i == len(fixed) - 1 else editing.fresh()
        product.nodes.append(make("Add", [total, term], last))
        total = last
    return product.nodes


def _rest(product: _Product) -> str:
    names = [name for name, _ in product.kept]
    rows = product.add("Concat", names, axis=1) if len(names) > 1 else names[0]
    return product.add("MatMul", [product.columns([its for _, its in product.kept]), rows])


def _once_an_origin(product: _Product, parts: list[tuple[str, range]], origin: _Origin) -> str:
    """Multiply the numbers of the origin, and what is taken off other rows, [B, U, 1]."""
    editing = product.editing
    total: str | None = None
    for name, its in parts:
        less = _less(name, origin, editing)
        if name == origin.repeated:
            its_weights = product.columns([its])
            total = its_weights if total is None else product.add("Add", [total, its_weights])
        elif less is None:
            product.kept.append((name, its))
        else:
            product.kept.append((editing.makers[name].input[0], its))
            which = np.broadcast_to(less, len(its))
            taken = np.zeros((len(its), origin.size), np.float32)
            taken[np.arange(len(its)), which] = -1
            off = product.add("MatMul", [product.columns([its]), editing.add_constant(taken)])
            total = off if total is None else product.add("Add", [total, off])
    return product.add("MatMul", [total or "", origin.numbers])


def _fixed(name: str, editing: Editing) -> bool:
    """Say whether rows are the same for every origin."""
    node = editing.made_by(name, "Expand")
    return node is not None and node.input[0] in editing.fixed


def _table(name: str, editing: Editing) -> onnx.NodeProto | None:
    """Return the node that looks rows up in a table, if that is all that makes them."""
    turned = editing.made_by(name, "Transpose")
    node = editing.made_by(turned.input[0], "Gather") if turned else None
    if turned is None or node is None or list(attributes(turned)["perm"]) != [0, 2, 1]:
        return None
    index = editing.shapes.get(node.input[1], ())
    table = node.input[0] in editing.fixed and len(editing.shapes.get(node.input[0], ())) == 2
    along = attributes(node).get("axis", 0) == 0
    return node if table and along and len(index) == 2 else None


def _looked_up(product: _Product, name: str, its: range) -> str:
    """Multiply a table, and look up then."""
    node = product.editing.makers[product.editing.makers[name].input[0]]
    turned = product.add("Transpose", [product.columns([its])], perm=[1, 0])
    table = product.add("MatMul", [node.input[0], turned])
    found = product.add("Gather", [table, node.input[1]])
    return product.add("Transpose", [found], perm=[0, 2, 1])


def _origin(name: str, editing: Editing) -> _Origin | None:
    """Say whether rows are numbers of the origin, repeated over the horizon."""
    node = editing.made_by(name, "Expand")
    shape = editing.shapes.get(node.input[0], ()) if node else ()
    constant = editing.constant(node.input[1]) if node else None
    if node is None or constant is None or len(shape) != 3 or shape[2] != 1:
        return None
    steps = sizes(constant)
    size = shape[1]
    if len(steps) != 3 or steps[:2] != [1, 1] or not isinstance(size, int):
        return None
    return None if node.input[0] in editing.fixed else _Origin(node.input[0], name, size)


def _less(name: str, origin: _Origin, editing: Editing) -> list[int] | None:
    """Return which numbers of the origin are taken off rows; None where it is anything else."""
    node = editing.made_by(name, "Sub")
    if node is None or len(editing.users.get(name, ())) > 1:
        return None
    if node.input[1] == origin.repeated:
        return list(range(origin.size))
    picked = editing.made_by(node.input[1], "Gather")
    if picked is None or picked.input[0] != origin.repeated:
        return None
    index = editing.constant(picked.input[1])
    if index is None or index.ndim != 1 or attributes(picked).get("axis", 0) != 1:
        return None
    return sizes(index)
