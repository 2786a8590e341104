"""The result, as a table for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence

from frugal_edge.dataflow.volume import DAYS, Flow, Plan, Volume, volume

_UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_COLUMNS = ("", "flows", "values a day", "messages a day", "payload", "protocol", "a day", "a year")


def as_text(plan: Plan) -> str:
    """Write both volumes, what they are divided by, each flow, and every assumption."""
    both = {"everything": plan.everything, "sent": plan.sent}
    rows = [_COLUMNS, *(_row(name, plan, flows) for name, flows in both.items())]
    lines = [
        f"{plan.title}: {plan.copies:,} {'copies' if plan.copies > 1 else 'copy'}",
        "",
        *aligned(rows),
        "",
        f"divided by {shown_ratio(_ratio(plan))}",
        "",
        "flows of a copy:",
        *_listed(both),
        "",
        f"assumptions ({DAYS} days a year, 1 GB is 10^9 bytes):",
        *(f"  {name} {one.value:g}: {one.why}" for name, one in plan.assumed.items()),
        *(f"  {note}" for note in plan.notes),
    ]
    return "\n".join(lines) + "\n"


def as_json(plan: Plan) -> str:
    """Write the same as one JSON object."""
    content = {
        "title": plan.title,
        "copies": plan.copies,
        "everything": _described(plan, plan.everything),
        "sent": _described(plan, plan.sent),
        "divided_by": _ratio(plan),
        "days_per_year": DAYS,
        "assumptions": {
            name: {"value": one.value, "why": one.why} for name, one in plan.assumed.items()
        },
        "notes": list(plan.notes),
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def shown_bytes(count: float) -> str:
    """Write bytes with three significant digits."""
    for unit, size in _UNITS:
        if count >= size * 0.9995:
            scaled = count / size
            digits = max(0, 2 - (scaled >= 9.995) - (scaled >= 99.95))
            return f"{scaled:,.{digits}f} {unit}"
    return f"{count:.0f} B"


def shown_ratio(ratio: float | None) -> str:
    """Write by what a volume is divided."""
    return "-: nothing is sent" if ratio is None else f"{ratio:.3g}"


def _ratio(plan: Plan) -> float | None:
    sent = volume(plan.sent, plan.assumed).bytes
    return volume(plan.everything, plan.assumed).bytes / sent if sent else None


def _row(name: str, plan: Plan, flows: Sequence[Flow]) -> tuple[str, ...]:
    one, copies = volume(flows, plan.assumed), plan.copies
    return (
        name,
        f"{copies * sum(flow.count for flow in flows):,}",
        f"{copies * one.values:,.0f}",
        f"{copies * one.messages:,.0f}",
        shown_bytes(copies * one.payload),
        shown_bytes(copies * one.protocol),
        shown_bytes(copies * one.bytes),
        shown_bytes(copies * one.bytes * DAYS),
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows as columns: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *numbers in rows:
        cells = [f"{cell:>{w}}" for cell, w in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join([f"{name:{widths[0]}}", *cells]))
    return lines


def _listed(both: Mapping[str, Sequence[Flow]]) -> list[str]:
    return [f"  {name}: {_flow(flow)}" for name, flows in both.items() for flow in flows]


def _flow(flow: Flow) -> str:
    every = f"{flow.step_s // 60} min" if flow.step_s % 60 == 0 else f"{flow.step_s} s"
    batch = f", {flow.values_per_message} a message" if flow.values_per_message > 1 else ""
    share = f", {flow.share:.0%} of them" if flow.share < 1 else ""
    return f"{flow.count} {flow.name} every {every}{batch}{share}"


def _described(plan: Plan, flows: Sequence[Flow]) -> dict[str, object]:
    one = volume(flows, plan.assumed)
    return {
        "flows": [
            {
                "name": flow.name,
                "count": flow.count,
                "step_s": flow.step_s,
                "values_per_message": flow.values_per_message,
                "share": flow.share,
            }
            for flow in flows
        ],
        "per_copy_and_day": _numbers(one),
        "bytes_per_day": plan.copies * one.bytes,
        "bytes_per_year": plan.copies * one.bytes * DAYS,
    }


def _numbers(one: Volume) -> dict[str, float]:
    return {
        "values": one.values,
        "messages": one.messages,
        "payload_bytes": one.payload,
        "protocol_bytes": one.protocol,
    }
