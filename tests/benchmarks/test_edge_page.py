"""The section says what was measured, what was reached and what was not shipped."""

from dataclasses import replace

from benchmarks.edge.cold import Cold
from benchmarks.edge.nodes import Nodes
from benchmarks.edge.page import Section
from benchmarks.edge.result import Failed, Result
from benchmarks.edge.speed import LIGHTGBM, ONNXMLTOOLS, SHIPPED, TEACHER, C, Row, Speed
from benchmarks.edge.timing import Warm
from frugal_ai.cost.hardware import Host
from frugal_ai.report.compression import CandidateReport, CompressionReport, Verdict

HOST = Host(cpu="Some CPU", threads=2, ram_gb=8.2, os="Linux", python="3.11.7")


def candidate(
    kind: str, size: int, verdict: Verdict, kept: float = 1.0, misses: tuple[str, ...] = ()
) -> CandidateReport:
    return CandidateReport(
        kind=kind, parameters=10, tree_nodes=0, bytes=size, latency_us=size / 1000, cpu_us=3,
        energy_mwh_per_1000=0.1, co2e_g_per_1000=1e-5, retained=kept, retained_least=kept,
        retained_ci=(kept - 0.01, kept + 0.01), retained_quantiles=1.001, parity=2e-7, co2e_g=1e-4,
        verdict=verdict, misses=misses,
    )  # fmt: skip


COMPRESSION = CompressionReport(
    original="residual_boosting",
    keep=0.99,
    keep_each=0.97,
    shipped="mlp_8",
    reason="the smallest of 3",
    co2e_g=5e-4,
    cpu_s=9.5,
    pays_after=38_000,
    candidates=(
        candidate("original", 400_000, "passes"),
        candidate("mlp_8", 12_000, "shipped", 1.012),
        candidate("mlp_8 int8", 15_000, "passes"),
        candidate("fp32 copy", 400_000, "passes"),
        candidate("trees_100", 30_000, "fails", 0.8, ("keeps 80.00% of the skill",)),
    ),
)


def result(name: str = "T1", kind: str = "load") -> Result:
    cold = Cold(120, 100, 57)
    rows = (
        Row(SHIPPED, 12_000, Warm(40, 39, 1), cold),
        Row(TEACHER, 400_000, Warm(400, 390, 10.0), cold),
        Row(LIGHTGBM, 900_000, Warm(1400, 1390, 35.0), cold, 2e-4),
        Row(C, 30_000, Warm(9, 8.9, 0.22), Cold(1, 0.5, 2), 1e-7),
        Row(ONNXMLTOOLS, failed="onnxmltools: no wheel"),
    )
    nodes = Nodes(400_000, 20_000, 15_000, 15_500)
    return Result(name, "Small pipeline", kind, COMPRESSION, nodes, Speed(rows, (), 3492))


def text(*results: Result, failed: tuple[Failed, ...] = ()) -> str:
    return Section(results, failed, HOST, ("gcc 12",), "make benchmark-edge").text()


def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table after a heading."""
    lines = page.split(f"# {heading}\n", 1)[1].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert len({len(cells) for cells in rows}) == 1
    return rows


def test_targets_say_what_was_reached_and_where_not() -> None:
    one = result()
    slow = replace(one.speed.rows[0], warm=Warm(80, 79, 1))
    other = replace(one, name="T2", speed=replace(one.speed, rows=(slow, *one.speed.rows[1:])))
    wind = result("wind", "wind")
    rows = {cells[0]: cells[1:] for cells in table(text(one, other, wind), "Targets")}
    assert rows["load: skill kept, median of a task's series, %"] == [
        "≥ 99 %", "T1 101, T2 101", "yes",
    ]  # fmt: skip
    assert rows["load: bytes, teacher over shipped"][1:] == ["T1 33.3x, T2 33.3x", "yes"]
    assert rows["production: bytes, teacher over shipped"][1:] == ["wind 33.3x", "yes"]
    late = "warm latency, LightGBM with Python features over shipped"
    assert rows[f"load: {late}"][1:] == ["T1 35.0x, T2 35.0x", "no"]
    assert rows[f"production: {late}"][1:] == ["wind 35.0x", "yes"]
    assert rows["load: a forecast of 48 steps, warm, µs"][1:] == ["T1 40.0, T2 80.0", "not by T2"]
    assert rows["load: C, 48 steps, µs"][2] == "yes"
    nodes = rows["bytes of a tree's node (split or leaf) in the teacher's graph"]
    assert nodes[1:] == ["T1 12.5, T2 12.5, wind 12.5", "no"]
    assert rows["production: skill kept, median of the tasks"][1:] == ["101 %", "yes"]


def test_what_was_not_measured_is_not_reached() -> None:
    one = result()
    rows = tuple(row for row in one.speed.rows if row.key != C)
    bare = replace(one, nodes=None, speed=replace(one.speed, rows=(*rows, Row(C, failed="no gcc"))))
    page = text(bare)
    found = {cells[0]: cells[1:] for cells in table(page, "Targets")}
    assert found["load: C, 48 steps, µs"][1:] == ["T1 -", "no"]
    assert found["load: C, functions of the heap that are called"][1:] == ["T1 -", "no"]
    assert "- **mlp_8**, C: no gcc" in page


def test_a_contender_without_figures_is_named_with_the_reason() -> None:
    page = text(result())
    rows = table(page, "T1: Small pipeline")
    assert [cells[0] for cells in rows[2:]] == [
        "**mlp_8**, one graph", "teacher, one graph", "LightGBM, features in numpy", "**mlp_8**, C",
    ]  # fmt: skip
    assert rows[2][1:] == ["12,000", "40.0", "1.00", "39,000", "120", "100", "57.0", "-"]
    assert rows[4][-1] == "2e-04"
    assert "- onnxmltools, features in numpy: onnxmltools: no wheel" in page
    assert "C: 3,492 bytes of buffers, no function of the heap." in page


def test_everything_that_is_not_shipped_has_a_reason() -> None:
    rows = table(text(result()), "Tried, and not shipped")[2:]
    assert [(cells[0], cells[-1]) for cells in rows] == [
        ("fp32 copy", "passes, and is no smaller than the teacher"),
        ("mlp_8 int8", "passes, with 3,000 bytes more than mlp_8"),
        ("trees_100", "keeps 80.00% of the skill"),
    ]
    assert [cells[2] for cells in rows] == ["1.00", "0.0375", "0.0750"]


def test_the_shipped_model_stands_against_its_teacher() -> None:
    _, _, cells = table(text(result()), "Shipped, against its teacher")
    assert cells == [
        "T1", "residual_boosting", "mlp_8", "400,000 → 12,000", "33.3", "10.0",
        "101 [100, 102]", "100", "9.50", "500", "38,000",
    ]  # fmt: skip


def test_a_task_that_failed_is_told() -> None:
    page = text(result(), failed=(Failed("T5", "expected data, got none"),))
    assert "Without figures:\n\n- T5: expected data, got none" in page
    assert len(table(page, "Every candidate")) == 2 + len(COMPRESSION.candidates)
