"""Which tensors are computed into memory, and which again wherever they are read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from frugal_ai.export.c.functions import cost
from frugal_ai.export.c.shapes import merged_axes
from frugal_ai.export.c.tensor import (
    Ensemble,
    Flat,
    Input,
    Joined,
    Map,
    Product,
    Tensor,
    View,
)

BLOCK = 16  # columns of a matrix product that are summed up side by side
_CHEAP_READS = 8  # times that something as cheap as a conversion is computed again


@dataclass(frozen=True)
class Storage:
    """What becomes of each tensor.

    Attributes
    ----------
    ordered
        All tensors, sources first.
    kept
        Those that are computed into memory of their own.
    in_order
        Those of them whose elements must stand in order.
    pushed
        Those that are computed straight into the memory of the only one that reads them.
    """

    ordered: tuple[Tensor, ...]
    kept: frozenset[Tensor]
    in_order: frozenset[Tensor]
    pushed: frozenset[Tensor]


def choose_storage(outputs: Iterable[Tensor]) -> Storage:
    """Decide for each tensor that the outputs are made of."""
    return _Choice(tuple(outputs)).storage()


class _Choice:
    """Goes from the outputs to the inputs, so that all readers of a tensor are known before it."""

    def __init__(self, outputs: tuple[Tensor, ...]) -> None:
        self._ordered = _sources_first(outputs)
        self._varying = _varying(self._ordered)
        self._reads: dict[Tensor, int] = defaultdict(int)
        self._readers: dict[Tensor, list[Tensor | None]] = defaultdict(list)  # None: an output
        self._demanded: set[Tensor] = set()
        self._kept: set[Tensor] = set()
        self._pushed: set[Tensor] = set()
        for output in outputs:
            self._reads[output] += output.size
            self._readers[output].append(None)

    def storage(self) -> Storage:
        for tensor in reversed(self._ordered):
            if tensor in self._varying and not isinstance(tensor, Input):
                self._choose(tensor)
            self._count(tensor)
        kept, pushed = frozenset(self._kept), frozenset(self._pushed)
        return Storage(self._ordered, kept, kept & self._demanded, pushed)

    def _choose(self, tensor: Tensor) -> None:
        if isinstance(tensor, Flat):
            self._choose_flat(tensor)
        elif isinstance(tensor, Joined) and self._goes_to_one_place(tensor):
            self._pushed.add(tensor)
        elif tensor.kept or tensor in self._demanded or self._is_worth_keeping(tensor):
            self._kept.add(tensor)

    def _choose_flat(self, tensor: Flat) -> None:
        source = tensor.source.shape
        if tensor not in self._demanded:
            if merged_axes(source, tensor.shape) is not None:
                return
            if self._goes_to_one_place(tensor) and merged_axes(tensor.shape, source) is not None:
                self._pushed.add(tensor)
                return
        self._demanded.add(tensor.source)

    def _goes_to_one_place(self, tensor: Tensor) -> bool:
        if tensor in self._demanded or len(self._readers[tensor]) != 1:
            return False
        (reader,) = self._readers[tensor]
        return reader is None or isinstance(reader, Joined) or reader in self._pushed

    def _is_worth_keeping(self, tensor: Tensor) -> bool:
        if isinstance(tensor, View) and not any(one in self._varying for one in tensor.lookups):
            return False
        reads = self._reads[tensor]
        if isinstance(tensor, Map) and cost(tensor.function) == 1:
            simple = all(self._stands_in_memory(one) for one in tensor.operands)
            if simple and reads <= _CHEAP_READS * tensor.size:
                return False
        return reads > tensor.size

    def _stands_in_memory(self, tensor: Tensor) -> bool:
        while isinstance(tensor, View | Flat) and tensor in self._varying:
            tensor = tensor.source
        return tensor.kept or isinstance(tensor, Input) or tensor not in self._varying

    def _count(self, tensor: Tensor) -> None:
        """Add to the reads of the sources."""
        own = tensor in self._kept or tensor in self._pushed
        for source in tensor.sources:
            self._readers[source].append(tensor)
            if isinstance(tensor, Map | View | Flat):
                self._reads[source] += tensor.size if own else self._reads[tensor]
            elif not isinstance(tensor, Product):
                self._reads[source] += source.size
        if isinstance(tensor, Ensemble):
            self._demanded.add(tensor.source)
        if isinstance(tensor, Product):
            columns = tensor.right.shape[-1]
            self._reads[tensor.left] += tensor.left.size * -(-columns // BLOCK)
            self._reads[tensor.right] += tensor.right.size * tensor.left.shape[-2]


def _sources_first(outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    found: dict[Tensor, None] = {}
    stack = [(output, False) for output in reversed(outputs)]
    while stack:
        tensor, ready = stack.pop()
        if tensor in found:
            continue
        if ready:
            found[tensor] = None
        else:
            stack.append((tensor, True))
            stack += [(source, False) for source in reversed(tensor.sources)]
    return tuple(found)


def _varying(ordered: tuple[Tensor, ...]) -> frozenset[Tensor]:
    """Return the tensors that depend on an input."""
    found: set[Tensor] = set()
    for tensor in ordered:
        if isinstance(tensor, Input) or any(source in found for source in tensor.sources):
            found.add(tensor)
    return frozenset(found)
