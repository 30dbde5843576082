"""Formats as data: what every implementation reads, and what it must make of it. Written by `python -m vectors.make`."""
