"""When an article is looked at again: its ages, what edits teach of them, and whose turn it is. Pure functions."""

from jobs.rechecks.policy import Kind, RecheckPolicy

__all__ = ["Kind", "RecheckPolicy"]
