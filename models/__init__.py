"""How likely a crisis is, and why."""
