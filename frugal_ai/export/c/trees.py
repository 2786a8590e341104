"""Ensembles of trees as tables, and the function that walks them."""

from collections.abc import Callable, Mapping

import numpy as np

from frugal_ai.export.c.scalar import Array, c_type, literal
from frugal_ai.export.c.tables import table
from frugal_ai.export.c.tensor import TreeTable

_Column = Callable[[str, Array], str]
_SIGNS = ("<=", "<", ">=", ">", "==", "!=")


def tree_functions(ensembles: Mapping[str, TreeTable]) -> str:
    """Write a function for each ensemble; columns that are equal are one table."""
    names: dict[tuple[str, bytes], str] = {}
    parts: list[str] = []
    for function, trees in ensembles.items():
        parts += _function(function, trees, names)
    return "\n".join(parts)


def _function(name: str, trees: TreeTable, names: dict[tuple[str, bytes], str]) -> list[str]:
    parts: list[str] = []

    def column(label: str, values: Array) -> str:
        key = (values.dtype.str, values.tobytes())
        if key not in names:
            names[key] = f"{name}_{label}"
            parts.append(table(names[key], values))
        return names[key]

    real = c_type(trees.leaf.dtype)
    start = literal(0, trees.leaf.dtype)
    if not trees.roots.size:
        return [f"static {real} {name}(const {real} *x) {{ (void)x; return {start}; }}"]
    roots, leaf = column("roots", trees.roots), column("leaf", trees.leaf)
    lines = [f"int yes = {_asks(trees, column)};"]
    yes, no = column("yes", trees.true_branch), column("no", trees.false_branch)
    lines += [f"node = yes ? {yes}[node] : {no}[node];"]
    parts.append(
        f"static {real} {name}(const {real} *x)\n{{\n"
        f"    {real} s = {start};\n"
        f"    for (int tree = 0; tree < {trees.roots.size}; tree++) {{\n"
        f"        int node = {roots}[tree];\n"
        "        do {\n"
        + "".join(f"            {line}\n" for line in lines)
        + f"        }} while (node >= 0);\n        s += {leaf}[~node];\n    }}\n    return s;\n}}"
    )
    return parts


def _asks(trees: TreeTable, column: _Column) -> str:
    """Write what a node asks of its feature."""
    x = f"x[{column('feature', trees.feature)}[node]]"
    split = f"{column('split', trees.threshold)}[node]"
    modes = sorted({int(mode) for mode in trees.mode})
    asked = [f"{x} {_SIGNS[mode]} {split}" for mode in modes]
    text = asked[0]
    if len(modes) > 1:
        mode = column("mode", trees.mode)
        text = asked[-1]
        for k in range(len(modes) - 2, -1, -1):
            text = f"{mode}[node] == {modes[k]} ? {asked[k]} : ({text})"
    if np.any(trees.missing):
        text = f"({text}) || ({column('missing', trees.missing)}[node] && {x} != {x})"
    return text
