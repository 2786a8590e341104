"""Compressed models beside their teachers and beside LightGBM with Python features, in one run.

Nothing is imported here: the workers run where frugal-ai is not installed.
"""
