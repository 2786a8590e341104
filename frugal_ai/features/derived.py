"""Signals that the graph computes from known covariates, to be read as if they were known."""

from abc import ABC, abstractmethod
from typing import Annotated, Literal

import numpy as np
import spox.opset.ai.onnx.v17 as op
from pydantic import Field
from spox import Var

from frugal_ai.features.frame import const
from frugal_ai.settings import Settings

_GAS_CONSTANT = 287.05  # of dry air [J/(kg K)]
_DENSITY = 1.225  # of the standard atmosphere at sea level [kg/m3]
_ZERO_CELSIUS = 273.15  # [K]
_CALM = 1e-3  # [m/s]; below that the wind has no direction


class Derived(Settings, ABC):
    """A signal made of known covariates, instant by instant."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Names of the known covariates that it reads."""

    @abstractmethod
    def build(self, values: tuple[Var, ...]) -> Var:
        """Compute the signal from its inputs, float32 of their shape."""


class Speed(Derived):
    """Wind speed from its components to the east, ``u``, and to the north, ``v``."""

    signal: Literal["speed"]
    u: str
    v: str

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.u, self.v)

    def build(self, values: tuple[Var, ...]) -> Var:
        return _speed(*values)


class Direction(Derived):
    """Sine or cosine of the direction that the wind blows to, 0 for north, clockwise.

    ``turns`` is how often it goes round in a full turn: 2 tells a valley's axis, whatever the
    sense.
    """

    signal: Literal["direction"]
    u: str
    v: str
    wave: Literal["sin", "cos"]
    turns: Annotated[int, Field(ge=1, le=2)] = 1

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.u, self.v)

    def build(self, values: tuple[Var, ...]) -> Var:
        u, v = values
        speed = op.max([_speed(u, v), const(_CALM, np.float32)])
        sine, cosine = op.div(u, speed), op.div(v, speed)
        if self.turns == 1:
            return sine if self.wave == "sin" else cosine
        if self.wave == "sin":
            return op.mul(const(2.0, np.float32), op.mul(sine, cosine))
        return op.sub(op.mul(cosine, cosine), op.mul(sine, sine))


class DenseSpeed(Derived):
    """The wind speed that would carry as much power in air of standard density.

    v (rho / 1.225)^(1/3) with rho = p / (287.05 T): the normalization of IEC 61400-12-1 for
    turbines with pitch control. ``temperature`` [degC], ``pressure`` [hPa].
    """

    signal: Literal["dense_speed"]
    speed: str
    temperature: str
    pressure: str

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.speed, self.temperature, self.pressure)

    def build(self, values: tuple[Var, ...]) -> Var:
        speed, temperature, pressure = values
        kelvin = op.add(temperature, const(_ZERO_CELSIUS, np.float32))
        standard = const(100 / (_GAS_CONSTANT * _DENSITY), np.float32)
        relative = op.div(op.mul(pressure, standard), kelvin)
        return op.mul(speed, op.pow(relative, const(1 / 3, np.float32)))


def _speed(u: Var, v: Var) -> Var:
    return op.sqrt(op.add(op.mul(u, u), op.mul(v, v)))


AnyDerived = Annotated[Speed | Direction | DenseSpeed, Field(discriminator="signal")]
