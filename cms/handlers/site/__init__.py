"""The reader's face."""
