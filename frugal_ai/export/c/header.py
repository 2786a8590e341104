"""The part of a C file that a caller reads: what the model is, sizes, codes, the function."""

from collections.abc import Iterable
from dataclasses import dataclass

from frugal_edge.clock import format_time
from frugal_edge.manifest import DRIFT, Manifest

from frugal_ai.errors import ExportError
from frugal_ai.export.c.graph import Spec
from frugal_ai.export.c.scalar import FLOAT, INT64, c_type
from frugal_ai.export.c.text import comment, string

ORIGIN = "origin"
_ORDER = ("history", ORIGIN, "known", "past", DRIFT)
DECLARE_ONLY = "FRUGAL_DECLARE_ONLY"
GOLDEN = "FRUGAL_GOLDEN"
_LAYOUT = "Arrays must not overlap; their last index runs fastest."

CODES = {
    "OK": "a forecast was written",
    "VALIDITY": "the origin is not from VALID_FROM to VALID_UNTIL",
    "GRID": "the origin is not a whole number of steps from VALID_FROM",
    "CLOCK": "the model was not trained for origins at this local time",
    "INPUT": "an input holds NaN or infinity",
    "OUTPUT": "the model gave NaN, infinity or quantiles that cross; do not use what was written",
}
"""What the function returns: names in ascending order from 0, and what they mean."""


@dataclass(frozen=True)
class Interface:
    """The function that a file offers.

    Attributes
    ----------
    name
        That its own names start with, such as ``frugal_feeder``.
    inputs, outputs
        In the order of the arguments.
    """

    name: str
    manifest: Manifest
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]

    @property
    def macro(self) -> str:
        """What its constants start with."""
        return self.name.upper()

    @property
    def reads_origin(self) -> bool:
        """Whether the origin is an input."""
        return any(spec.name == ORIGIN for spec in self.inputs)

    def code(self, name: str) -> str:
        """Return the name of a code."""
        return f"{self.macro}_{name}"

    @property
    def prototype(self) -> str:
        """Head of the function."""
        inputs = [
            f"{c_type(one.dtype)} {one.name}"
            if one.name == ORIGIN
            else f"const {c_type(one.dtype)} *{one.name}"
            for one in self.inputs
        ]
        outputs = [f"{c_type(one.dtype)} *{one.name}" for one in self.outputs]
        return f"int {self.name}_forecast({', '.join([*inputs, *outputs])})"


def interface(
    name: str, manifest: Manifest, inputs: Iterable[Spec], outputs: Iterable[Spec]
) -> Interface:
    """Put the arguments in order and check them against the manifest.

    Raises
    ------
    ExportError
        If the graph reads or gives something else than the manifest says.
    """
    given = {spec.name: spec for spec in inputs}
    results = {spec.name: spec for spec in outputs}
    for what, specs, said in (
        ("input", given, manifest.inputs),
        ("output", results, manifest.outputs),
    ):
        shapes = {one.name: (one.dtype.name, one.shape) for one in specs.values()}
        expected = {one.name: (one.dtype, (1, *one.shape[1:])) for one in said.values()}
        if shapes != expected:
            raise ExportError(
                f"model.onnx: {what}s: expected {expected} as the manifest says, got {shapes}"
            )
    allowed = (FLOAT, INT64)
    if any(spec.dtype not in allowed for spec in (*given.values(), *results.values())):
        raise ExportError("model.onnx: expected inputs and outputs of float32 and int64")
    ordered = tuple(given[one] for one in _ORDER if one in given)
    return Interface(name, manifest, ordered, tuple(results[one] for one in manifest.outputs))


def declarations(offered: Interface) -> str:
    """Write the part of the file that a caller may include alone."""
    guard = f"{offered.macro}_DECLARED"
    return "\n".join(
        [
            comment(_title(offered)),
            f"#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n",
            *_constants(offered),
            "",
            _codes(offered),
            "",
            comment(_arguments(offered)),
            f"{offered.prototype};",
            f"\n#endif /* {guard} */",
        ]
    )


