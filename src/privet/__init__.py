"""Privet guards places, not people: what is shown is painted from a proven background, live pixels never are."""

__version__ = "0.1.0.dev0"
