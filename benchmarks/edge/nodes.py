"""How many bytes of a graph its trees take."""

from dataclasses import dataclass

import onnx

_TREES = "TreeEnsemble"


@dataclass(frozen=True)
class Nodes:
    """A graph with trees.

    Attributes
    ----------
    total, without
        Bytes of the graph, and of the same graph with neither trees nor what they alone read.
    splits, leaves
        Of all trees.
    """

    total: int
    without: int
    splits: int
    leaves: int

    @property
    def per_node(self) -> float:
        """Bytes of a split or leaf."""
        return (self.total - self.without) / (self.splits + self.leaves)

    @property
    def per_split(self) -> float:
        """Bytes of a split and its share of the leaves."""
        return (self.total - self.without) / self.splits


def nodes_of(content: bytes) -> Nodes | None:
    """Take the trees out of a graph and weigh both; None where there are none."""
    model = onnx.load_model_from_string(content)
    graph = model.graph
    trees = [node for node in graph.node if node.op_type == _TREES]
    if not trees:
        return None
    splits = sum(_length(node, "nodes_featureids") for node in trees)
    leaves = sum(_length(node, "leaf_targetids") for node in trees)
    for node in trees:
        graph.node.remove(node)
    read = {name for node in graph.node for name in node.input}
    theirs = {name for node in trees for name in node.input}
    for constant in [one for one in graph.initializer if one.name in theirs - read]:
        graph.initializer.remove(constant)
    return Nodes(len(content), len(model.SerializeToString()), splits, leaves)


def _length(node: onnx.NodeProto, name: str) -> int:
    return next((len(one.ints) for one in node.attribute if one.name == name), 0)
