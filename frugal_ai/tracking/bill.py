"""What a run's ledger and its fleet's bill come to, as metrics by stage."""

import json
from contextlib import suppress
from pathlib import Path

from frugal_ai.cost.ledger_file import read_lines
from frugal_ai.cost.sums import sums
from frugal_ai.errors import CostError


def ledger_figures(file: Path) -> dict[str, float]:
    """Return energy and emissions of each stage; nothing where there is no ledger."""
    figures: dict[str, float] = {}
    with suppress(CostError):  # an older run has none
        for one in sums(read_lines(file).records, "stage"):
            figures[f"ledger.{one.key}.kwh"] = one.kwh
            figures[f"ledger.{one.key}.co2e_g"] = one.co2e_g
    return figures


def bill_figures(folder: Path) -> dict[str, float]:
    """Return what the bill in a folder comes to; nothing where there is none."""
    file = folder / "bill.json"
    if not file.is_file():
        return {}
    bill = json.loads(file.read_text(encoding="utf-8"))
    parts = {**bill["stages"], "whole": bill["whole"]}
    figures = {
        f"bill.{stage}.{name}": part[key]
        for stage, part in parts.items()
        for name, key in (("kwh", "kwh"), ("co2e_g", "gco2e"), ("eur", "eur"))
        if part[key] is not None
    }
    return figures | {"bill.sci_g_per_1000": bill["sci"]["score_g"], "bill.own_g": bill["own_g"]}
