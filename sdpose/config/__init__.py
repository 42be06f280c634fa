"""Configs: found, read, checked, and walked over."""
