"""The part on the gateway is written from what was kept, with the day and code of each piece."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gateway import __main__ as command
from benchmarks.gateway import http_speed, parts
from benchmarks.gateway.cycles import Growth
from benchmarks.gateway.environment import Environment
from benchmarks.gateway.http_speed import Shot
from benchmarks.gateway.installs import Installs
from benchmarks.gateway.kills import Tally
from benchmarks.gateway.page import Records, page
from benchmarks.gateway.parts import Residents, Shots
from benchmarks.gateway.records import Part, Record
from benchmarks.gateway.resident import Resident

WHERE = {"machine": "Some CPU, 2 threads, Linux", "revision": "0123456789"}
SHOTS: Shots = {
    name: [Shot(rate, 3.25, 100.0)] * 3
    for name, rate in ((http_speed.BARE_POST, 4000.0), (http_speed.POST, 8400.0))
}
RECORDS = Records(
    environment=Record(
        day="2026-11-01", **WHERE, found=Environment(Path("python"), ("numpy 2", "h11 1"), 190.6)
    ),
    http=Record(day="2026-11-02", **WHERE, found=SHOTS),
    install=Record(day="2026-11-02", **WHERE, found=Installs(11, 0.51, 0.4, 0.6, 0.25)),
    resident=Record(
        day="2026-11-01",
        **WHERE,
        found=Residents(Resident(1, 80.0, 0.0004, True), Resident(100, 150.0, None, True)),
    ),
    kills=Record(
        day="2026-11-01",
        **WHERE,
        found=Tally(500, [], Counter({"what ran": 400, "what came": 100}), Counter({"a trial": 7})),
    ),
    cycles=None,
)


def test_what_was_measured_stands_beside_its_target() -> None:
    lines = page(RECORDS).splitlines()
    assert (
        "| stateless forecast, 672 values in, one core | ≥ 8,000 req/s | 8,400 req/s | yes |"
        in lines
    )
    assert "| its environment | ≤ 190 MB | 190.6 MB | no |" in lines
    assert "| install, signature to commit, without trial | ≤ 0.5 s | 0.51 s | no |" in lines
    assert "| growth over 100,000 forecast cycles | ≤ 2 MB | - | - |" in lines
    assert "| CPU at rest, a look every 15 minutes, of a core | ≤ 0.1 % | - | - |" in lines
    told = " ".join(page(RECORDS).split())
    assert "2.1 times as many as bare POST" in told
    assert "2026-11-02, code 0123456789, Some CPU, 2 threads, Linux: http, install." in told
    assert RECORDS.missing == ("cycles",)


@pytest.mark.parametrize("part", parts.ALL, ids=lambda part: part.name)
def test_what_is_kept_is_read_again(part: Part[Any], tmp_path: Path) -> None:
    grown = Record(day="2026-11-03", **WHERE, found=Growth(100, 80.0, 80.5, 14.0, 2.0))
    record = getattr(RECORDS, part.name) or grown
    assert part.kept(tmp_path) is None
    part.keep(record, tmp_path)
    kept = part.kept(tmp_path)
    assert kept is not None
    assert kept.found == record.found
    (tmp_path / f"{part.name}.json").write_text('{"day": "2026-11-01"}')
    assert part.kept(tmp_path) is None


def test_a_part_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["htp"])
    assert "expected a part of environment, http, install, " in capsys.readouterr().err
