"""Libraries that the models are held against, each in an environment of its own."""

from benchmarks.peers.systems import Library

LIGHTGBM = Library(
    "lightgbm",
    "The teacher's trees, saved as text. With nothing beside it but numpy and scipy, it starts"
    " faster than where it also finds pandas and scikit-learn.",
)
ONNXMLTOOLS = Library("onnxmltools", "Its own settings; the graph runs in the same onnxruntime.")
TOOLS = (LIGHTGBM, ONNXMLTOOLS)
