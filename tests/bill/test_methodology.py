"""An auditor's recalculation: every figure of a bill from nothing but the page.

The page's formulas are evaluated here as they stand there; no code of the bill takes part in it.
"""

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from frugal_ai.bill.basis import UNCERTAIN, Work
from frugal_ai.bill.bill import Bill, Figures, make_bill
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.model import Model
from frugal_ai.cost.factors import Factors, load_factors

PAGE = (Path(__file__).parents[2] / "docs" / "methodology.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("\n## 10. One bill by hand") :]
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
Names = dict[str, float]


def calculate(formula: str, names: Names) -> float:
    """Evaluate the four operations, numbers and names; nothing else is a formula."""

    def value(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.Name):
            return names[node.id]
        assert isinstance(node, ast.Constant)
        assert isinstance(node.value, int | float)
        return node.value

    return value(ast.parse(formula, mode="eval").body)


def table(head: str) -> list[list[str]]:
    """Return the cells of the table with this head."""
    body = SECTION[SECTION.index(f"\n| {head} |") :].splitlines()[3:]
    rows = []
    for line in body:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split(" | ")])
    return rows


@dataclass(frozen=True)
class Page:
    """What the page says."""

    inputs: Names
    sources: dict[str, str]
    formulas: dict[str, tuple[str, str, str]]
    printed: dict[str, tuple[float, float, float]]

    def lines(self, changed: Names) -> dict[str, tuple[float, float, float]]:
        found = {}
        for name, (kwh, grams, eur) in self.formulas.items():
            names = self.inputs | changed
            energy = calculate(kwh, names)
            names = names | {"kwh": energy}
            found[name] = (energy, calculate(grams, names), calculate(eur, names))
        return found


@pytest.fixture(scope="module")
def page() -> Page:
    inputs: Names = {}
    sources = {}
    for name, value, _, source in table("input | value | unit | where from"):
        inputs[name] = calculate(value, inputs)
        sources[name] = source
    formulas, printed = {}, {}
    for name, *cells in table("line | kWh | value | gCO2e | value | EUR | value"):
        if name != "whole":
            formulas[name] = (cells[0], cells[2], cells[4])
        printed[name] = (float(cells[1]), float(cells[3]), float(cells[5]))
    return Page(inputs, sources, formulas, printed)


@pytest.fixture(scope="module")
def bill(page: Page) -> Bill:
    text = re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    assert text
    known = page.inputs
    again = Work(known["again_j"] / 3.6e6, known["again_h"])
    model = Model(
        name="ridge",
        run={"data": Work(known["data_j"] / 3.6e6, known["data_h"]),
             "training": Work(known["training_j"] / 3.6e6, known["training_h"])},
        retraining=again, cpu_s=known["cpu_s"], bundle_bytes=int(known["bundle"]),
        country="FRA", pue=known["run_pue"], power_spread=2.5, repeat_std=0.05,
    )  # fmt: skip
    return make_bill(Fleet.model_validate(yaml.safe_load(text[1])), model, load_factors())


def figures(one: Figures) -> tuple[float, float, float]:
    assert one.eur is not None
    return (one.kwh, one.gco2e, one.eur)


def test_factors_on_the_page_are_those_of_the_table(page: Page, factors: Factors) -> None:
    found = {
        name: re.fullmatch(r"`?(\w+)` ([A-Z]{3})", text) for name, text in page.sources.items()
    }
    checked = {name: match for name, match in found.items() if match}
    assert len(checked) == 12
    for name, match in checked.items():
        assert page.inputs[name] == factors.get(match[1], match[2]).value


def test_every_printed_line_follows_from_its_formula(page: Page) -> None:
    lines = page.lines({})
    for name, values in lines.items():
        assert values == pytest.approx(page.printed[name], rel=5e-4), name
    whole = tuple(math.fsum(line[at] for line in lines.values()) for at in range(3))
    assert whole == pytest.approx(page.printed["whole"], rel=5e-4)


