"""The tasks that are compressed, and the environments of what they are held against."""

import re
from pathlib import Path

import pytest
import yaml

from benchmarks.edge.tools import TOOLS
from benchmarks.edge.variants import TREES, VARIANTS, Variant
from benchmarks.peers.systems import Library
from frugal_ai.pipeline import parse_pipeline
from frugal_ai.recipes.ladder import default_ladder

_ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==\S+", re.MULTILINE)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_has_one_rung_that_is_not_naive(variant: Variant) -> None:
    pipeline = parse_pipeline(variant.text(), Path("variant.yaml"))
    *naive, teacher = pipeline.rungs
    assert {rung.family for rung in naive} == {"naive"}
    assert (teacher.family, getattr(teacher, "trees", None)) == (
        "boosting",
        TREES[pipeline.kind],
    )
    assert pipeline.climb == "full"
    assert pipeline.compress is not None
    assert len(pipeline.series) == 1
    ladder = default_ladder(pipeline.kind, several=False)
    settings = [one if isinstance(one, dict) else {"rung": one} for one in ladder]
    expected = next(one for one in settings if one["rung"] == getattr(teacher, "rung", ""))
    assert getattr(teacher, "level", "none") == expected.get("level", "none")


def test_files_of_a_variant_are_found_from_any_folder(tmp_path: Path) -> None:
    source = tmp_path / "tasks" / "toy.yaml"
    source.parent.mkdir()
    declared = {
        "kind": "wind",
        "series": ["a", "b"],
        "source": {"name": "file", "path": "../a.csv", "covariates": [{"path": "b.csv"}]},
    }
    source.write_text(yaml.safe_dump(declared), encoding="utf-8")
    text = yaml.safe_load(Variant(source, ("b",)).text())
    assert text["source"]["path"] == str(tmp_path / "a.csv")
    assert text["source"]["covariates"] == [{"path": str(tmp_path / "tasks" / "b.csv")}]
    assert text["series"] == ["b"]
    assert text["rungs"][-1] == {"rung": "boosting", "level": None, "trees": TREES["wind"]}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_requirement_of_a_tool_is_pinned_with_digests(tool: Library) -> None:
    text = tool.requirements.read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(_ENTRY, entry), entry
        assert "--hash=sha256:" in entry
    assert "://" not in text
    asked = tool.requirements.with_suffix(".in").read_text(encoding="utf-8")
    names = {line.split("#")[0].strip() for line in asked.splitlines()} - {""}
    assert names <= set(re.findall(_ENTRY, text))
