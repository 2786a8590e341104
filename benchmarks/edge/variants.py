"""The tasks as pipelines whose only rung beyond the naive ones is a teacher of many trees."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.peers.environments import ROOT

TREES = {"load": 1000, "pv": 500, "wind": 500}  # of a teacher, by kind
_NAIVE = [{"rung": "seasonal_naive", "season": season} for season in ("1d", "7d")]


@dataclass(frozen=True)
class Variant:
    """A pipeline file, and which of its series are taken; none for all."""

    source: Path
    series: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.source.stem

    def text(self) -> str:
        """Write the variant's own pipeline, which may stand in any folder."""
        declared = yaml.safe_load(self.source.read_text(encoding="utf-8"))
        declared |= {
            "rungs": [*_NAIVE, teacher_of(declared["kind"])],
            "climb": "full",
            "cost": {"country": "FRA"},
            "source": _absolute(declared["source"], self.source.parent),
        }
        if self.series:
            declared["series"] = list(self.series)
        text: str = yaml.safe_dump(declared, sort_keys=False)
        return text


VARIANTS = (
    Variant(ROOT / "benchmarks" / "tasks" / "T1.yaml"),
    Variant(ROOT / "benchmarks" / "tasks" / "T2.yaml"),
    Variant(ROOT / "pipelines" / "load.yaml"),
    Variant(ROOT / "benchmarks" / "tasks" / "T6.yaml"),
    Variant(ROOT / "pipelines" / "pv.yaml"),
    Variant(ROOT / "benchmarks" / "tasks" / "T5.yaml", ("zone_01",)),
    Variant(ROOT / "pipelines" / "wind.yaml"),
)


def teacher_of(kind: str) -> dict[str, Any]:
    """Return the rung with many trees that compression starts from.

    As in the ladder of its kind: trees on what a linear model leaves for load, which grows without
    bounds, and trees alone for production.
    """
    if kind == "load":
        return {"rung": "residual_boosting", "trees": TREES[kind]}
    return {"rung": "boosting", "level": None, "trees": TREES[kind]}


def _absolute(source: Any, base: Path) -> Any:
    """Let the files of a source be found from another folder."""
    if isinstance(source, dict):
        return {
            key: str((base / value).resolve()) if key == "path" else _absolute(value, base)
            for key, value in source.items()
        }
    return [_absolute(one, base) for one in source] if isinstance(source, list) else source