def test_every_line_of_the_bill_is_that_of_the_page(page: Page, bill: Bill) -> None:
    lines = page.lines({})
    ours = {f"{one.stage}: {one.what}": figures(one.figures) for one in bill.lines}
    assert ours.keys() == lines.keys()
    for name, values in lines.items():
        assert ours[name] == pytest.approx(values, rel=1e-9), name


def ends_of(page: Page) -> dict[str, list[tuple[Names, Names]]]:
    found: dict[str, list[tuple[Names, Names]]] = {kind: [] for kind in UNCERTAIN}
    for name, low, high, kind, _ in table("input | low | high | kind | why"):
        found[kind].append(({name: calculate(low, {})}, {name: calculate(high, {})}))
    return found


def quadrature(values: Callable[[Names], float], ends: list[tuple[Names, Names]]) -> list[float]:
    base, down, up = values({}), 0.0, 0.0
    for low, high in ends:
        differences = (values(low) - base, values(high) - base)
        down += min(0.0, *differences) ** 2
        up += max(0.0, *differences) ** 2
    return [base - math.sqrt(down), base + math.sqrt(up)]


def ranges(one: Figures, at: int, kind: str) -> list[float]:
    assert one.eur_ranges is not None
    kinds = (one.kwh_ranges, one.gco2e_ranges, one.eur_ranges)[at]
    found = {str(name): ends for name, ends in kinds.items()}[kind]
    return [found.low, found.high]


def test_every_range_of_the_bill_follows_from_the_page(page: Page, bill: Bill) -> None:
    """The page gives the ends of repeatability with five digits, hence the tolerance."""
    ends = ends_of(page)
    parts = {f"{one.stage}: {one.what}": one.figures for one in bill.lines} | {"whole": bill.whole}
    for name, ours in parts.items():
        for at in range(3):

            def values(changed: Names, name: str = name, at: int = at) -> float:
                lines = page.lines(changed)
                chosen = lines.values() if name == "whole" else [lines[name]]
                return math.fsum(line[at] for line in chosen)

            for kind in UNCERTAIN:
                expected = quadrature(values, ends[kind])
                assert ranges(ours, at, kind) == pytest.approx(expected, rel=2e-5, abs=1e-12)


def test_ranges_of_the_whole_are_printed(page: Page, bill: Bill) -> None:
    for kind, *cells in table("whole | kWh | gCO2e | EUR"):
        for at, cell in enumerate(cells):
            printed = [float(end) for end in cell.split(" to ")]
            assert ranges(bill.whole, at, kind) == pytest.approx(printed, rel=1e-5)
    assert len(table("whole | kWh | gCO2e | EUR")) == len(UNCERTAIN)


def test_terms_of_the_score(bill: Bill) -> None:
    printed = {row[0]: float(row[2]) for row in table("term | formula | value")}
    score = bill.sci
    ours = {
        "E [kWh]": score.e_kwh,
        "M [gCO2e]": score.m_g,
        "of it gateways": score.gateways[0].m_g,
        "N [gCO2e]": score.n_g,
        "I [g/kWh]": score.i_g_per_kwh,
        "R": score.r,
        "SCI [gCO2e]": score.score_g,
    }
    assert ours == pytest.approx(printed, rel=5e-4)
    assert (score.e_kwh * score.i_g_per_kwh + score.n_g + score.m_g) / score.r == pytest.approx(
        score.score_g
    )


def test_stages_are_the_sums_of_their_lines(page: Page, bill: Bill) -> None:
    lines = page.lines({})
    for stage, ours in bill.stages.items():
        mine = [values for name, values in lines.items() if name.startswith(f"{stage}:")]
        expected = tuple(math.fsum(line[at] for line in mine) for at in range(3))
        assert figures(ours) == pytest.approx(expected, rel=1e-9)
