"""A main function that replays the golden cases of a bundle."""

import numpy as np
from frugal_edge.golden import Golden

from frugal_ai.export.c.header import GOLDEN, ORIGIN, Interface
from frugal_ai.export.c.scalar import literal
from frugal_ai.export.c.tables import table

_COMPARE = """/* the largest difference; -1 where there is one above the tolerance, or no number */
static double difference(const float *got, const float *expected, int n)
{
    double largest = 0.0;
    for (int i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)expected[i]);
        if (!(d <= TOLERANCE)) return -1.0;
        if (d > largest) largest = d;
    }
    return largest;
}"""


def main_function(offered: Interface, golden: Golden) -> str:
    """Write the golden cases and a main that prints the largest difference, or where it failed."""
    count = len(golden.cases)
    parts = [
        f"\n#ifdef {GOLDEN}\n\n#include <stdio.h>\n",
        f"#define TOLERANCE {literal(golden.tolerance_abs, np.dtype(np.float64))}",
    ]
    sizes = {}
    for spec in offered.inputs:
        parts.append(_cases(spec.name, [case.inputs[spec.name] for case in golden.cases]))
        sizes[spec.name] = int(np.prod(spec.shape))
    for spec in offered.outputs:
        parts.append(_cases(spec.name, [case.outputs[spec.name] for case in golden.cases]))
        sizes[spec.name] = int(np.prod(spec.shape))
    arguments = [
        f"golden_{spec.name}[k]"
        if spec.name == ORIGIN
        else f"golden_{spec.name} + {sizes[spec.name]} * k"
        for spec in offered.inputs
    ]
    names = [spec.name for spec in offered.outputs]
    call = f"{offered.name}_forecast({', '.join([*arguments, *names])})"
    lines = [f"static float {name}[{sizes[name]}];" for name in names]
    lines += [
        "double largest = 0.0;",
        f"for (int k = 0; k < {count}; k++) {{",
        f"    int code = {call};",
        "    if (code) {",
        '        printf("case %d: refused with code %d\\n", k, code);',
        "        return 1;",
        "    }",
    ]
    for name in names:
        expected = f"golden_{name} + {sizes[name]} * k"
        lines += [
            "    {",
            f"        double d = difference({name}, {expected}, {sizes[name]});",
            "        if (d < 0.0) {",
            f'            printf("case %d, {name}: not within %g\\n", k, TOLERANCE);',
            "            return 1;",
            "        }",
            "        if (d > largest) largest = d;",
            "    }",
        ]
    lines += [
        "}",
        f'printf("{count} golden cases, largest difference %g\\n", largest);',
        "return 0;",
    ]
    body = "\n".join(f"    {line}" for line in lines)
    return "\n".join(
        [*parts, _COMPARE, f"int main(void)\n{{\n{body}\n}}", f"\n#endif /* {GOLDEN} */"]
    )


def _cases(name: str, values: list[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]) -> str:
    return table(f"golden_{name}", np.concatenate([one.reshape(-1) for one in values]))
