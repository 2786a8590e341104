"""The section that the benchmark writes: targets, what is shipped, candidates, speed, trees."""

from dataclasses import dataclass

from benchmarks.edge import targets
from benchmarks.edge.result import Failed, Result
from benchmarks.edge.speed import LIGHTGBM, ONNXMLTOOLS, SHIPPED, TEACHER, TREES_ALONE, C, Row
from benchmarks.edge.tools import TOOLS
from benchmarks.edge.variants import TREES
from benchmarks.markdown import fill, item, table
from frugal_ai.cost.hardware import Host
from frugal_ai.leaderboard.figures import figure, percent
from frugal_ai.report.compression import CandidateReport

_SHIPPED = (
    "task", "teacher", "shipped", "bytes", "bytes ratio", "latency ratio", "skill kept % [95 % CI]",
    "pinball gain kept %", "compressing CPU-s", "compressing µgCO2e", "pays after, forecasts",
)  # fmt: skip
_CANDIDATES = (
    "candidate", "parameters", "tree nodes", "bytes", "µs", "CPU µs", "mWh per 1,000",
    "skill kept % [95 % CI]", "least %", "pinball gain kept %", "parity", "RSS MB",
    "cold start CPU-ms", "verdict",
)  # fmt: skip
_SPEED = (
    "contender", "bytes", "µs", "over the first", "CPU ns", "cold start ms", "cold start CPU-ms",
    "RSS MB", "difference",
)  # fmt: skip
_NODES = ("task", "teacher's graph", "without trees", "splits", "leaves", "bytes per node",
          "bytes per split")  # fmt: skip
_TRIED = ("candidate", "task", "bytes, of the teacher's", "µs, of the teacher's", "skill kept %",
          "pinball gain kept %", "why not")  # fmt: skip
_LABELS = {
    SHIPPED: "**{kind}**, one graph",
    TEACHER: "teacher, one graph",
    LIGHTGBM: "LightGBM, features in numpy",
    TREES_ALONE: "LightGBM alone",
    ONNXMLTOOLS: "onnxmltools, features in numpy",
    C: "**{kind}**, C",
}


@dataclass(frozen=True)
class Section:
    """What the section needs.

    ``versions`` names the libraries and compilers in use.
    """

    results: tuple[Result, ...]
    failed: tuple[Failed, ...]
    host: Host
    versions: tuple[str, ...]
    command: str

    def text(self) -> str:
        """Write the section as Markdown."""
        parts = [
            "# Compressed models on the edge",
            fill(
                f"`{self.command}` writes this part. On each task a teacher of many trees is"
                f" the only rung beside the seasonal naives: {TREES['load']:,} trees on the"
                f" residuals of a basis ridge for load, {TREES['pv']} trees alone for production."
                " `frugal-ai run` compresses it. What is shipped is then timed on one thread beside"
                " its teacher, C, and the teacher's trees in LightGBM and as onnxmltools converts"
                " them. The tasks are in `benchmarks/tasks`, of T5 the first farm; load, pv and"
                " wind are the simulated feeder of `pipelines`."
            ),
            fill(
                f"Machine: {self.host.cpu}, {self.host.threads} threads, {self.host.os}."
                f" {', '.join(self.versions)}. Times depend on the machine and on what else it"
                " does; ratios of one run do less."
            ),
            *self._targets(),
            *self._shipped(),
            *self._speed(),
            *self._nodes(),
            *self._candidates(),
            *self._tried(),
        ]
        if self.failed:
            lines = [f"- {one.name}: {one.why}" for one in self.failed]
            parts.append("Without figures:\n\n" + "\n".join(lines))
        return "\n\n".join(parts) + "\n"

    def _targets(self) -> list[str]:
        return [
            "## Targets",
            fill(
                "Bytes, skill and the cost of compressing are those of the run's report; times and"
                " memory those of the tables of speed below. The gates look at the test origins,"
                " so the skill that is kept is of the candidate that was chosen by it."
            ),
            table(targets.COLUMNS, targets.rows(self.results)),
        ]

    def _shipped(self) -> list[str]:
        return [
            "## Shipped, against its teacher",
            fill(
                "Ratios are the teacher's figure over that of the shipped model. Compressing pays"
                " after so many forecasts: what it took, over what each forecast saves."
            ),
            table(_SHIPPED, [_shipped_row(one) for one in self.results]),
        ]

    def _speed(self) -> list[str]:
        parts = [
            "## Speed of what is shipped",
            fill(
                "A forecast from one origin, warm: blocks of the contenders in turn, medians;"
                " origins of the test period in turn. A graph has its features and quantiles"
                " inside, and is run as on a gateway, copies of inputs and outputs included."
                " Features in numpy are those of the same recipe, written for one origin"
                " with all that does not depend on it prepared once; LightGBM has the teacher's"
                " trees and nothing beside them: no ridge, no quantiles, no limits. LightGBM alone"
                " is its `predict` on features that are there, on one thread. C is compiled with"
                " `gcc -O3`, features included, and called in a loop of C; its bytes are code and"
                " constants. A cold start is from the start of a process to its first forecast,"
                " imports included, with bytecode as installed and the garbage collector at rest,"
                " of LightGBM in an environment with nothing else. The difference is the largest"
                " one over the mean of the series: of C from the graph, of LightGBM on features in"
                " numpy from the same on the graph's, of onnxmltools from LightGBM on the same"
                " features."
            ),
            "\n".join(item(f"**{one.name}**: {one.configured}") for one in TOOLS),
        ]
        for one in self.results:
            parts += [
                f"### {one.name}: {one.title}",
                table(_SPEED, [_speed_row(one, r) for r in _timed(one)]),
            ]
            failed = [
                f"- {_label(one, row.key)}: {row.failed}" for row in one.speed.rows if row.failed
            ]
            if failed:
                parts.append("Without figures:\n\n" + "\n".join(failed))
            if one.speed.ram_bytes is not None:
                heap = ", ".join(one.speed.heap) or "no function of the heap"
                parts.append(f"C: {one.speed.ram_bytes:,} bytes of buffers, {heap}.")
        return parts

    def _nodes(self) -> list[str]:
        return [
            "## Bytes of a tree's node",
            fill(
                "The teacher's graph without its trees has all the rest: features, quantiles, and"
                " the ridge of load. A node is a split or a leaf."
            ),
            table(
                _NODES,
                [
                    (
                        one.name,
                        f"{one.nodes.total:,}",
                        f"{one.nodes.without:,}",
                        f"{one.nodes.splits:,}",
                        f"{one.nodes.leaves:,}",
                        f"{one.nodes.per_node:.2f}",
                        f"{one.nodes.per_split:.2f}",
                    )
                    for one in self.results
                    if one.nodes
                ],
            ),
        ]

    def _candidates(self) -> list[str]:
        parts = [
            "## Every candidate",
            fill(
                "Parameters are learnt numbers outside of trees, tree nodes splits and leaves."
                " Skill and the gain in pinball loss, both over the seasonal naive, are those on"
                " the test origins; least is of the series that keeps least of its skill. Parity is"
                " the largest difference between graph and Python over the mean of the series,"
                " where there is Python to compare with. Times, energy and memory are the run's"
                " own, from one origin again and again."
            ),
        ]
        for one in self.results:
            rows = [_candidate_row(each) for each in one.compression.candidates]
            parts += [f"### {one.name}: {one.title}", table(_CANDIDATES, rows), fill(_verdict(one))]
        return parts

    def _tried(self) -> list[str]:
        rows = [
            _tried_row(one, each)
            for one in self.results
            for each in one.compression.candidates
            if each not in (one.teacher, one.shipped)
        ]
        return [
            "## Tried, and not shipped",
            fill(
                "What fails a gate, or passes and is no smaller than what is shipped; below 1 it"
                " has less than the teacher."
            ),
            table(_TRIED, sorted(rows)),
        ]


