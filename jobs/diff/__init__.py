"""Two texts → what changed, by lines and then by words, for machines and for terminals. Pure functions of both."""

from jobs.diff.cells import runs_to_left
from jobs.diff.render import make_safe, make_visible, render_diff
from jobs.diff.side import render_side
from jobs.diff.texts import Change, Line, TextDiff, Words, diff_texts, diff_to_json, diff_words
from jobs.diff.words import split_words

__all__ = [
    "Change",
    "Line",
    "TextDiff",
    "Words",
    "diff_texts",
    "diff_to_json",
    "diff_words",
    "make_safe",
    "make_visible",
    "render_diff",
    "render_side",
    "runs_to_left",
    "split_words",
]
