"""A frugality statement of one model: questions of RGESN 2024 and AFNOR SPEC 2314, and evidence."""

from collections.abc import Iterable

from frugal_ai.exports.subject import Subject
from frugal_ai.report import NotRun, RungReport
from frugal_ai.wording import figure, mass, percent

_HEAD = """# Frugality statement: {title}

Run `{run}`, model **{model}**, forecast of {kind} [{unit}]. Every figure is the run's own, from its
`run.json` and `ledger.jsonl`; questions are paraphrased. What the run cannot answer is marked
**to be answered by the operator**.
"""
_OPEN = "**To be answered by the operator.**"


def frugality(subject: Subject) -> str:
    """Write the statement as Markdown."""
    report = subject.report
    head = _HEAD.format(
        title=report.title or report.pipeline,
        run=report.run_id,
        model=subject.chosen.rung,
        kind=report.kind,
        unit=report.unit,
    )
    parts = [
        head,
        _ladder(subject),
        "## RGESN 2024, section 9: algorithms",
        *(f"### {number} {asked}\n\n{said}" for number, asked, said in _algorithms(subject)),
        "## RGESN 2024, section 8: hosting",
        *(f"### {number} {asked}\n\n{said}" for number, asked, said in _hosting(subject)),
        "## AFNOR SPEC 2314: would something lighter do?",
        _lighter(subject),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _ladder(subject: Subject) -> str:
    head = "| rung | family | error on validation | training | CPU-s | verdict |"
    rule = "|---|---|---:|---:|---:|---|"
    rows = [_row(rung) for rung in subject.report.rungs]
    left = [f"- {_left(one)}" for one in subject.report.not_run]
    text = "\n".join(["## What was tried", "", head, rule, *rows])
    return (
        f"{text}\n\nLeft out:\n\n" + "\n".join(left) if left else f"{text}\n\nNothing was left out."
    )


def _row(rung: RungReport) -> str:
    name = f"**{rung.rung}**" if rung.chosen else rung.rung
    cells = (
        name,
        rung.family,
        _amount(rung.validation_mae),
        "" if rung.co2e_g is None else mass(rung.co2e_g),
        _amount(rung.fit_cpu_s),
        rung.verdict or "",
    )
    return f"| {' | '.join(cells)} |"


def _left(one: NotRun) -> str:
    """Say what was not run, why, and what that saved."""
    saved = ""
    if one.expected_co2e_g is not None:
        saved = f" It would have cost {mass(one.expected_co2e_g)};"
        saved += f" finding that out cost {mass(one.spent_co2e_g)}."
    return f"{one.rung} ({one.family}): {one.reason}.{saved}"


def _algorithms(subject: Subject) -> Iterable[tuple[str, str, str]]:
    yield "9.1", "Is training needed at all?", _needed(subject)
    yield "9.2", "Is anything heavier than a regression justified?", _heavier(subject)
    yield "9.3", "Is training limited?", _training(subject)
    yield "9.4", "Are the data limited to what is needed?", _data(subject)
    yield "9.5", "What triggers training again?", _retraining(subject)
    yield "9.6", "Is the model compressed?", _compression(subject)
    yield "9.7", "Is inference made with little?", _inference(subject)


def _needed(subject: Subject) -> str:
    chosen = subject.chosen
    naive = [
        r for r in subject.report.rungs if r.family == "naive" and r.validation_mae is not None
    ]
    if chosen.family == "naive":
        return f"No: {chosen.rung}, which learns nothing, was chosen. {subject.report.reason}"
    if not naive or chosen.validation_mae is None:
        return f"No rung that learns nothing was among those tried. {_OPEN}"
    best = min(naive, key=lambda rung: rung.validation_mae or 0.0)
    assert best.validation_mae is not None  # noqa: S101 - filtered above
    share = 1 - chosen.validation_mae / best.validation_mae if best.validation_mae else 0.0
    return (
        f"The best rung that learns nothing, {best.rung}, errs by {figure(best.validation_mae)}"
        f" {subject.report.unit} on validation; {chosen.rung} by {figure(chosen.validation_mae)},"
        f" {percent(share)} less. {subject.report.reason}"
    )


def _heavier(subject: Subject) -> str:
    chosen = subject.chosen
    tried = [r.rung for r in subject.report.rungs if r.family == "boosting"]
    left = [one.rung for one in subject.report.not_run if one.family == "boosting"]
    said = f"Heavier rungs that were run: {_names(tried)}; left out: {_names(left)}."
    if chosen.family == "boosting":
        gain = (
            "" if chosen.gain is None else f", {percent(chosen.gain)} less error than {chosen.over}"
        )
        return f"Yes: {chosen.rung} was chosen, verdict {chosen.verdict}{gain}. {said}"
    return f"Nothing heavier was chosen: {chosen.rung} is {chosen.family}. {said}"


def _training(subject: Subject) -> str:
    report = subject.report
    trials = sum(rung.tuning.trials for rung in report.rungs if rung.tuning)
    saved = [one.expected_co2e_g for one in report.not_run if one.expected_co2e_g is not None]
    said = (
        f"The whole run, every rung, trial and the metering, took {mass(subject.co2e_g)} and"
        f" {figure(1000 * subject.kwh)} Wh. Searches of settings: {trials} trials."
    )
    if saved:
        said += f" Rungs that were not run would have cost {mass(sum(saved))} more."
    return said


def _data(subject: Subject) -> str:
    report = subject.report
    weather = {"none": "no weather", "as_known": "weather as it was known"}
    known = weather.get(report.weather or "none", "weather as it came")
    return (
        f"One pipeline, {report.origins.validation} origins to choose and {report.origins.test} to"
        f" report; {known}. Whether a shorter history would do: {_OPEN}"
    )


def _retraining(subject: Subject) -> str:
    follows = (
        " Quantiles follow what arrives on the gateway without training."
        if subject.report.recalibrated
        else ""
    )
    return (
        f"Nothing is trained again by itself.{follows} Which loss of skill triggers a new run:"
        f" {_OPEN}"
    )


def _compression(subject: Subject) -> str:
    found = subject.report.compression
    size = subject.chosen.bytes
    if found is None:
        known = "" if size is None else f" Its graph has {size:,} bytes."
        return f"Compression was not tried.{known}"
    before, after = found.of("original"), found.of(found.shipped)
    pays = (
        ""
        if found.pays_after is None
        else (f" It pays for itself after {found.pays_after:,.0f} forecasts.")
    )
    return (
        f"Shipped: {found.shipped}, {after.bytes:,} bytes of {before.bytes:,}, with"
        f" {percent(after.retained)} of the skill. {found.reason}"
        f" Compressing took {mass(found.co2e_g)}, {len(found.candidates)} candidates.{pays}"
    )


def _inference(subject: Subject) -> str:
    found, chosen = subject.report.compression, subject.chosen
    shipped = found.of(found.shipped) if found else None
    latency = shipped.latency_us if shipped else chosen.latency_us
    grams = shipped.co2e_g_per_1000 if shipped else chosen.co2e_g_per_1000
    cost = "" if grams is None else f", {mass(grams)} per 1,000 forecasts"
    return (
        f"One ONNX graph on the gateway, one thread, no server: {_amount(latency)} µs a"
        f" forecast{cost}. How often it is asked: {_OPEN}"
    )


def _hosting(subject: Subject) -> Iterable[tuple[str, str, str]]:
    context = subject.report.context
    water = [one.wue for one in subject.ledger if one.wue is not None]
    yield "8.3", "Power usage effectiveness (PUE)?", f"Declared: {context.pue:g}."
    known = f"Declared: {water[0]:g} L/kWh." if water else f"Not declared. {_OPEN}"
    yield "8.4", "Water usage effectiveness (WUE)?", known
    began = (
        f"The run began at {subject.report.started:%Y-%m-%d %H:%M} UTC. `frugal-ai when` shows the"
        f" greenest window and what waiting saves. Whether it was asked: {_OPEN}"
    )
    yield "8.10", "Is heavy work done when electricity is green?", began


def _lighter(subject: Subject) -> str:
    report, chosen = subject.report, subject.chosen
    cheaper = [
        rung
        for rung in report.rungs
        if not rung.chosen
        and rung.co2e_g is not None
        and chosen.co2e_g is not None
        and rung.co2e_g < chosen.co2e_g
    ]
    rows = [
        f"- {rung.rung}: {_amount(rung.validation_mae)} {report.unit} on validation,"
        f" {mass(rung.co2e_g or 0.0)}; {rung.verdict or 'no verdict'}"
        for rung in cheaper
    ]
    lead = (
        f"Of {len(report.rungs)} rungs, {len(cheaper)} cost less in training than {chosen.rung}."
        f" {report.reason}"
    )
    spread = report.context.energy_spread
    parts = [lead, "\n".join(rows)]
    if spread is not None:
        parts.append(
            f"Energy by {report.context.energy_method}, within a factor of {spread:g} in 90 % of"
            " cases, the same for all rungs: ratios between them are surer than totals."
        )
    return "\n\n".join(part for part in parts if part)


def _names(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _amount(value: float | None) -> str:
    return "" if value is None else figure(value)
