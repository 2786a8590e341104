"""Operators of ONNX as tensors: a table of all that can be written in C."""

from frugal_ai.export.c.operators import (
    aggregation,
    elementwise,
    movement,
    products,
    quantization,
    trees,
)
from frugal_ai.export.c.operators.call import Operator

OPERATORS: dict[tuple[str, str], Operator] = {
    ("", name): operator
    for module in (aggregation, elementwise, movement, products, quantization)
    for name, operator in module.OPERATORS.items()
} | {("ai.onnx.ml", name): operator for name, operator in trees.OPERATORS.items()}
"""By domain and name."""
