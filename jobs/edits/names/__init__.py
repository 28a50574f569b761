"""Whether a hunk names somebody or something otherwise. In a script without capitals only beside what tells names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.edits.names.arabic import changes_arabic_name, has_arabic
from jobs.edits.names.cased import changes_cased_name, is_work_title
from jobs.edits.names.han import changes_han_name, has_han, is_han
from jobs.edits.names.known import Names, find_names

if TYPE_CHECKING:
    from jobs.edits.hunks import Hunk

__all__ = ["Names", "changes_name", "find_names", "is_han", "is_work_title"]


def changes_name(hunk: Hunk, names: Names) -> bool:
    """Whether *hunk* changes a name; *names*: those that the article tells."""
    text = hunk.before + hunk.after
    if has_han(text):
        return changes_han_name(hunk)
    if has_arabic(text):
        return changes_arabic_name(hunk, names)
    return changes_cased_name(hunk, names)
