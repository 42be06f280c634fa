"""Ratios of speed, each measured beside its baseline in one run; the room of ``tools/analysis_tools/benchmark.py``."""
