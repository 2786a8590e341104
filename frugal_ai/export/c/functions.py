"""What each scalar function is in C: an operator, a call of libm, or a few lines of our own."""

from dataclasses import dataclass
from typing import Final

from frugal_ai.export.c.scalar import BOOL, DOUBLE, FLOAT, HALF, DType, c_type


@dataclass(frozen=True)
class Text:
    """A piece of C and how tightly it binds; more is tighter."""

    code: str
    binds: int

    def within(self, least: int) -> str:
        """Return the code, in brackets where something as tight as ``least`` is expected."""
        return self.code if self.binds >= least else f"({self.code})"


ATOM, UNARY, PRODUCT, SUM, COMPARISON, EQUALITY, AND, OR, CHOICE = range(9, 0, -1)

_INFIX: Final = {
    "mul": ("*", PRODUCT),
    "div": ("/", PRODUCT),
    "add": ("+", SUM),
    "sub": ("-", SUM),
    "less": ("<", COMPARISON),
    "less_or_equal": ("<=", COMPARISON),
    "greater": (">", COMPARISON),
    "greater_or_equal": (">=", COMPARISON),
    "equal": ("==", EQUALITY),
    "differ": ("!=", EQUALITY),
    "and": ("&&", AND),
    "or": ("||", OR),
}
_LIBM: Final = {
    "acos": "acos", "asin": "asin", "atan": "atan", "ceil": "ceil", "cos": "cos", "erf": "erf",
    "exp": "exp", "floor": "floor", "log": "log", "pow": "pow", "remainder": "fmod",
    "round": "rint", "sin": "sin", "sqrt": "sqrt", "tan": "tan", "tanh": "tanh",
}  # fmt: skip
_COSTS: Final = {"div": 4, "mod": 8, "remainder": 20, "wrap": 3} | dict.fromkeys(_LIBM, 20)
_SUFFIX: Final = {FLOAT: "f", DOUBLE: "d"}

# a comparison with NaN is false; the order of the operands is such that NaN comes through
_HELPERS: Final = {
    "abs": "static inline {t} abs_{s}({t} a) {{ return a < 0 ? -a : a; }}",
    "max": "static inline {t} max_{s}({t} a, {t} b) {{ return a < b || b != b ? b : a; }}",
    "min": "static inline {t} min_{s}({t} a, {t} b) {{ return a > b || b != b ? b : a; }}",
    "mod": """/* remainder with the sign of the divisor */
static inline {t} mod_{s}({t} a, {t} n)
{{
    {t} r = a % n;
    return r != 0 && (r < 0) != (n < 0) ? r + n : r;
}}""",
    "relu": "static inline {t} relu_{s}({t} a) {{ return a < 0 ? 0 : a; }}",
    "sign": "static inline {t} sign_{s}({t} a) {{ return ({t})((a > 0) - (a < 0)); }}",
    "whole": """static inline int64_t whole_{s}({t} a)
{{
    return a >= ({t})INT64_MIN && a < -({t})INT64_MIN ? (int64_t)a : INT64_MIN;
}}""",
    "wrap": """/* place in a table of n; below 0 from the end; it never leaves the table */
static inline int wrap(int64_t i, int n)
{{
    i = i < 0 ? i + n : i;
    return i < 0 ? 0 : i >= n ? n - 1 : (int)i;
}}""",
    "half": """/* a 16-bit number of IEEE 754, which C99 has no type for */
static inline float half(uint16_t bits)
{{
    union {{ uint32_t u; float f; }} x;
    x.u = (uint32_t)(bits & 0x7fffu) << 13;
    x.f *= 0x1p112f;
    x.u |= (uint32_t)(bits & 0x8000u) << 16;
    return x.f;
}}""",
    "ascending": """static inline void ascending_{s}({t} *x, int n)
{{
    for (int i = 1; i < n; i++) {{
        {t} v = x[i];
        int j = i;
        for (; j > 0 && v < x[j - 1]; j--) x[j] = x[j - 1];
        x[j] = v;
    }}
}}""",
    "descending": """static inline void descending_{s}({t} *x, int n)
{{
    for (int i = 1; i < n; i++) {{
        {t} v = x[i];
        int j = i;
        for (; j > 0 && v > x[j - 1]; j--) x[j] = x[j - 1];
        x[j] = v;
    }}
}}""",
}
_OF_WHOLE: Final = {
    "max": "static inline {t} max_{s}({t} a, {t} b) {{ return a < b ? b : a; }}",
    "min": "static inline {t} min_{s}({t} a, {t} b) {{ return a > b ? b : a; }}",
}


def cost(function: str) -> int:
    """Return about how many additions a function costs."""
    return _COSTS.get(function, 1)


class Helpers:
    """Lines of our own that a program calls, written once each."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}

    @property
    def code(self) -> str:
        """All of them."""
        return "\n".join(self._written[name] for name in sorted(self._written))

    def name(self, function: str, dtype: DType) -> str:
        """Return the name of a function for a type, and have it written."""
        suffix = _SUFFIX.get(dtype, f"i{8 * dtype.itemsize}")
        plain = function in {"wrap", "half"}
        name = function if plain else f"{function}_{suffix}"
        lines = (_HELPERS if dtype.kind == "f" else _HELPERS | _OF_WHOLE)[function]
        self._written[name] = lines.format(t=c_type(dtype), s=suffix)
        return name


def write(
    function: str, args: list[Text], taken: tuple[DType, ...], given: DType, helpers: Helpers
) -> Text:
    """Write a function of scalars in C.

    Parameters
    ----------
    function
        Name, as in a `Map`.
    args
        The operands in C.
    taken, given
        Types of the operands and of the result.
    helpers
        Gets what the text calls.
    """
    if function in _INFIX:
        sign, binds = _INFIX[function]
        left, right = args
        return Text(f"{left.within(binds)} {sign} {right.within(binds + 1)}", binds)
    if function == "cast":
        return _cast(args[0], taken[0], given, helpers)
    if function == "neg":
        return Text(f"-{args[0].within(ATOM)}", UNARY)
    if function == "not":
        return Text(f"!{args[0].within(ATOM)}", UNARY)
    if function == "where":
        yes, no = args[1].within(CHOICE + 1), args[2].within(CHOICE + 1)
        return Text(f"{args[0].within(CHOICE + 1)} ? {yes} : {no}", CHOICE)
    if function in _LIBM:
        name = _LIBM[function] + ("f" if given == FLOAT else "")
    else:
        name = helpers.name(function, taken[0])
    return Text(f"{name}({', '.join(one.code for one in args)})", ATOM)


def _cast(value: Text, taken: DType, given: DType, helpers: Helpers) -> Text:
    if taken == given:
        return value
    if taken == HALF:
        value = Text(f"{helpers.name('half', taken)}({value.code})", ATOM)
        return value if given == FLOAT else _cast(value, FLOAT, given, helpers)
    if given == BOOL:
        return Text(f"{value.within(EQUALITY + 1)} != 0", EQUALITY)
    if taken.kind == "f" and given.kind in "iu":
        value = Text(f"{helpers.name('whole', taken)}({value.code})", ATOM)
        if given.itemsize == 8:
            return value
    return Text(f"({c_type(given)}){value.within(UNARY)}", UNARY)
