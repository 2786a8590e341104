"""Converts a LightGBM model by onnxmltools, in an environment of its own: MODEL.txt GRAPH."""

import sys
from pathlib import Path

import lightgbm
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

if __name__ == "__main__":
    source, target = sys.argv[1:]
    booster = lightgbm.Booster(model_file=source)
    inputs = [("features", FloatTensorType([None, booster.num_feature()]))]
    graph = convert_lightgbm(booster, initial_types=inputs, zipmap=False)
    Path(target).write_bytes(graph.SerializeToString())
