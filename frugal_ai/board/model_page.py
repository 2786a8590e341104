"""The page of a model: figures, pictures, bill, compression, card, files, decisions."""

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from markupsafe import Markup

from frugal_ai.board.board_page import Frame, cautions, frame_of
from frugal_ai.board.entries import Entry
from frugal_ai.board.filters import Filters
from frugal_ai.board.groups import Group, key_of
from frugal_ai.board.leads import lead_text
from frugal_ai.board.pictures import NAMES, drawable
from frugal_ai.board.render import own, render
from frugal_ai.board.store import Snapshot, Store
from frugal_ai.board.words import Words
from frugal_ai.leaderboard.figures import is_measured, method
from frugal_ai.report import LeadReport, RunReport
from frugal_ai.report.compression import CandidateReport

_CARD = "MODEL_CARD.md"
_LOGGED = {"compression.svg": "compression", "bill/bill.svg": "life", "bill/tornado.svg": "tornado"}
_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/json",
    ".csv": "text/csv",
    ".md": "text/plain",
    ".svg": "image/svg+xml",
}
_MOST_FILES = 60


@dataclass(frozen=True)
class BillLine:
    """A stage of a bill: CO2e, electricity and money as text, and its share."""

    stage: str
    gco2e: str
    kwh: str
    eur: str
    share: str


@dataclass(frozen=True)
class Picture:
    """A picture and what it is called."""

    address: str
    name: str


def file_type(name: str) -> str:
    """Return the type that a logged file is sent as: none that could hold a page."""
    return _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


def model_page(
    found: Snapshot,
    store: Store,
    entry: Entry,
    frame: Frame,
    decide: str = "",
    history: str = "",
) -> str:
    """Write the page of a model.

    Parameters
    ----------
    decide, history
        HTML of the form to decide and of what was decided; empty where there is none.
    """
    words, row, run = frame.words, entry.row, entry.run
    files = store.files(entry)
    chosen = row.chosen
    group = next(one for one in found.groups if one.key == key_of(entry))
    report = _report(store, entry, files)
    title = run.title or row.pipeline
    asked = Filters(pipeline=row.pipeline)
    return render(
        "model.html",
        **frame_of(
            found, asked, frame, words("model_of", rung=row.rung, title=title), row.pipeline
        ),
        rung=row.rung,
        run_title=title,
        cautions=cautions(group, words),
        failed=run.failed_gates if chosen else (),
        claim=words(f"rule_{run.rule}") if chosen else "",
        reason=run.reason if chosen else "",
        figures=_figures(entry, words),
        chosen_link=None if chosen else _chosen(group, entry, frame),
        pictures=_pictures(entry, files, frame) if chosen else (),
        bill=_bill(store, entry, files, words),
        compression=_compression(report, words) if chosen and report else (),
        card=_card(store, entry, files, report) if chosen else "",
        facts=_facts(entry, words),
        files=[
            (name, frame.links.file(entry, name), words.local(f"{size:,}"))
            for name, size in list(files.items())[:_MOST_FILES]
        ],
        board=frame.links.board(asked),
        decide=own(decide),
        history=own(history),
    )


def _figures(entry: Entry, words: Words) -> list[tuple[str, str]]:
    row, run = entry.row, entry.run
    verdict = words.of("verdict", row.verdict or "") or words.figure(None)
    gain = ""
    if row.gain is not None and row.over is not None:
        said = words("gain_line", gain=words.percent(row.gain, row.gain_ci), over=row.over)
        gain = f" · {said}"
    found = [
        ("MAE", f"{words.figure(row.mae, 4)} {row.unit} {words.interval(row.mae_ci, 4)}"),
        ("RMSE", f"{words.figure(row.rmse, 4)} {row.unit} {words.interval(row.rmse_ci, 4)}"),
        ("nMAE", f"{words.figure(row.nmae)} {words.interval(row.nmae_ci)}"),
        ("MASE", f"{words.figure(row.mase)} {words.interval(row.mase_ci)}"),
        *(_lead(one, row.unit, words) for one in entry.mae_by_lead),
        (words("col_skill"), words.percent(row.skill, row.skill_ci)),
        (words("verdict"), f"{verdict}{gain}"),
    ]
    losses = (("pinball", row.pinball, row.pinball_ci), ("crps", row.crps, row.crps_ci))
    found += [
        (words(f"metric_{name}"), f"{words.figure(loss, 4)} {row.unit} {words.interval(ends, 4)}")
        for name, loss, ends in losses
        if loss is not None
    ]
    if row.coverage is not None and row.coverage_nominal is not None:
        nominal = words.local(f"{100 * row.coverage_nominal:g}")
        covered = words.percent(row.coverage, row.coverage_ci)
        found.append((words("coverage"), words("covers", coverage=covered, nominal=nominal)))
    found += [
        (words("col_training"), words.mass(row.co2e_g)),
        (words("col_use"), words.mass(row.co2e_g_per_1000)),
    ]
    if entry.g_per_year is not None:
        found.append((words("col_year"), words.mass(entry.g_per_year)))
    if row.bytes is not None:
        size = words.local(f"{row.bytes:,}")
        found.append((words("col_bytes"), f"{size}, {words.figure(row.latency_us)} µs"))
    if run.horizon_s is not None:
        found.append((words("horizon"), words.duration(run.horizon_s)))
    return found


