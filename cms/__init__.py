"""Squall: a blog and publication that people run themselves."""

__version__ = "0.1.0"
