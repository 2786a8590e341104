"""A node with what it is given: what every operator is written from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from frugal_ai.export.c.graph import Node
from frugal_ai.export.c.operators.parts import Slice, part
from frugal_ai.export.c.scalar import COMPUTED, Array, DType
from frugal_ai.export.c.tensor import Running, Tensor, sliced


@dataclass
class Shared:
    """What several nodes have in common.

    Attributes
    ----------
    exact
        Whether every function must give the very number that the graph says, because trees ask on
        which side of a threshold it lies.
    running, parts
        What was made already.
    """

    exact: bool = False
    running: dict[tuple[Tensor, int, bool], Running] = field(default_factory=dict)
    parts: dict[Slice, Tensor | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A node and its inputs, None for those that are left out.

    Attributes
    ----------
    values
        Of the inputs that are constant.
    used
        Whether each output is read.
    """

    node: Node
    tensors: tuple[Tensor | None, ...]
    values: tuple[Array | None, ...]
    used: tuple[bool, ...]
    shared: Shared

    def refuse(self, expected: str) -> NoReturn:
        """Refuse the node; see `Node.refuse`."""
        self.node.refuse(expected)

    def tensor(self, number: int = 0) -> Tensor:
        """Return an input that must be there."""
        found = self.tensors[number] if number < len(self.tensors) else None
        return found if found is not None else self.refuse(f"expected an input {number}")

    def optional(self, number: int) -> Tensor | None:
        """Return an input, or None where it is left out."""
        return self.tensors[number] if number < len(self.tensors) else None

    def constant(self, number: int, what: str) -> Array:
        """Return an input that C must know beforehand."""
        value = self.maybe_constant(number, what)
        return value if value is not None else self.refuse(f"expected {what}, got none")

    def maybe_constant(self, number: int, what: str) -> Array | None:
        """Return the same, or None where it is left out."""
        if self.optional(number) is None:
            return None
        value = self.values[number]
        return value if value is not None else self.refuse(f"expected constant {what}")

    def whole_numbers(self, number: int, what: str) -> list[int]:
        """Return an input of whole numbers that C must know beforehand."""
        return [int(one) for one in np.atleast_1d(self.constant(number, what))]

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""
        return self.node.attributes.get(name, default)

    def axis(self, default: int, rank: int) -> int:
        """Return the attribute ``axis``, counted from the front."""
        axis = int(self.attribute("axis", default))
        return axis + rank if axis < 0 else axis

    def cut(self, tensor: Tensor, axis: int, places: range) -> Tensor:
        """Cut elements out of a tensor along an axis."""
        start, count, step = places.start, len(places), places.step
        whole = count == tensor.shape[axis]
        alone = part(self.shared.parts, (tensor, axis, start, count))
        if step == 1 and not whole and alone is not None:
            return alone
        return sliced(tensor, axis, start, count, step)

    def require(self, dtype: DType, allowed: Sequence[DType] = COMPUTED) -> DType:
        """Return a type, or refuse it."""
        if dtype not in allowed:
            names = ", ".join(one.name for one in allowed)
            self.refuse(f"type {dtype.name} is not supported in C, expected one of {names}")
        return dtype


Operator = Callable[[Call], Sequence[Tensor]]