def _lead(one: LeadReport, unit: str, words: Words) -> tuple[str, str]:
    said = f"{words.figure(one.mae, 4)} {unit} {words.interval(one.mae_ci, 4)}"
    return f"MAE {lead_text(one.lead, words)}", said


def _facts(entry: Entry, words: Words) -> list[tuple[str, str]]:
    row, run = entry.row, entry.run
    known = words("method_measured" if is_measured(row.energy_method) else "method_estimated")
    grid = words.figure(row.intensity_g_per_kwh)
    validation = run.origins_validation or words.figure(None)
    how = method(row.energy_method).partition(": ")[2] or row.energy_method
    return [
        (words("run"), row.run_id),
        (words("mlflow_run"), f"{run.id} · {entry.id}"),
        (words("ended"), f"{row.ended:%Y-%m-%d %H:%M} UTC"),
        (words("commit"), row.git_revision or words.figure(None)),
        (words("data_digest"), row.data_digest),
        (words("targets_digest"), row.targets_digest),
        (words("hardware"), row.hardware),
        (words("estimates"), f"{known} ({how})"),
        (words("intensity"), f"{grid} ({row.country}), PUE {words.local(f'{row.pue:g}')}"),
        (words("origins"), f"{validation} + {row.origins_test}"),
    ]


def _chosen(group: Group, entry: Entry, frame: Frame) -> tuple[str, str] | None:
    """Return what the model's own run has chosen, and where that is."""
    for one in group.entries:
        if one.run_id == entry.run_id and one.chosen:
            return frame.words("see_chosen", rung=one.rung), frame.links.model(one)
    return None


def _pictures(entry: Entry, files: dict[str, int], frame: Frame) -> list[Picture]:
    drawn = NAMES if drawable(files) else ()
    found = [Picture(frame.links.plot(entry, name), frame.words(f"pic_{name}")) for name in drawn]
    return found + [
        Picture(frame.links.file(entry, file), frame.words(f"pic_{name}"))
        for file, name in _LOGGED.items()
        if file in files
    ]


def _report(store: Store, entry: Entry, files: dict[str, int]) -> RunReport | None:
    if "run.json" not in files:
        return None
    try:
        return RunReport.model_validate_json(store.read(entry, "run.json"))
    except ValueError:
        return None  # of a schema that this version does not know: the page says less


@dataclass(frozen=True)
class Bill:
    """A bill: what it is of, its lines, and all of it."""

    said: str
    lines: tuple[BillLine, ...]
    whole: BillLine
    priced: bool


def _bill(store: Store, entry: Entry, files: dict[str, int], words: Words) -> Bill | None:
    run = entry.run
    if "bill/bill.json" in files:
        bill: dict[str, Any] = json.loads(store.read(entry, "bill/bill.json"))
        whole = bill["whole"]
        total = float(whole["gco2e"])
        lines = [
            _line(name, one["gco2e"], one["kwh"], one["eur"], total, words)
            for name, one in bill["stages"].items()
        ]
        said = words("bill_fleet", fleet=bill["fleet"], year=words.mass(run.bill_g_per_year))
        last = _line(words("whole"), total, whole["kwh"], whole["eur"], total, words)
        return Bill(said, tuple(lines), last, priced=whole["eur"] is not None)
    if not run.stages:
        return None
    total = sum(grams for _, _, grams in run.stages)
    lines = [_line(name, grams, kwh, None, total, words) for name, kwh, grams in run.stages]
    kwh = sum(kwh for _, kwh, _ in run.stages)
    last = _line(words("whole"), total, kwh, None, total, words)
    return Bill(words("bill_run"), tuple(lines), last, priced=False)


def _line(
    stage: str, grams: float, kwh: float, eur: float | None, total: float, words: Words
) -> BillLine:
    return BillLine(
        stage,
        words.mass(grams),
        words.figure(kwh),
        words.figure(eur),
        _share(grams / total, words) if total else words.figure(None),
    )


def _share(share: float, words: Words) -> str:
    least = 0.0001
    return words.percent(share) if abs(share) >= least else f"< {words.local('0.01')}"


def _compression(report: RunReport, words: Words) -> list[tuple[str, ...]]:
    found = report.compression
    return [_candidate(one, words) for one in found.candidates] if found else []


def _candidate(one: CandidateReport, words: Words) -> tuple[str, ...]:
    missed = f": {'; '.join(one.misses)}" if one.misses else ""
    return (
        one.kind,
        words.local(f"{one.bytes:,}"),
        words.percent(one.retained, one.retained_ci),
        words.figure(one.latency_us),
        words.figure(one.energy_mwh_per_1000),
        f"{words(f'verdict_{one.verdict}')}{missed}",
    )


def _card(store: Store, entry: Entry, files: dict[str, int], report: RunReport | None) -> Markup:
    """Render the card of the first bundle; HTML in it is shown as text."""
    folders = report.bundles if report else ("bundle",)
    name = next((f"{one}/{_CARD}" for one in folders if f"{one}/{_CARD}" in files), None)
    if name is None:
        return Markup("")
    from markdown_it import MarkdownIt  # of no use to a board's page

    text = store.read(entry, name).decode("utf-8", "replace")
    return own(_lower(MarkdownIt("commonmark", {"html": False}).enable("table").render(text)))


def _lower(html: str) -> str:
    """Put the card's headings two levels below those of the page."""
    for level in (4, 3, 2, 1):
        html = html.replace(f"<h{level}>", f"<h{level + 2}>").replace(
            f"</h{level}>", f"</h{level + 2}>"
        )
    return html
