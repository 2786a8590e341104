"""The features of the first window, from files: the plan of the features, and the windows."""

import json
from pathlib import Path

from benchmarks.edge.workers.arrays import first_rows
from benchmarks.edge.workers.features import Features, Float32Array

WINDOWS = ("history", "origin", "known")


def first_features(plan: Path, windows: Path) -> Float32Array:
    """Compute the features [H, F] of the first window."""
    features = Features(json.loads(plan.read_text(encoding="utf-8")))
    history, origin, known = (values[0] for values in first_rows(windows, WINDOWS).values())
    return features(history, int(origin), known)
