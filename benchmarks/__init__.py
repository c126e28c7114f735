"""Measurements, run by hand: `python -m benchmarks.NAME`. No test depends on their figures."""
