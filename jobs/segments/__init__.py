"""Closed segments: sealed, uploaded, committed, laid out as files; and their pages read again."""
