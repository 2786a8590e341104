"""An ONNX graph compiled to one function of C."""

from collections.abc import Sequence
from dataclasses import dataclass

from frugal_ai.export.c.build import build
from frugal_ai.export.c.expression import Memory
from frugal_ai.export.c.fuse import fuse
from frugal_ai.export.c.graph import Spec, read_graph
from frugal_ai.export.c.lowering import lower
from frugal_ai.export.c.memory import Stand, array_name, plan
from frugal_ai.export.c.scalar import c_type
from frugal_ai.export.c.tables import table
from frugal_ai.export.c.trees import tree_functions
from frugal_ai.export.c.write import Writer

_ARGUMENT, _RESULT = "in_", "out_"


@dataclass(frozen=True)
class Compiled:
    """A function of C that computes a graph for one origin.

    Attributes
    ----------
    inputs, outputs
        The tensors that it reads and writes, in the order of its arguments.
    definitions
        What it needs: tables, shared arrays, small functions.
    body
        Of the function; every argument is a pointer.
    """

    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    definitions: str
    body: str

    def function(self, head: str, order: Sequence[Spec] = ()) -> str:
        """Write the function, its head up to the name given.

        Parameters
        ----------
        order
            All inputs and outputs as its arguments come; by default inputs first.
        """
        parameters = ", ".join(self._parameter(spec) for spec in order or self._all)
        return f"{head}({parameters})\n{{\n{self.body}\n}}"

    @property
    def _all(self) -> tuple[Spec, ...]:
        return (*self.inputs, *self.outputs)

    def _parameter(self, spec: Spec) -> str:
        if spec in self.outputs:
            return f"{c_type(spec.dtype)} *restrict {_RESULT}{spec.name}"
        return f"const {c_type(spec.dtype)} *{_ARGUMENT}{spec.name}"


def compile_graph(content: bytes) -> Compiled:
    """Compile a serialized ONNX model.

    Raises
    ------
    ExportError
        Naming what cannot be written in C.
    """
    graph = read_graph(content)
    tensors = build(graph)
    arguments = {
        spec.name: Memory(f"{_ARGUMENT}{spec.name}", spec.dtype, 0, given=True)
        for spec in graph.inputs
    }
    results = {
        name: Memory(f"{_RESULT}{name}", tensor.dtype, tensor.size, given=True)
        for name, tensor in tensors.items()
    }
    program = lower(tensors, arguments, results)
    fused = fuse(program.nests)
    layout = plan(fused)
    given = {memory: Stand(memory.name) for memory in (*arguments.values(), *results.values())}
    writer = Writer({**layout.stands, **given})
    lines = [f"{variable};" for variable in layout.variables]
    lines += writer.groups(fused, layout)
    code = "\n".join(lines)
    unread = [f"(void){one.name};" for one in arguments.values() if f"{one.name}[" not in code]
    arrays = [
        f"static {c_type(dtype)} {array_name(dtype)}[{size}];"
        for dtype, size in layout.arrays.items()
    ]
    tables = [table(one.name, one.values) for one in program.tables if one.values is not None]
    parts = [*tables, tree_functions(program.ensembles), writer.helpers.code, *arrays]
    return Compiled(
        inputs=graph.inputs,
        outputs=tuple(Spec(name, t.dtype, t.shape) for name, t in tensors.items()),
        definitions="\n".join(part for part in parts if part),
        body="\n".join(f"    {line}" for line in (*unread, *lines)),
    )
