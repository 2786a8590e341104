"""C that is compiled with gcc and called in this process, beside onnxruntime."""

import ctypes
import itertools
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from frugal_edge.session import quiet_session
from numpy.typing import NDArray

from frugal_ai.export.c.compile import Compiled, compile_graph

Array = NDArray[Any]
Feed = Mapping[str, Array]
STRICT = ("-Wall", "-Wextra", "-Werror", "-std=c99", "-pedantic")
_INCLUDES = "#include <math.h>\n#include <stdint.h>\n"


@dataclass(frozen=True)
class Gcc:
    """The compiler, and a folder for what it makes."""

    program: str
    folder: Path
    numbers: "itertools.count[int]"

    def library(self, text: str, *flags: str) -> ctypes.CDLL:
        """Compile C to a library, warnings being errors, and open it."""
        source = self.folder / f"{next(self.numbers)}.c"
        source.write_text(text)
        library = source.with_suffix(".so")
        self.run(*flags, "-fPIC", "-shared", source, "-o", library, "-lm")
        return ctypes.CDLL(str(library))

    def program_of(self, source: Path, *flags: str) -> Path:
        """Compile a C file to a program."""
        program = self.folder / f"{next(self.numbers)}.out"
        self.run(*flags, source, "-o", program, "-lm")
        return program

    def run(self, *arguments: str | Path) -> None:
        """Run the compiler; what it says is the failure."""
        done = subprocess.run(
            [self.program, *STRICT, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[:4000]

    def links(self, *flags: str) -> bool:
        """Say whether programs can be made with some flags on this machine, and run."""
        source = self.folder / f"probe{next(self.numbers)}.c"
        source.write_text("#include <math.h>\nint main(void) { return 0; }\n")
        program = source.with_suffix(".out")
        made = subprocess.run(
            [self.program, *flags, str(source), "-o", str(program), "-lm"],
            capture_output=True,
            check=False,
        )
        if made.returncode:
            return False
        return subprocess.run([str(program)], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def gcc(tmp_path_factory: pytest.TempPathFactory) -> Gcc:
    """The C compiler of this machine."""
    program = shutil.which("gcc")
    if program is None:
        pytest.skip("no gcc on this machine")
    return Gcc(program, tmp_path_factory.mktemp("c"), itertools.count())


class Both:
    """A graph in C and in onnxruntime."""

    def __init__(self, gcc: Gcc, content: bytes, *flags: str) -> None:
        self.compiled: Compiled = compile_graph(content)
        text = f"{_INCLUDES}{self.compiled.definitions}\n{self.compiled.function('void compute')}\n"
        self._library = gcc.library(text, *(flags or ("-O1",)))
        self._session = quiet_session(content)

    def c(self, feed: Feed) -> list[Array]:
        """Return the outputs of the C function."""
        given = [np.ascontiguousarray(feed[spec.name]) for spec in self.compiled.inputs]
        outputs = [np.empty(spec.shape, spec.dtype) for spec in self.compiled.outputs]
        self._library.compute(*(one.ctypes.data_as(ctypes.c_void_p) for one in (*given, *outputs)))
        return outputs

    def onnx(self, feed: Feed) -> list[Array]:
        """Return the outputs of onnxruntime."""
        names = [spec.name for spec in self.compiled.inputs]
        wanted = [spec.name for spec in self.compiled.outputs]
        found: list[Array] = self._session.run(wanted, {name: feed[name] for name in names})
        return found

    def agree(self, feed: Feed, rtol: float = 1e-6) -> None:
        """Compare all outputs, relative to each element or to the largest."""
        for got, expected in zip(self.c(feed), self.onnx(feed), strict=True):
            assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
            largest = np.abs(expected[np.isfinite(expected)].astype(np.float64)).max(initial=1)
            np.testing.assert_allclose(got, expected, rtol=rtol, atol=0.1 * rtol * largest)


Compare = Callable[..., Both]


@pytest.fixture(scope="session")
def both(gcc: Gcc) -> Compare:
    """Compile a serialized graph and return it beside onnxruntime's."""

    def compare(content: bytes, *flags: str) -> Both:
        return Both(gcc, content, *flags)

    return compare


def serialized(
    nodes: Sequence[onnx.NodeProto],
    inputs: Feed,
    constants: Feed,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
) -> bytes:
    """Make a graph of nodes; inputs and outputs get the types and shapes that follow."""
    helper = onnx.helper
    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for name, v in inputs.items()
    ]
    graph = helper.make_graph(
        list(nodes),
        "test",
        values,
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [onnx.numpy_helper.from_array(v, name) for name, v in constants.items()],
    )
    domains = {"": opset, "ai.onnx.ml": 5, "com.microsoft": 1}
    versions = [helper.make_opsetid(*one) for one in domains.items()]
    model = helper.make_model(graph, opset_imports=versions, ir_version=10)
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    content: bytes = inferred.SerializeToString()
    return content


@pytest.fixture(scope="session")
def graph_of() -> Callable[..., bytes]:
    """Make a graph of nodes; see `serialized`."""
    return serialized


@pytest.fixture(scope="session")
def check(both: Compare) -> Callable[..., None]:
    """Compare C with onnxruntime on a graph of nodes and its inputs."""

    def compare(
        nodes: Sequence[onnx.NodeProto], inputs: Feed, *, rtol: float = 1e-6, **more: Any
    ) -> None:
        content = serialized(nodes, inputs, more.pop("constants", {}), **more)
        both(content).agree(inputs, rtol=rtol)

    return compare
