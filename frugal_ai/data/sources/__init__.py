"""Sources of data; each module of this folder is one, found by its name."""

import ast
import importlib
import pkgutil
from collections.abc import Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import Any, cast

from pydantic import ValidationError

from frugal_ai.data.source import MAIN, Request, SourceLike
from frugal_ai.errors import PipelineError

__all__ = ["MAIN", "Request", "SourceLike", "make", "make_table", "names"]


def names() -> list[tuple[str, str]]:
    """List the sources there are, each with one line that says what it delivers."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [(name, _summary(name)) for name in modules if not name.startswith("_")]


def _summary(name: str) -> str:
    """Read the first line of a module's docstring without importing what it imports."""
    spec = find_spec(f"{__name__}.{name}")
    source = getattr(spec.loader, "get_source", None) if spec else None
    text = source(f"{__name__}.{name}") if source else ""
    return (ast.get_docstring(ast.parse(text or "")) or "").partition("\n")[0]


def make(config: Mapping[str, Any]) -> SourceLike:
    """Build a source from its settings.

    Parameters
    ----------
    config
        ``name`` of the source and its own settings, as in a pipeline.

    Raises
    ------
    PipelineError
        If there is no such source, or a setting is not valid.
    """
    module = _module("source.name", config.get("name"))
    try:
        return cast(SourceLike, module.Source.model_validate(dict(config)))
    except ValidationError as error:
        raise PipelineError("; ".join(_problem(found) for found in error.errors())) from None


def make_table(config: Mapping[str, Any]) -> Any:
    """Build a table of covariates that comes from another source, class ``Table`` of its module.

    Parameters
    ----------
    config
        ``source`` of the table and its own settings.

    Raises
    ------
    PipelineError
        If there is no such source, or it has no such table.
    ValidationError
        If a setting is not valid.
    """
    module = _module("source", config["source"])
    kind = getattr(module, "Table", None)
    if kind is None:
        raise PipelineError(f"source: expected a source of covariates, got {config['source']!r}")
    return kind.model_validate(dict(config))


def _module(key: str, name: Any) -> ModuleType:
    known = [found for found, _ in names()]
    if name not in known:
        raise PipelineError(f"{key}: expected one of {', '.join(known)}, got {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def _problem(found: Mapping[str, Any]) -> str:
    """Say which setting is wrong: key, expected, given."""
    key = ".".join(["source", *map(str, found["loc"])])
    given = "" if found["type"] == "missing" else f", got {found['input']!r}"
    if found["type"] == "extra_forbidden":
        return f"{key}: expected no such key{given}"
    return f"{key}: {found['msg']}{given}"
