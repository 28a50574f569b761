"""Whether a paragraph is a note of the editors."""

from __future__ import annotations

import re

from crawler.extract.fields.notes import begins_as_note

_LABEL = re.compile(
    r"(?:hinweis|anm\. d\. red\.|note|nota|от редакции|прим\. ред\.|примечание редакции|编者按|編者按|编者注|編者註"
    r"|编辑注|ملاحظة|تنبيه|تصويب|استدراك|note de la rédaction)\s*[:：]",
    re.IGNORECASE,
)
_LABEL_CHARS = 40


def is_note(text: str) -> bool:
    """Whether *text* begins as notes of editors do. An extractor, which meets all of a page, takes less for one."""
    return begins_as_note(text) or _LABEL.match(text[:_LABEL_CHARS]) is not None
