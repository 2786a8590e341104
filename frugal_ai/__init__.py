"""Electricity forecasts that cost as little carbon as the need allows."""

import os

__version__ = "0.1.0"

# onnxruntime's wheels for Linux report to their maker unless this is set before its first import
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
