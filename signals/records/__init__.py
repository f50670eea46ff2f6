"""The operational database: its tables, and reading and writing them inside the caller's transaction."""
