"""An Article's title, lead and blocks → the normal form of FORMAT.md § 6, its digest, and the Snapshot.

Never repairs a text: quotes, dashes, joiners and bidirectional marks stay as the page has them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING

from crawler.model import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.model import Article

_DROPPED = "\u00ad\u200b\ufeff"
"""Soft hyphen, zero width space, byte order mark: they show nothing and come and go between crawls."""
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

_STEADY = re.compile(
    "[\\0-\u02ff\u0400-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\u0660-\u066f\u0671-\u06d3\u200c-\u2027\u2030-\u205e"
    "\u20a0-\u20bf\u2100-\u2125\u2190-\u219f\u2500-\u27bf\u3001-\u3029\u3041-\u3096\u309d-\u30ff\u4e00-\u9fff\uff01-\uff60]*"
)
"""What is in NFC by itself, whatever stands beside it: nearly all lines of nearly all pages are no more than that."""

_MANY_MARKS = re.compile(r"[^\x00-\x7f\w\s]{64,}")
"""Where there may be combining marks in such a number that putting them in order, one by one, takes for ever."""


def normalise_line(line: str) -> str:
    """Return *line* in normal form: white space folded, ends trimmed, invisible characters dropped, NFC."""
    if line.isascii():
        return " ".join(line.split())
    for sign in _DROPPED:
        line = line.replace(sign, "")
    line = " ".join(line.split())
    if _STEADY.fullmatch(line):
        return line
    return unicodedata.normalize("NFC", _MANY_MARKS.sub(_order_marks, _LONE_SURROGATE.sub("\ufffd", line)))


def _order_marks(found: re.Match[str]) -> str:
    """Return the marks taken apart and in canonical order: the same text to Unicode, and quick to normalise."""
    parts = "".join([unicodedata.normalize("NFD", mark) for mark in found[0]])
    runs = groupby(parts, key=lambda part: unicodedata.combining(part) > 0)
    return "".join(["".join(sorted(run, key=unicodedata.combining)) for _, run in runs])


def normalise_lines(text: str) -> list[str]:
    """Return the lines of *text* in normal form, the empty ones left out."""
    lines = (normalise_line(line) for line in text.split("\n"))
    return [line for line in lines if line]


def normalise_text(title: str | None, lead: str | None, blocks: Iterable[str]) -> str:
    """Return title, lead and *blocks* as the normal form.

    A lead that only repeats the title or the first line of the body is left out, and so is a first block that
    repeats the title: the page shows the same words in two places, the article has them once.
    """
    head = [line for line in [normalise_line(title or "")] if line]
    body = [line for block in blocks for line in normalise_lines(block)]
    while head and body and body[0] == head[0]:
        del body[0]
    summary = normalise_lines(lead or "")
    if summary[:1] == head[:1] or summary == body[: len(summary)]:
        summary = []
    return "\n".join([*head, *summary, *body])


def digest_text(text: str) -> str:
    """Return the digest of *text* (`sha256:<hex>`), taken over its UTF-8 bytes."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def make_snapshot(article: Article, derivation_digest: str) -> Snapshot:
    """Return *article* in normal form, with its digest. *derivation_digest*: `Derivation.digest`."""
    text = normalise_text(article.title, article.lead, article.blocks)
    return Snapshot(
        page_class=article.page_class,
        class_reason=article.class_reason,
        title=normalise_line(article.title) if article.title else None,
        lead=normalise_line(article.lead) if article.lead else None,
        text=text,
        text_digest=digest_text(text),
        derivation=derivation_digest,
        fields=article.fields,
        confidence=article.confidence,
    )
