"""Runs frugal-ai forecast bundles on low-power gateways."""

__version__ = "0.1.0"
