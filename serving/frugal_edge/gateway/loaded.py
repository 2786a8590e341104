"""A model that is installed, opened for forecasts."""

from dataclasses import dataclass
from pathlib import Path

from frugal_edge.bundle import open_bundle
from frugal_edge.errors import BundleError
from frugal_edge.runtime import Forecaster
from frugal_edge.strict_json import Node, parse
from frugal_edge.trust.apart import Digests

FALLBACK = "fallback.json"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with what stands in for it.

    Attributes
    ----------
    folder
        Where it was read.
    forecaster
        The model, its golden cases replayed.
    season_s
        Season of the fallback [s].
    bytes
        Of all its files.
    """

    folder: Path
    forecaster: Forecaster
    season_s: int
    bytes: int


def open_installed(folder: Path, signed: Digests) -> Loaded:
    """Open a bundle whose signature was verified, and replay its golden cases.

    Parameters
    ----------
    folder
        Of the bundle.
    signed
        SHA-256 of its files as they were signed, by name.

    Raises
    ------
    BundleError
        If its files are others, or it does not run here.
    """
    bundle = open_bundle(folder, signed)
    season_s = season_of(bundle.content[FALLBACK])
    size = sum(map(len, bundle.content.values()))
    forecaster = Forecaster(bundle)
    forecaster.self_test()
    return Loaded(folder, forecaster, season_s, size)


def season_of(content: bytes) -> int:
    """Read the season of a bundle's fallback [s].

    Raises
    ------
    BundleError
        If the fallback is none that this gateway knows.
    """
    node = Node(parse(content, FALLBACK), FALLBACK)
    kind, season_s = node.text("kind"), node.integer("season_s", 1)
    node.close()
    if kind != "seasonal_naive":
        raise BundleError(f"{FALLBACK}: kind: expected seasonal_naive, got {kind!r}")
    return season_s
