"""``python -m demo``: a broker, a gateway with the committed bundle, and some days of readings."""

import argparse
import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from frugal_edge.install.installer import How, install
from frugal_edge.trust.keys import TrustStore

from demo.broker import Broker
from demo.drive import Days, Outcome
from demo.feeder import Feeder
from demo.summary import lines
from demo.view import View

MODELS = Path(__file__).parents[1] / "models"


def main(arguments: Sequence[str] | None = None) -> Outcome:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--days", type=int, default=12, help="simulated days (default: 12)")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="real time of a day (default: 2)"
    )
    parser.add_argument("--svg", type=Path, help="write what was printed as a picture")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="frugal-demo-") as folder:
        return run(Path(folder), options.days, options.seconds, options.svg)


def run(folder: Path, days: int, seconds: float, svg: Path | None) -> Outcome:
    """Run it in a folder, which then has the gateway's log."""
    broker = Broker(folder / "broker")
    state = installed(folder / "state")
    feeder = Feeder.simulate(days)
    with (folder / "gateway.log").open("w") as log, contextlib.redirect_stderr(log):
        broker.start()
        try:
            with View() as view:
                outcome = asyncio.run(Days(state, broker, feeder, view).pass_by(days, seconds))
        finally:
            broker.stop()
    table, sentences = lines(outcome.arrivals, feeder, outcome.until), facts(outcome, days)
    view.close(table, sentences)
    if svg is not None:
        view.save(svg, table, sentences)
    return outcome


def installed(state: Path) -> Path:
    """Make a state folder in which the committed bundle is installed with its public key."""
    (state / "trust").mkdir(parents=True)
    shutil.copy(MODELS / "demo.pub", state / "trust" / "demo.pub")
    (bundle,) = (path.parent for path in (MODELS / "load").glob("*/manifest.json"))
    install(state, bundle, TrustStore.read(state / "trust"), How())
    return state


def facts(outcome: Outcome, days: int) -> list[str]:
    """Say what the table does not."""
    arrived = f"{len(outcome.arrivals)} arrived, {outcome.dropped} dropped"
    return [
        f"{days} days: {outcome.issued} forecasts issued, {arrived}",
        f"{outcome.up:,} bytes up, {outcome.down:,} bytes down, topics and payloads",
    ]


if __name__ == "__main__":
    main()
