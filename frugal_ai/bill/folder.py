"""A bill as files."""

from pathlib import Path

from frugal_ai.bill.bill import Bill
from frugal_ai.bill.fleet import Fleet
from frugal_ai.bill.picture import bill_svg, tornado_svg
from frugal_ai.bill.records import bill_records
from frugal_ai.cost.factors import Factors
from frugal_ai.cost.ledger_file import write_ledger
from frugal_ai.errors import OutputError
from frugal_ai.files import write_text

BILL = "bill"
"""Folder in that of a run."""
LEDGER = "ledger.jsonl"


def write_bill(bill: Bill, fleet: Fleet, factors: Factors, folder: Path) -> tuple[Path, ...]:
    """Write ``bill.json``, its pictures and its lines as records; an earlier bill is replaced.

    Raises
    ------
    OutputError
        If something cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
    texts = {
        "bill.json": bill.to_json() + "\n",
        "bill.svg": bill_svg(bill),
        "tornado.svg": tornado_svg(bill),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    write_ledger(bill_records(bill, fleet, factors), folder / LEDGER)
    return tuple(folder / name for name in (*texts, LEDGER))
