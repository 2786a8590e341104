"""Forecasts once with LightGBM on features in numpy: MODEL.txt PLAN.json WINDOWS."""

import sys
from pathlib import Path

import lightgbm

from benchmarks.edge.workers.report import report
from benchmarks.edge.workers.windows import first_features

if __name__ == "__main__":
    model, plan, windows = map(Path, sys.argv[1:])
    booster = lightgbm.Booster(model_file=model)
    booster.predict(first_features(plan, windows), num_threads=1)
    report()
