"""What a source is asked for, and what it must offer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from frugal_ai.data.panel import Panel
from frugal_ai.data.policy import QualityPolicy

MAIN = "data"
"""Name of a source's main file among the replacements."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a pipeline asks of a source.

    Attributes
    ----------
    series
        Series wanted, in this order; empty for all there are.
    step_s
        Length of an interval [s].
    known, past, static
        Covariates wanted, each in its role.
    tell
        Is called with one sentence for each thing that was done to the data.
    policy
        What is done about rows that are not as they should be.
    base
        Folder that paths in the settings of a source are relative to.
    replacements
        Files that take the place of the settings' own, by name; ``""`` and ``data`` name the main
        one.
    since, until
        Rows before `since` and from `until` on [unix s] are not looked at; None for no limit.
    """

    series: tuple[str, ...]
    step_s: int
    tell: Callable[[str], None]
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    policy: QualityPolicy = field(default_factory=QualityPolicy)
    base: Path = field(default_factory=Path)
    replacements: Mapping[str, Path] = field(default_factory=dict)
    since: int | None = None
    until: int | None = None

    @property
    def main(self) -> Path | None:
        """The file that takes the place of the main one, if any."""
        return self.replacements.get(MAIN, self.replacements.get(""))


class SourceLike(Protocol):
    """Settings that can deliver a panel: class ``Source`` of a module in ``data/sources``."""

    @property
    def name(self) -> str:
        """The name of the module."""
        ...

    def load(self, request: Request) -> Panel:
        """Deliver the series and covariates that are asked for.

        Raises
        ------
        DataError
            If the data cannot be read or break the policy.
        PipelineError
            If something is asked for that the source cannot give.
        """
        ...


def listed(names: Iterable[object], limit: int = 12) -> str:
    """Write names in a message, the first few of them when there are many."""
    all_names = [str(name) for name in names]
    shown = ", ".join(all_names[:limit]) or "none"
    return f"{shown}, and {len(all_names) - limit} more" if len(all_names) > limit else shown
