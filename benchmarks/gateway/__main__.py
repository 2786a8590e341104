"""Measure what the gateway takes: ``python -m benchmarks.gateway [PART ...] [--short]``.

Parts are environment, http, install, resident, kills and cycles; all where none is named. What a
part found is kept in ``runs/gateway``, and the part of ``docs/benchmarks.md`` is written from what
is kept, so that one part can be measured anew. With ``--short``, a tenth of the cycles and kills,
nothing is kept and the page is printed.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.gateway import parts
from benchmarks.gateway.environment import ROOT
from benchmarks.gateway.page import Records, page
from benchmarks.gateway.records import Part, Record
from benchmarks.sections import write_section

_PAGE = ROOT / "docs" / "benchmarks.md"
_SECTION = "make benchmark-gateway"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts.NAMES)}")
    parser.add_argument("--short", action="store_true", help="a tenth of the cycles and kills")
    asked = parser.parse_args(arguments)
    for name in asked.parts:
        if name not in parts.NAMES:
            parser.error(f"expected a part of {', '.join(parts.NAMES)}, got {name!r}")
    start = time.monotonic()
    taken = _measure(asked.parts or parts.NAMES, short=asked.short)
    records = Records(**{part.name: taken.get(part.name) or part.kept() for part in parts.ALL})
    if asked.short or records.missing:
        print(page(records))
    else:
        write_section(_PAGE, _SECTION, page(records))
    if records.missing:
        _tell(f"not measured yet: {', '.join(records.missing)}; the page is left as it was")
    _tell(f"done in {(time.monotonic() - start) / 60:.1f} minutes")
    return 1 if records.kills is not None and records.kills.found.broken else 0


def _measure(names: Sequence[str], *, short: bool) -> dict[str, Record[Any]]:
    """Measure parts; what needs a quiet machine first, the cycles beside the other long ones."""

    def take(part: Part[Any]) -> Record[Any]:
        _tell(part.name)
        record = part.take(short=short)
        if not short:
            part.keep(record)
        return record

    taken = {part.name: take(part) for part in parts.QUIET if part.name in names}
    with ThreadPoolExecutor(1) as beside:
        cycles = beside.submit(take, parts.CYCLES) if parts.CYCLES.name in names else None
        taken |= {part.name: take(part) for part in parts.LONG if part.name in names}
        if cycles is not None:
            taken[parts.CYCLES.name] = cycles.result()
    return taken


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
