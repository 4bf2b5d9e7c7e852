"""Uploads: where their bytes are kept."""
