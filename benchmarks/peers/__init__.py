"""Forecasting libraries on the tasks of ``benchmarks/tasks``, measured side by side.

Nothing is imported here: the scripts of the peers run where frugal-ai is not installed.
"""
