"""A look at a source that is configured, beside what was there before: what changed, and what to write instead."""

from jobs.surveys.findings import Finding, find_changes
from jobs.surveys.memory import CheckMemory, read_memory, remember, write_memory

__all__ = ["CheckMemory", "Finding", "find_changes", "read_memory", "remember", "write_memory"]
