"""Many pages of one source → rules for its boxes: evidence → candidates → trial → what holds."""

from jobs.learning.lesson import Lesson, learn_rules

__all__ = ["Lesson", "learn_rules"]
