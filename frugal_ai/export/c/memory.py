"""Where each buffer stands: a variable, a row on the stack, or a part of a shared array."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from frugal_ai.export.c.expression import Memory, Var
from frugal_ai.export.c.fuse import Fused
from frugal_ai.export.c.scalar import DType, c_type


@dataclass(frozen=True)
class Stand:
    """How a buffer is reached.

    Attributes
    ----------
    name
        Of the variable or array.
    offset
        Of its first element in the array.
    without
        Loop variable that its index does not need, because one row is there at a time.
    scalar
        Whether it is one number.
    """

    name: str
    offset: int = 0
    without: Var | None = None
    scalar: bool = False


@dataclass(frozen=True)
class Layout:
    """Places of all buffers.

    Attributes
    ----------
    variables
        Declarations at the start of the function.
    rows
        Declarations in the loop of each group.
    arrays
        Length of the array of each type that buffers share.
    """

    stands: Mapping[Memory, Stand]
    variables: tuple[str, ...]
    rows: Mapping[int, tuple[str, ...]]
    arrays: Mapping[DType, int]


def array_name(dtype: DType) -> str:
    """Name the array that buffers of a type share."""
    return f"work_{dtype.name}"


def plan(fused: Fused) -> Layout:
    """Give every buffer a place; buffers that are not needed at the same time share theirs."""
    stands: dict[Memory, Stand] = {}
    rows: dict[int, list[str]] = defaultdict(list)
    variables = []
    for memory, (group, row) in fused.rows.items():
        name = f"t{len(stands)}"
        scalar = row.size == 1
        stands[memory] = Stand(name, without=row.var, scalar=scalar)
        rows[group].append(_declared(memory, name, row.size))
    shared: dict[DType, list[Memory]] = defaultdict(list)
    for memory, (first, last) in fused.lives.items():
        if memory.size > 1:
            shared[memory.dtype].append(memory)
            continue
        name = f"t{len(stands)}"
        stands[memory] = Stand(name, scalar=True)
        if first == last:
            rows[first].append(_declared(memory, name, 1))
        else:
            variables.append(_declared(memory, name, 1))
    arrays = {}
    for dtype, memories in sorted(shared.items(), key=lambda pair: pair[0].name):
        offsets = _offsets(memories, fused.lives)
        arrays[dtype] = max(offsets[one] + one.size for one in memories)
        for one in memories:
            stands[one] = Stand(array_name(dtype), offset=offsets[one])
    return Layout(stands, tuple(variables), {k: tuple(v) for k, v in rows.items()}, arrays)


def _declared(memory: Memory, name: str, size: int) -> str:
    return f"{c_type(memory.dtype)} {name}" + ("" if size == 1 else f"[{size}]")


def _offsets(memories: list[Memory], lives: Mapping[Memory, tuple[int, int]]) -> dict[Memory, int]:
    """Place buffers one by one, the largest first, at the lowest offset that is free."""
    placed: dict[Memory, int] = {}
    for memory in sorted(memories, key=lambda one: (-one.size, lives[one])):
        first, last = lives[memory]
        taken = sorted(
            (offset, offset + other.size)
            for other, offset in placed.items()
            if lives[other][0] <= last and first <= lives[other][1]
        )
        start = 0
        for low, high in taken:
            if start + memory.size <= low:
                break
            start = max(start, high)
        placed[memory] = start
    return placed
