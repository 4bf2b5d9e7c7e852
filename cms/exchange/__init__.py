"""Moving content in and out."""
