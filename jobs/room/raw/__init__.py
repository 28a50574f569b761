"""Captures as they lie in the archive: their records, their pages to be looked at, and files of both to take away."""
