"""Runs frugal-ai forecast bundles on low-power gateways."""

import os

__version__ = "0.1.0"

# From 1.29 on, onnxruntime's wheels write a device identifier and send usage to their maker unless
# this is set before onnxruntime is first imported. Nothing leaves a machine unasked; who sets the
# variable has asked.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
