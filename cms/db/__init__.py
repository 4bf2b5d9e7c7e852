"""Databases: sessions and units of work, the two dialects, column types, migrations. What differs between databases is nowhere else."""
