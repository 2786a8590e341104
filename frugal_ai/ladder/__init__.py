"""Rungs of the ladder; each public module of this package holds one and is found by its name."""

import importlib
import pkgutil
from typing import Any

from frugal_ai.errors import PipelineError
from frugal_ai.ladder.rung import Rung

_CONTRACT = "rung"


def names() -> tuple[str, ...]:
    """List the rungs there are."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(n for n in found if n != _CONTRACT and not n.startswith("_")))


def kind(name: str) -> type[Rung]:
    """Find a rung by its name.

    Raises
    ------
    PipelineError
        If there is no such rung.
    """
    if name not in names():
        raise PipelineError(f"rung: expected one of {', '.join(names())}, got {name!r}")
    found: type[Rung] = importlib.import_module(f"{__name__}.{name}").RUNG
    return found


def make(settings: Any) -> Rung:
    """Make a rung from its name, or from a mapping with the key ``rung`` and its settings.

    Raises
    ------
    PipelineError
        If there is no such rung.
    pydantic.ValidationError
        If a setting is not valid.
    """
    if isinstance(settings, Rung):
        return settings
    if isinstance(settings, str):
        settings = {"rung": settings}
    if not isinstance(settings, dict) or not isinstance(settings.get("rung"), str):
        raise PipelineError(
            f"rung: expected a name or a mapping with the key rung, got {settings!r}"
        )
    return kind(settings["rung"]).model_validate(settings)
