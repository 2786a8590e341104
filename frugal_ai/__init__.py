"""Electricity forecasts that cost as little carbon as the need allows."""

__version__ = "0.1.0"
