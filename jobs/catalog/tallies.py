"""One capture → the names under which it is counted for its source's health. Pure.

Whatever a row says, names come from short lists or are bounded, so that a count has as many of them as were meant.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawler.model import GOOD_CLASSES, PageClass
from crawler.sites import bare_host

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FRESH = timedelta(days=3)
"""An article that was published longer before it was first seen was not new: a first crawl finds years of them."""
LISTINGS = frozenset({"feed", "sitemap", "section"})
FIELDS = ("title", "published", "authors", "section")
_CLASSES = frozenset(PageClass)
_TEXTS = GOOD_CLASSES | {PageClass.TRUNCATED}
"""Excerpts before a pay wall have the fields of whole texts."""
_FAILURES = (
    ("the host name has no address", "dns"),
    ("the certificate is not trusted", "certificate"),
    ("no TLS connection", "tls"),
    ("no connection within", "time"),
    ("no complete answer within", "time"),
    ("no connection", "connection"),
    ("the server closed the connection", "connection"),
)
"""How what `crawler.handler` says of an attempt without an answer begins → a word for it."""
_RULE = re.compile(r"forbids it \((Disallow: [^\r\n]{1,200})\)\Z")
_MOST_NAMES = 5
"""Rules and hosts that are counted by name in one run or day."""
_STEPS = 2
"""Steps of a measure for each doubling."""
_MOST_STEPS = 80


def judge_answer(purpose: str, status: int | None, page_class: str, error: str | None) -> str:
    """Return what an exchange came to, in a word or two.

    `same` (304), `http <status>`, a page's class, a word for why there was no answer; `robots`: a rule forbids it,
    `unreadable`: robots.txt could not be had; `read`: a listing or a robots.txt that was read.
    """
    if page_class == PageClass.BLOCKED or (error is not None and _RULE.search(error)):
        return "robots"
    if status is None:
        if error is not None and "robots.txt could not be read" in error:
            return "unreadable"
        return next((word for start, word in _FAILURES if (error or "").startswith(start)), "no answer")
    if status == 304:
        return "same"
    if not 200 <= status < 300 and page_class in {PageClass.ERROR, PageClass.NOARCHIVE, PageClass.SOFT_404}:
        return f"http {status}" if 100 <= status <= 599 else "http other"
    if purpose != "article":
        return "read"
    return page_class if page_class in _CLASSES else "other"


def name_capture(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names under which the capture in *row* counts; *row*: as `jobs.catalog.health` reads it."""
    purpose, status = row["purpose"], row["status"]
    if purpose == "asset":  # says nothing of the source, and may be anybody's
        return
    group = "page" if purpose == "article" else "listing" if purpose in LISTINGS else "robots"
    outcome = judge_answer(purpose, status, row["class"], row["error"])
    yield f"{group} {outcome}"
    if outcome == "robots":
        found = _RULE.search(row["error"] or row["class_reason"] or "")
        yield f"rule {_host_of(row['target_uri'])} {found[1] if found else 'Disallow'}"
    if group == "listing" and row["redirect"]:
        target, own = bare_host(row["redirect"]), bare_host(row["target_uri"])
        if target and target != own:
            yield f"away {target[:253]}"


def name_snapshot(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names under which the text of the capture in *row* counts: which fields it has, how long it is."""
    if row["class"] not in _TEXTS or row["native"] is None or row["has_fields"] is None:
        return
    yield "text"
    for field in FIELDS:
        if row["published" if field == "published" else f"has_{field}"]:
            yield f"has {field}"
    if row["text_bytes"]:
        yield f"size {measure(row['text_bytes'])}"


def name_sight(row: Mapping[str, Any]) -> tuple[bool, timedelta | None]:
    """Return whether the capture in *row* is the first one of a new article, and how long after its publication."""
    fresh = row["first_seen"] == row["captured_at"] and (
        row["class"] in _TEXTS or row["class"] in {PageClass.UNREAD, PageClass.NOARCHIVE}
    )
    if not fresh:
        return False, None
    told = row["published"]
    published = _read_published(told) if isinstance(told, str) else None
    if published is None:
        return True, None
    wait = datetime.fromisoformat(row["captured_at"]) - published
    if len(str(told)) == len("2026-11-22"):  # a day alone: no lag, but whether it was lately
        return wait < FRESH + DAY, None
    return wait < FRESH, wait if timedelta(minutes=-5) < wait < FRESH else None


def measure(value: float) -> int:
    """Return the step of *value* (above 0) on a scale with two steps for each doubling; `unmeasure` undoes it."""
    step = 0
    while step < _MOST_STEPS and value >= 2 ** ((step + 1) / _STEPS):
        step += 1
    return step


def unmeasure(step: float) -> float:
    """Return the value in the middle of a step."""
    return float(2 ** ((step + 0.5) / _STEPS))


def span_of(step: int) -> tuple[float, float]:
    """Return the least value of a step, and the least of the next."""
    return float(2 ** (step / _STEPS)), float(2 ** ((step + 1) / _STEPS))


def add_name(counts: Counter[str], name: str, number: int = 1) -> None:
    """Count *name* so many times; of rules and hosts only the first few."""
    kind = name.partition(" ")[0]
    if kind not in {"rule", "away"} or name in counts or _count_kind(counts, kind) < _MOST_NAMES:
        counts[name] += number


def _count_kind(counts: Counter[str], kind: str) -> int:
    return sum(name.startswith(f"{kind} ") for name in counts)


def _read_published(told: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(told[:40])
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return None


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "")[:253]
    except ValueError:
        return ""
