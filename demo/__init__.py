"""A gateway at work on a simulated feeder, faster than real time: ``python -m demo``."""