def _title(offered: Interface) -> str:
    manifest = offered.manifest
    at = ", ".join(manifest.origins.local_time) or "any time"
    simulated = (
        "\nIt learnt from simulated data, not from measurements." if manifest.simulated else ""
    )
    return (
        f"{manifest.series_id} [{manifest.unit}]: {manifest.horizon} steps of {manifest.step_s} s"
        f" from origins at {at} ({manifest.timezone}).\n"
        f"Model {manifest.id}, {manifest.rung}, of {format_time(manifest.created)}, features"
        f" included; written by frugal-ai export c.{simulated}\n"
        "C99 and libm, no heap. Buffers are static: one call at a time.\n"
        f"To declare the function elsewhere, define {DECLARE_ONLY} and include this file.\n"
        f"To replay the golden cases, compile with -D{GOLDEN} and run."
    )


def _constants(offered: Interface) -> list[str]:
    manifest, macro = offered.manifest, offered.macro
    constants: dict[str, str] = {
        "MODEL": string(manifest.id),
        "UNIT": string(manifest.unit),
        "STEP_S": str(manifest.step_s),
        "HORIZON": str(manifest.horizon),
    }
    for spec in offered.inputs:
        if spec.name in {"known", "past"}:
            constants[f"{spec.name.upper()}_STEPS"] = str(spec.shape[1])
            constants[f"{spec.name.upper()}_COLUMNS"] = str(spec.shape[2])
        elif spec.name == "history":
            constants["HISTORY_STEPS"] = str(spec.shape[1])
    if manifest.quantiles:
        constants["LEVELS"] = str(len(manifest.quantiles))
    origins = manifest.origins
    lines = [f"#define {macro}_{name} {value}" for name, value in constants.items()]
    for name, time in (("VALID_FROM", origins.valid_from), ("VALID_UNTIL", origins.valid_until)):
        lines.append(f"#define {macro}_{name} INT64_C({time}) /* {format_time(time)} */")
    return lines


def _codes(offered: Interface) -> str:
    last = len(CODES) - 1
    lines = [
        f"    {offered.code(name)}{'' if k else ' = 0'}{',' if k < last else ''} /* {meaning} */"
        for k, (name, meaning) in enumerate(CODES.items())
    ]
    return "enum {\n" + "\n".join(lines) + "\n};"


def _arguments(offered: Interface) -> str:
    manifest, unit = offered.manifest, offered.manifest.unit
    lines = ["Forecast the horizon from one origin.", _LAYOUT]
    for spec in offered.inputs:
        sizes = "".join(f"[{size}]" for size in spec.shape[1:])
        columns = ", ".join(manifest.columns(spec.name))
        lines.append(
            {
                "history": f"history{sizes}: the values before the origin, oldest first [{unit}]",
                ORIGIN: "origin: start of the first target interval [unix s]",
                "known": f"known{sizes}: {columns}; from {_lookback(manifest)} steps before the"
                " origin to the end of the horizon",
                "past": f"past{sizes}: {columns}; the steps before the origin, oldest first",
                DRIFT: f"drift{sizes}: how far quantiles have moved [widths between the outer"
                " ones]; NULL for not at all",
            }[spec.name]
        )
    levels = ", ".join(f"{level:g}" for level in manifest.quantiles)
    for spec in offered.outputs:
        sizes = "".join(f"[{size}]" for size in spec.shape[1:])
        at = f" at the levels {levels}" if len(spec.shape) > 2 else ""
        lines.append(f"{spec.name}{sizes}: gets the result{at} [{unit}]")
    return "\n".join([*lines, "Returns one of the codes above."])


def _lookback(manifest: Manifest) -> int:
    return manifest.inputs["known"].lookback if "known" in manifest.inputs else 0
