"""Figures of Matplotlib, drawn from arrays alone; no window is opened."""
