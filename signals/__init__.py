"""What we know, and whether we may trust it."""
