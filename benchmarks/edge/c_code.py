"""A bundle as C: compiled with gcc, called in a loop that is C as well, and run as a program."""

import ctypes
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from frugal_edge.manifest import DRIFT, Manifest
from numpy.typing import NDArray

from frugal_ai.errors import ExportError
from frugal_ai.export.c.source import export_c

FLAGS = ("-std=c99", "-O3")
_HEAP = {"malloc", "calloc", "realloc", "free"}
_NAME = "frugal_edge_model"
_LOOP = """#define _POSIX_C_SOURCE 200809L
#define FRUGAL_DECLARE_ONLY
#include "{name}.c"
#include <stdio.h>
#include <time.h>

/* forecasts from the cases in turn; the first code that is not 0 */
int repeat(long count, int cases, {parameters})
{{
    for (long k = 0; k < count; k++) {{
        long i = k % cases;
        int code = {name}_forecast({arguments});
        if (code) return code;
    }}
    return 0;
}}

#ifdef PROGRAM
static long peak_kb(void)
{{
    char line[256];
    long found = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %ld", &found);
    return found;
}}

int main(int n_arguments, char **arguments)
{{
{buffers}
    FILE *file = n_arguments > 1 ? fopen(arguments[1], "rb") : NULL;
    if (!file) return 2;
{reads}
    fclose(file);
    int code = repeat(1, 1, {names});
    if (code) return code;
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    printf("{{\\"cpu_ms\\": %.3f, \\"rss_mb\\": %.3f}}\\n",
           cpu.tv_sec * 1e3 + cpu.tv_nsec / 1e6, peak_kb() * 1024 / 1e6);
    return 0;
}}
#endif
"""


@dataclass(frozen=True)
class Argument:
    """One of the exported function: pointer or value, and how many of it there are."""

    name: str
    kind: str
    size: int

    @property
    def pointer(self) -> bool:
        return self.kind.endswith("*")

    @property
    def of_case(self) -> str:
        """What is passed for case ``i``."""
        if self.name == DRIFT:
            return "NULL"
        if not self.pointer:
            return f"{self.name}[i]"
        written = not self.kind.startswith("const")
        return self.name if written else f"{self.name} + {self.size} * i"


@dataclass(frozen=True)
class Compiled:
    """A model in C.

    Attributes
    ----------
    bytes
        Of code and constants.
    ram_bytes
        Of static buffers.
    heap
        Functions of the heap that the object calls.
    program
        Forecasts once from a file of inputs.
    """

    bytes: int
    ram_bytes: int
    heap: tuple[str, ...]
    library: Path
    program: Path
    arguments: tuple[Argument, ...]

    def caller(
        self, cases: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[np.float32]]
    ) -> "Caller":
        """Open the library on some cases, arrays with one row each."""
        return Caller(ctypes.CDLL(str(self.library)), self.arguments, cases, outputs)

    def write_inputs(self, path: Path, cases: Mapping[str, NDArray[Any]]) -> None:
        """Write the first case as the program reads it."""
        given = [one.name for one in self.arguments if one.name in cases]
        path.write_bytes(
            b"".join(np.ascontiguousarray(cases[name][:1]).tobytes() for name in given)
        )


class Caller:
    """Calls the loop in C; what the last forecast gave is in the outputs."""

    def __init__(
        self,
        library: ctypes.CDLL,
        arguments: tuple[Argument, ...],
        cases: Mapping[str, NDArray[Any]],
        outputs: Mapping[str, NDArray[np.float32]],
    ) -> None:
        given = {name: np.ascontiguousarray(values) for name, values in cases.items()}
        self._held = {**given, **outputs}
        self._cases = len(next(iter(given.values())))
        self._repeat = library.repeat
        self._pointers = [
            self._held[one.name].ctypes.data_as(ctypes.c_void_p)
            for one in arguments
            if one.name != DRIFT
        ]

    def __call__(self, count: int) -> None:
        """Make so many forecasts.

        Raises
        ------
        ExportError
            If one is refused.
        """
        code = self._repeat(ctypes.c_long(count), self._cases, *self._pointers)
        if code:
            raise ExportError(f"C: expected a forecast, got code {code}")


def compiled(bundle: Path, manifest: Manifest, folder: Path) -> Compiled:
    """Export a bundle and compile it.

    Raises
    ------
    ExportError
        If it cannot be exported, there is no gcc, or gcc refuses it; says why in one line.
    """
    gcc = shutil.which("gcc")
    if gcc is None:
        raise ExportError("C: no gcc on this machine")
    source = export_c(bundle, folder, _NAME)
    arguments = _arguments(source.read_text(encoding="utf-8"), manifest)
    loop, thing = folder / "loop.c", folder / "model.o"
    loop.write_text(_loop(arguments), encoding="utf-8")
    library, program = folder / "model.so", folder / "model"
    _run([gcc, *FLAGS, "-c", str(source), "-o", str(thing)])
    both = [str(source), str(loop)]
    _run([gcc, *FLAGS, "-shared", "-fPIC", *both, "-o", str(library), "-lm"])
    _run([gcc, *FLAGS, "-DPROGRAM", *both, "-o", str(program), "-lm"])
    text, data, bss = map(int, _run(["size", str(thing)]).splitlines()[1].split()[:3])
    called = {line.split()[-1] for line in _run(["nm", "-u", str(thing)]).splitlines() if line}
    return Compiled(
        text + data, bss + data, tuple(sorted(called & _HEAP)), library, program, arguments
    )


def _arguments(source: str, manifest: Manifest) -> tuple[Argument, ...]:
    found = re.search(rf"^int {_NAME}_forecast\(([^)]*)\);", source, re.MULTILINE)
    if found is None:
        raise ExportError(f"C: expected a declaration of {_NAME}_forecast, got none")
    tensors = {**manifest.inputs, **manifest.outputs}
    arguments = []
    for one in found[1].split(","):
        kind, name = re.fullmatch(r"\s*(.*?[ *])(\w+)", one).groups()  # type: ignore[union-attr]  # a declaration in C
        size = int(np.prod([size or 1 for size in tensors[name].shape]))
        arguments.append(Argument(name, kind.strip(), size))
    return tuple(arguments)


def _loop(arguments: tuple[Argument, ...]) -> str:
    passed = [one for one in arguments if one.name != DRIFT]
    read = [one for one in passed if one.kind.startswith("const") or not one.pointer]
    plain = {one.name: one.kind.removeprefix("const ").removesuffix("*").strip() for one in passed}
    return _LOOP.format(
        name=_NAME,
        parameters=", ".join(
            f"{one.kind}{'' if one.pointer else ' const *'}{one.name}" for one in passed
        ),
        arguments=", ".join(one.of_case for one in arguments),
        buffers="\n".join(
            f"    static {plain[one.name]} {one.name}[{one.size}];" for one in passed
        ),
        reads="\n".join(
            f"    if (fread({one.name}, sizeof *{one.name}, {one.size}, file) != {one.size})"
            " return 3;"
            for one in read
        ),
        names=", ".join(one.name for one in passed),
    )


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except OSError as error:
        raise ExportError(f"C: {command[0]}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        line = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[0]
        raise ExportError(f"C: {Path(command[0]).name}: {line}") from error
    return done.stdout
