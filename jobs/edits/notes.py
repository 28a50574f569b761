"""Whether a paragraph is a note of the editors."""

from __future__ import annotations

import re

from crawler.extract.fields.notes import begins_as_note

_LABEL = re.compile(
    r"(?:hinweis|anm\. d\. red\.|note|nota|от редакции|прим\. ред\.|примечание редакции|编者按|編者按|编者注|編者註"
    r"|编辑注|ملاحظة|تنبيه|note de la rédaction)\s*[:：]",
    re.IGNORECASE,
)
_LABEL_CHARS = 40


def is_note(text: str) -> bool:
    """Whether *text* begins as notes of editors do. More is taken for one than by an extractor, which reads all of a page."""
    return begins_as_note(text) or _LABEL.match(text[:_LABEL_CHARS]) is not None
