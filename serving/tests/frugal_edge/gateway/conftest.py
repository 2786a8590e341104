"""A gateway on a folder of its own, with a clock that a test sets."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.bundle import open_bundle
from frugal_edge.clock import format_time
from frugal_edge.gateway.config import GatewayConfig
from frugal_edge.gateway.gateway import Gateway
from frugal_edge.install import slots
from frugal_edge.install.slots import Entry
from frugal_edge.manifest import NAME, SIGNATURE
from frugal_edge.trust.keys import PublicKey, add_key
from frugal_edge.trust.sigstore import sign_statement
from frugal_edge.trust.statement import Statement
from frugal_edge.trust.verify import file_digest

STEP, DAY = 1800, 86400
ORIGIN = 1_717_192_800  # 2024-05-31T22:00:00Z, midnight in Paris


@dataclass
class Site:
    """The state folder of a gateway, what is installed there, and the gateways opened on it."""

    state: Path
    make_bundle: Callable[..., Path]
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    now: float = ORIGIN + 60
    opened: list[Gateway] = field(default_factory=list)
    bundles: int = 0

    def clock(self) -> float:
        return self.now

    def bundle(
        self,
        reads: Sequence[str] = ("history",),
        edit: Callable[[dict[str, Any]], None] = lambda manifest: None,
        **more: Any,
    ) -> Path:
        """Make and sign a bundle that was built a month before the origin."""
        self.bundles += 1
        number = self.bundles

        def changed(manifest: dict[str, Any]) -> None:
            manifest["created"] = "2024-05-01T00:00:00Z"
            manifest["sequence"] = number
            manifest["id"] = f"load-naive_day-{number:012x}"
            edit(manifest)

        folder = self.make_bundle(
            reads, folder=self.state.parent / f"bundle-{number}", edit=changed, **more
        )
        about = open_bundle(folder).manifest
        digests = {NAME: file_digest(folder / NAME)}
        digests |= {name: entry.sha256 for name, entry in about.files.items()}
        (folder / SIGNATURE).write_bytes(sign_statement(Statement(about.id, digests), self.key))
        return folder

    def install(self, folder: Path, trial: int = 0) -> str:
        """Put a bundle in the free slot, as an install does after its self-test."""
        add_key(self.state / "trust", PublicKey.of(self.key.public_key(), folder))
        about = open_bundle(folder).manifest
        record = slots.read(self.state, about.series_id)
        key = PublicKey.of(self.key.public_key(), folder).id
        entry = Entry(record.free_slot(), about.id, about.sequence, key)
        line = slots.line_folder(self.state, about.series_id)
        line.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(line / entry.slot, ignore_errors=True)
        shutil.copytree(folder, line / entry.slot)
        with slots.changing(self.state, about.series_id) as record:
            slots.write(self.state, record.installed(entry, trial))
        return about.id

    def open(self, **settings: Any) -> Gateway:
        """Open a gateway, in the place of the one that was open."""
        self.close()
        self.opened.append(Gateway(GatewayConfig("test", self.state, **settings), self.clock))
        return self.opened[-1]

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def feed(
        self,
        gateway: Gateway,
        values: Mapping[int, float | None],
        name: str = "value",
        series: str = "feeder",
    ) -> Any:
        """Give readings by their time [unix s]."""
        rows = [{"timestamp": format_time(time), name: value} for time, value in values.items()]
        return gateway.observe(series, rows, "http")


def days(count: int, *, end: int = ORIGIN, offset: float = 0.0) -> dict[int, float]:
    """Return readings of some days before an end, all different."""
    steps = count * DAY // STEP
    return {end - n * STEP: 10.0 + (n * 37 % 101) / 10 + offset for n in range(steps, 0, -1)}


@pytest.fixture
def site(tmp_path: Path, make_bundle: Callable[..., Path]) -> Iterator[Site]:
    one = Site(tmp_path / "state", make_bundle)
    yield one
    one.close()


@pytest.fixture
def readings_of_days() -> Callable[..., dict[int, float]]:
    return days
