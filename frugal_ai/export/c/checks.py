"""What the function refuses before it computes and after it has, as a gateway does."""

import math

import numpy as np
from frugal_edge.manifest import DRIFT, QUANTILES, Manifest

from frugal_ai.data.calendar import DAY_S, utc_offsets
from frugal_ai.export.c.graph import Spec
from frugal_ai.export.c.header import ORIGIN, Interface
from frugal_ai.export.c.scalar import FLOAT
from frugal_ai.export.c.tables import table

_FINITE = """/* the highest bit says that all bits of the exponent are set: NaN or infinity */
static inline uint32_t exponent(const float *x)
{
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    return (bits & UINT32_C(0x7f800000)) + UINT32_C(0x00800000);
}

/* whether none of x[n] is NaN or infinite, eight side by side so that none waits for another */
static int finite(const float *x, int n)
{
    uint32_t found[8] = {0}, all = 0;
    int i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) found[k] |= exponent(x + i + k);
    for (; i < n; i++) found[0] |= exponent(x + i);
    for (int k = 0; k < 8; k++) all |= found[k];
    return !(all >> 31);
}"""


def function(offered: Interface) -> str:
    """Write the function that is offered, around ``compute``."""
    parts = [_FINITE]
    lines = []
    if offered.reads_origin:
        parts.append(_origin_check(offered))
        lines += [f"int refused = check_{ORIGIN}(origin);", "if (refused) return refused;"]
    for spec in offered.inputs:
        lines += _input_check(offered, spec)
        if spec.name == DRIFT:
            parts.append(f"static const float no_drift[{math.prod(spec.shape)}] = {{0}};")
    arguments = ["&origin" if spec.name == ORIGIN else spec.name for spec in (*offered.inputs,)] + [
        spec.name for spec in offered.outputs
    ]
    lines.append(f"compute({', '.join(arguments)});")
    for spec in offered.outputs:
        lines += _output_check(offered, spec)
    lines.append(f"return {offered.code('OK')};")
    body = "\n".join(f"    {line}" for line in lines)
    return "\n".join([*parts, f"{offered.prototype}\n{{\n{body}\n}}"])


def _input_check(offered: Interface, spec: Spec) -> list[str]:
    lines = [f"if (!{spec.name}) {spec.name} = no_drift;"] if spec.name == DRIFT else []
    if spec.dtype == FLOAT:
        refused = f"return {offered.code('INPUT')};"
        lines.append(f"if (!finite({spec.name}, {math.prod(spec.shape)})) {refused}")
    return lines


def _output_check(offered: Interface, spec: Spec) -> list[str]:
    name, size = spec.name, math.prod(spec.shape)
    refused = f"return {offered.code('OUTPUT')};"
    lines = [f"if (!finite({name}, {size})) {refused}"]
    levels = spec.shape[-1]
    if name == QUANTILES and levels > 1:
        lines += [
            f"for (int i = 0; i < {size}; i++)",
            f"    if (i % {levels} && {name}[i] < {name}[i - 1]) {refused}",
        ]
    # a zero has no sign
    return [*lines, f"for (int i = 0; i < {size}; i++) {name}[i] += 0.0f;"]


def _origin_check(offered: Interface) -> str:
    """Write the check of an origin; see `frugal_edge.origin.check_origin`."""
    macro, manifest = offered.macro, offered.manifest
    first, last = f"{macro}_VALID_FROM", f"{macro}_VALID_UNTIL"
    lines = [
        f"if (origin < {first} || origin > {last}) return {offered.code('VALIDITY')};",
        f"if ((origin - {first}) % {macro}_STEP_S) return {offered.code('GRID')};",
    ]
    tables: list[str] = []
    if manifest.origins.local_time:
        tables, more = _clock_check(manifest)
        lines += [*more, f"return {offered.code('CLOCK')};"]
    else:
        lines.append(f"return {offered.code('OK')};")
    body = "\n".join(f"    {line}" for line in lines)
    return "\n".join([*tables, f"static int check_{ORIGIN}(int64_t origin)\n{{\n{body}\n}}"])


def _clock_check(manifest: Manifest) -> tuple[list[str], list[str]]:
    """Write the check of the local time of an origin: zero is returned where it is one of them."""
    origins = manifest.origins
    changes, offsets = utc_offsets(manifest.timezone, origins.valid_from, origins.valid_until)
    clocks = [60 * (60 * int(at[:2]) + int(at[3:])) for at in origins.local_time]
    tables = [
        table("clock_offset", offsets.astype(np.int32)),
        table("clock_at", np.array(clocks, np.int32)),
    ]
    lines = ["int k = 0;"]
    if len(changes):
        tables.append(table("clock_change", changes))
        lines.append(f"while (k < {len(changes)} && origin >= clock_change[k]) k++;")
    lines += [
        f"int64_t clock = (origin + clock_offset[k]) % {DAY_S};",
        f"if (clock < 0) clock += {DAY_S};",
        f"for (k = 0; k < {len(clocks)}; k++)",
        "    if (clock == clock_at[k]) return 0;",
    ]
    return tables, lines
