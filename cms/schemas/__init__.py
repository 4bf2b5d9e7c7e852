"""Validated input, frozen: one file per noun, the same for forms, API bodies and imports."""
