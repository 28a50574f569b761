"""Writes down the ends of all logs, has them stamped, and sends them to second places (FORMAT.md § 4, Heads)."""
