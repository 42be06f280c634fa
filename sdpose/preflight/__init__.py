"""Checks of the files and values that a config names, before anything expensive starts."""
