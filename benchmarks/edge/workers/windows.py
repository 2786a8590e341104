"""Files that the processes share: the plan of the features, and windows of some origins."""

import json
from pathlib import Path

import numpy as np

from benchmarks.edge.workers.features import Features, Float32Array


def first_features(plan: Path, windows: Path) -> Float32Array:
    """Compute the features [H, F] of the first window."""
    features = Features(json.loads(plan.read_text(encoding="utf-8")))
    with np.load(windows) as file:
        return features(file["history"][0], int(file["origin"][0]), file["known"][0])
