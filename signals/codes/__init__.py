"""The dated code lists: regions and districts, industries and what programmes leave out, and how large a small business may be."""
