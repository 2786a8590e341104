"""The methodology cites every factor as the table has it."""

import re
from pathlib import Path

from frugal_ai.cost.factors import Factor, load_factors

PAGE = (Path(__file__).parents[2] / "docs" / "methodology.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("\n## 5. Factors") : PAGE.index("\n## 6. ")]


def cited() -> dict[tuple[str, str], tuple[str, ...]]:
    rows = [
        line.strip("| ").split(" | ") for line in SECTION.splitlines() if line.startswith("| `")
    ]
    return {(row[0].strip("`"), row[1]): tuple(row[2:]) for row in rows}


def as_cited(factor: Factor) -> tuple[str, ...]:
    ends = "-" if factor.low is None else f"{factor.low:g}, {factor.high:g}"
    return (f"{factor.value:g} {factor.unit} ({factor.year})", ends, factor.source)


def plain(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Write numbers alike, 0.62 and .62, 3 and 3.0."""
    numbers = re.compile(r"\d+\.?\d*")
    return (*(numbers.sub(lambda n: f"{float(n[0]):g}", cell) for cell in cells[:2]), cells[2])


def test_every_factor_is_on_the_page_as_in_the_table() -> None:
    page = cited()
    rows = load_factors().rows
    others = [row for row in rows if row.key == "grid_intensity" and row.region != "FRA"]
    expected = {(row.key, row.region): plain(as_cited(row)) for row in rows if row not in others}
    assert page.pop(("grid_intensity", f"{len(others)} others"))[-1].startswith("CodeCarbon 3.3.2")
    assert {key: plain(cells) for key, cells in page.items()} == expected
    assert all("CodeCarbon 3.3.2, Our World in Data" in row.source for row in others)
