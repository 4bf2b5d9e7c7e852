"""Measured speed, always as a ratio against a limit measured in the same run."""