def _timed(one: Result) -> list[Row]:
    rows = {row.key: row for row in one.speed.rows if row.warm}
    return [rows[key] for key in _LABELS if key in rows]


def _label(one: Result, key: str) -> str:
    return _LABELS[key].format(kind=one.shipped.kind)


def _shipped_row(one: Result) -> tuple[str, ...]:
    shipped, whole = one.shipped, next((r for r in one.speed.rows if r.key == TEACHER), None)
    found = one.compression
    return (
        one.name,
        found.original,
        found.shipped,
        f"{one.teacher.bytes:,} → {shipped.bytes:,}",
        figure(one.bytes_ratio),
        figure(whole.warm.ratio) if whole and whole.warm else "-",
        percent(shipped.retained, shipped.retained_ci),
        percent(shipped.retained_quantiles),
        figure(found.cpu_s),
        figure(1e6 * found.co2e_g),
        "-" if found.pays_after is None else f"{found.pays_after:,.0f}",
    )


def _candidate_row(one: CandidateReport) -> tuple[str, ...]:
    return (
        f"**{one.kind}**" if one.chosen else one.kind,
        f"{one.parameters:,}" if one.parameters else "-",
        f"{one.tree_nodes:,}" if one.tree_nodes else "-",
        f"{one.bytes:,}",
        figure(one.latency_us),
        figure(one.cpu_us),
        figure(one.energy_mwh_per_1000),
        percent(one.retained, one.retained_ci),
        percent(one.retained_least),
        percent(one.retained_quantiles),
        _power(one.parity),
        figure(one.rss_mb),
        figure(one.cold_ms),
        one.verdict,
    )


def _speed_row(one: Result, row: Row) -> tuple[str, ...]:
    warm, cold = row.warm, row.cold
    return (
        _label(one, row.key),
        f"{row.bytes:,}",
        figure(warm.wall_us if warm else None),
        figure(warm.ratio if warm else None),
        f"{1000 * warm.cpu_us:,.0f}" if warm else "-",
        figure(cold.wall_ms if cold else None),
        figure(cold.cpu_ms if cold else None),
        figure(cold.rss_mb if cold else None),
        _power(row.difference),
    )


def _power(value: float | None) -> str:
    """Write a difference by its power of ten."""
    if value is None:
        return "-"
    return f"{value:.0e}" if value else "0"


def _verdict(one: Result) -> str:
    found = one.compression
    return f"Shipped: {found.shipped}, {found.reason}."


def _tried_row(one: Result, each: CandidateReport) -> tuple[str, ...]:
    return (
        each.kind,
        one.name,
        figure(each.bytes / one.teacher.bytes),
        figure(each.latency_us / one.teacher.latency_us),
        percent(each.retained),
        percent(each.retained_quantiles),
        _why(one, each),
    )


def _why(one: Result, each: CandidateReport) -> str:
    if each.misses:
        return "; ".join(each.misses)
    if each.bytes >= one.teacher.bytes:
        return "passes, and is no smaller than the teacher"
    more = each.bytes - one.shipped.bytes
    return f"passes, with {more:,} bytes more than {one.shipped.kind}"
