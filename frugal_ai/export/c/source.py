"""One C file from a bundle."""

from pathlib import Path

from frugal_edge import golden
from frugal_edge.bundle import Bundle, open_bundle
from frugal_edge.errors import EdgeError
from frugal_edge.golden import read_golden

from frugal_ai.errors import ExportError, OutputError
from frugal_ai.export.c.checks import function
from frugal_ai.export.c.compile import compile_graph
from frugal_ai.export.c.golden import main_function
from frugal_ai.export.c.header import DECLARE_ONLY, declarations, interface
from frugal_ai.export.c.text import is_name, name_of
from frugal_ai.files import write_text

_INCLUDES = "#include <math.h>\n#include <stddef.h>\n#include <string.h>"


def export_c(folder: Path, out: Path, name: str | None = None) -> Path:
    """Write the model of a bundle as one C file that needs nothing but libm.

    Parameters
    ----------
    folder
        Of the bundle, which is verified first.
    out
        Folder that the file goes to.
    name
        That its names start with, and the file's own; by default made of the series' name.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ExportError
        If the bundle cannot be trusted or holds something that is not supported in C.
    OutputError
        If the file cannot be written.
    """
    try:
        bundle = open_bundle(folder)
        text = c_source(bundle, name)
    except EdgeError as error:
        raise ExportError(str(error)) from error
    path = out / f"{name or name_of(bundle.manifest.series_id)}.c"
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror}") from error
    write_text(path, text)
    return path


def c_source(bundle: Bundle, name: str | None = None) -> str:
    """Return the C file of a verified bundle; see `export_c`."""
    manifest = bundle.manifest
    prefix = name or name_of(manifest.series_id)
    if not is_name(prefix):
        raise ExportError(
            "name: expected up to 31 letters, digits and underlines that start with a letter,"
            f" got {prefix!r}"
        )
    compiled = compile_graph(bundle.content["model.onnx"])
    offered = interface(prefix, manifest, compiled.inputs, compiled.outputs)
    cases = read_golden(bundle.content[golden.NAME], manifest)
    parts = [
        declarations(offered),
        f"\n#ifndef {DECLARE_ONLY}\n\n{_INCLUDES}\n",
        compiled.definitions,
        compiled.function("static void compute", [*offered.inputs, *offered.outputs]),
        function(offered),
        main_function(offered, cases),
        f"\n#endif /* {DECLARE_ONLY} */\n",
    ]
    return "\n".join(parts)
