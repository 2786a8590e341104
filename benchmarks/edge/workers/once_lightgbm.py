"""Forecasts once with LightGBM on features in numpy: MODEL.txt PLAN.json WINDOWS."""

import gc

gc.disable()  # as frugal-edge: what is imported stays

import sys  # noqa: E402 - the collector rests while it is imported
from pathlib import Path  # noqa: E402

import lightgbm  # noqa: E402

from benchmarks.edge.workers.report import report  # noqa: E402
from benchmarks.edge.workers.windows import first_features  # noqa: E402

if __name__ == "__main__":
    model, plan, windows = map(Path, sys.argv[1:])
    booster = lightgbm.Booster(model_file=model)
    booster.predict(first_features(plan, windows), num_threads=1)
    report()
