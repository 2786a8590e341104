"""Sines of the time in single precision, where no tree looks at their last digit."""

import numpy as np
import onnx

from frugal_ai.export.editing import Array, Editing, attributes, make

_WHOLE = 1e-9  # how far a number may be from a whole one, over its size
_LONGEST = 2**26  # [s]; float32 holds seconds of up to two years to two of them


def single_waves(node: onnx.NodeProto, editing: Editing) -> list[onnx.NodeProto] | None:
    """Count whole periods off a time before the sine, which then needs no double precision.

    ``sin(turn * t + phase)`` is the same for ``t`` modulo the longest period, where that is a whole
    number of seconds and all others go into it. Returns the nodes in the place of the cast to float
    that ends such waves, or None.
    """
    if node.op_type != "Cast" or attributes(node)["to"] != onnx.TensorProto.FLOAT:
        return None
    sine = editing.made_by(node.input[0], "Sin")
    total = editing.made_by(sine.input[0], "Add") if sine else None
    angle = editing.made_by(total.input[0], "Mul") if total else None
    seconds = editing.made_by(angle.input[0], "Cast") if angle else None
    turn = editing.constant(angle.input[1]) if angle else None
    phase = editing.constant(total.input[1]) if total else None
    if seconds is None or turn is None or phase is None or turn.dtype != np.float64:
        return None
    period = 2 * np.pi / np.abs(turn).min()
    times = turn * period / (2 * np.pi)
    whole = all(_is_whole(value) for value in (period, *np.ravel(times)))
    if not whole or period > _LONGEST or not _is_time(seconds.input[0], editing):
        return None
    names = [editing.fresh() for _ in range(4)]
    length = editing.add_constant(np.array(round(period), np.int64))
    return [
        make("Mod", [seconds.input[0], length], names[0]),
        make("Cast", [names[0]], names[1], to=onnx.TensorProto.FLOAT),
        make("Mul", [names[1], editing.add_constant(turn.astype(np.float32))], names[2]),
        make("Add", [names[2], editing.add_constant(_within_a_turn(phase))], names[3]),
        make("Sin", [names[3]], node.output[0]),
    ]


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) <= _WHOLE * abs(value)


def _is_time(name: str, editing: Editing) -> bool:
    return editing.types.get(name) == onnx.TensorProto.INT64


def _within_a_turn(phase: Array) -> Array:
    return np.asarray(phase % (2 * np.pi), np.float32)
