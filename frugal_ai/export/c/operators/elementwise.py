"""Operators that treat each element alone."""

from functools import partial, reduce

import numpy as np
import onnx

from frugal_ai.export.c.operators.call import Call, Operator
from frugal_ai.export.c.operators.waves import sine
from frugal_ai.export.c.scalar import BOOL, DOUBLE, FLOAT, HALF
from frugal_ai.export.c.tensor import Joined, Tensor, mapped, number

_REAL = (FLOAT, DOUBLE)
_ARITHMETIC = {"Add": "add", "Mul": "mul", "Sub": "sub"}
_COMPARISON = {
    "Equal": "equal", "Greater": "greater", "GreaterOrEqual": "greater_or_equal", "Less": "less",
    "LessOrEqual": "less_or_equal",
}  # fmt: skip
_LOGIC = {"And": "and", "Or": "or", "Xor": "differ"}
_OF_REALS = {
    "Acos": "acos", "Asin": "asin", "Atan": "atan", "Ceil": "ceil", "Cos": "cos", "Erf": "erf",
    "Exp": "exp", "Floor": "floor", "Log": "log", "Round": "round", "Sqrt": "sqrt",
    "Tan": "tan", "Tanh": "tanh",
}  # fmt: skip
_OF_NUMBERS = {"Abs": "abs", "Neg": "neg", "Relu": "relu", "Sign": "sign"}


def _arithmetic(call: Call, function: str) -> list[Tensor]:
    left, right = call.tensor(0), call.tensor(1)
    return [mapped(function, call.require(left.dtype), left, right)]


def _compared(call: Call, function: str) -> list[Tensor]:
    left, right = call.tensor(0), call.tensor(1)
    call.require(left.dtype, (*_REAL, *_WHOLE_OR_TRUTH))
    return [mapped(function, BOOL, left, right)]


_WHOLE_OR_TRUTH = (np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.uint8), BOOL)


def _logic(call: Call, function: str) -> list[Tensor]:
    return [mapped(function, BOOL, call.tensor(0), call.tensor(1))]


def _of_reals(call: Call, function: str) -> list[Tensor]:
    value = call.tensor()
    return [mapped(function, call.require(value.dtype, _REAL), value)]


def _of_numbers(call: Call, function: str) -> list[Tensor]:
    value = call.tensor()
    return [mapped(function, call.require(value.dtype), value)]


def _divide(call: Call) -> list[Tensor]:
    if call.tensor().dtype.kind == "i":
        _require_divisor(call)
    return _arithmetic(call, "div")


def _mod(call: Call) -> list[Tensor]:
    left, right = call.tensor(0), call.tensor(1)
    if left.dtype.kind == "f":
        if not call.attribute("fmod", 0):
            call.refuse("expected fmod=1 for real numbers")
        return [mapped("remainder", call.require(left.dtype, _REAL), left, right)]
    _require_divisor(call)
    if not call.attribute("fmod", 0):
        return _arithmetic(call, "mod")
    whole = mapped("div", call.require(left.dtype), left, right)
    return [mapped("sub", left.dtype, left, mapped("mul", left.dtype, whole, right))]


def _require_divisor(call: Call) -> None:
    if not call.constant(1, "a divisor of whole numbers").all():
        call.refuse("expected no divisor 0")


def _pow(call: Call) -> list[Tensor]:
    base, exponent = call.tensor(0), call.tensor(1)
    dtype = call.require(base.dtype, _REAL)
    return [mapped("pow", dtype, base, _as(exponent, base))]


def _as(value: Tensor, like: Tensor) -> Tensor:
    return value if value.dtype == like.dtype else mapped("cast", like.dtype, value)


def _extreme(call: Call, function: str) -> list[Tensor]:
    values = [one for one in call.tensors if one is not None]
    dtype = call.require(values[0].dtype)
    return [reduce(lambda left, right: mapped(function, dtype, left, right), values)]


def _clip(call: Call) -> list[Tensor]:
    value = call.tensor()
    call.require(value.dtype)
    for place, function in ((1, "max"), (2, "min")):
        bound = call.optional(place)
        known = call.values[place] if bound is not None else None
        if bound is not None and not (known is not None and np.isinf(known)):
            value = mapped(function, value.dtype, value, bound)
    return [value]


def _cast(call: Call) -> list[Tensor]:
    value = call.tensor()
    target = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(call.attribute("to")))
    if target.kind not in "biuf" or target == HALF:
        call.refuse(f"conversion to {target.name} is not supported in C")
    if isinstance(value, Joined):  # each part is converted where it goes
        parts = tuple(mapped("cast", target, part) for part in value.parts)
        return [Joined(target, value.shape, parts, value.axis)]
    return [mapped("cast", target, value)]


def _sin(call: Call) -> list[Tensor]:
    angle = call.tensor()
    call.require(angle.dtype, _REAL)
    return [mapped("sin", angle.dtype, angle) if call.shared.exact else sine(angle)]


def _where(call: Call) -> list[Tensor]:
    yes, no = call.tensor(1), call.tensor(2)
    return [mapped("where", call.require(yes.dtype), call.tensor(0), yes, no)]


def _sigmoid(call: Call) -> list[Tensor]:
    value = call.tensor()
    dtype = call.require(value.dtype, _REAL)
    one = number(1, dtype)
    rest = mapped("add", dtype, one, mapped("exp", dtype, mapped("neg", dtype, value)))
    return [mapped("div", dtype, one, rest)]


def _leaky(call: Call) -> list[Tensor]:
    value = call.tensor()
    dtype = call.require(value.dtype, _REAL)
    slope = number(call.attribute("alpha", 0.01), dtype)
    below = mapped("mul", dtype, slope, mapped("min", dtype, value, number(0, dtype)))
    return [mapped("add", dtype, mapped("relu", dtype, value), below)]


def _reciprocal(call: Call) -> list[Tensor]:
    value = call.tensor()
    dtype = call.require(value.dtype, _REAL)
    return [mapped("div", dtype, number(1, dtype), value)]


OPERATORS: dict[str, Operator] = {
    **{name: partial(_arithmetic, function=f) for name, f in _ARITHMETIC.items()},
    **{name: partial(_compared, function=f) for name, f in _COMPARISON.items()},
    **{name: partial(_logic, function=f) for name, f in _LOGIC.items()},
    **{name: partial(_of_reals, function=f) for name, f in _OF_REALS.items()},
    **{name: partial(_of_numbers, function=f) for name, f in _OF_NUMBERS.items()},
    "Cast": _cast,
    "Clip": _clip,
    "Div": _divide,
    "LeakyRelu": _leaky,
    "Max": partial(_extreme, function="max"),
    "Min": partial(_extreme, function="min"),
    "Mod": _mod,
    "Not": lambda call: [mapped("not", BOOL, call.tensor())],
    "Pow": _pow,
    "Reciprocal": _reciprocal,
    "Sigmoid": _sigmoid,
    "Sin": _sin,
    "Where": _where,
}
