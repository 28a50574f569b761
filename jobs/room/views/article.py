"""An article: one of its texts for reading, what is said about it, by what of the page, its history, how to cite it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field

from config.rules import readable_url
from crawler.urls import normalise_url
from jobs.articles import find_latest
from jobs.citation import Citable
from jobs.diff import runs_to_left
from jobs.edits import list_frame
from jobs.edits import read_state as split_text
from jobs.fold import Verdict
from jobs.moves import find_move, list_origins
from jobs.room import addresses
from jobs.room.charts.timeline import Look, Timeline, draw_timeline
from jobs.room.choosing import TextAsked, choose_text, find_article
from jobs.room.citation import CitationsTold, cite
from jobs.room.endpoints import Page, Told
from jobs.room.views.histories import (
    ArticleChange,
    CaptureTold,
    EvidenceTold,
    RevisionTold,
    read_state,
    tell_captures,
    tell_changes,
    tell_deletion,
    tell_revisions,
)
from jobs.room.views.redactions import RedactionTold
from jobs.room.views.redactions import find_latest as find_withdrawn

if TYPE_CHECKING:
    from jobs.room.choosing import ChosenArticle, ChosenText
    from jobs.room.desk import Desk

MAX_CAPTURES, MAX_REVISIONS = 1_000, 1_000
"""That are told: the newest ones."""
_SAMPLE_CHARS = 2_000
_LANGUAGE = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8}){0,5}", re.ASCII | re.IGNORECASE)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ArticleAsked(TextAsked):
    """Which article, and which of its texts: the one seen last if nothing is said."""

    after: str | None = Field(default=None, max_length=40)
    """Where a page of changes begins, as the one before says."""


class PostTold(Told):
    """One post of a live page."""

    id: str
    time: str
    """As the page states it; may be empty, as the others."""
    title: str
    author: str
    text: str


class SourceTold(Told):
    """Another source that has the same URL."""

    source: str
    name: str


class TextTold(Told):
    """One text of an article, as it was read of one capture."""

    revision: int | None
    """Its number; `null`: it is none of the article's texts, as what a pay wall left once the whole was had."""
    captured_at: datetime
    """When the page was captured that it was read of."""
    segment: str
    n: int
    """That capture."""
    seen_first: datetime
    seen_last: datetime
    title: str | None
    lead: str | None
    body: tuple[str, ...]
    """Its lines without title and lead; of a live page, without its posts."""
    posts: tuple[PostTold, ...]
    partial: bool
    """Whether a live page held older posts back."""
    text: str
    """All of it, in normal form: what the digest is of."""
    text_digest: str
    derivation: str
    """By which rules it was read."""
    page_class: str
    confidence: float | None
    language: str
    """A language tag; empty: not known."""
    direction: str
    """`ltr` or `rtl`."""
    fields: dict[str, Any]
    """Name → `value`, `from`, `confidence`, `assumed_zone`: FORMAT.md § 5."""
    url: str
    """Of this text for good, by its digest."""
    citations: CitationsTold

    @property
    def published(self) -> datetime | str | None:
        """When it was published, as the page states it; a text where that is no instant."""
        return _read_time(self.fields, "published")

    @property
    def modified(self) -> datetime | str | None:
        """When it was changed last, alike."""
        return _read_time(self.fields, "modified")

    @property
    def authors(self) -> tuple[str, ...]:
        """The authors that the page names."""
        return list_strings(self.fields, "authors")

    @property
    def corrections(self) -> tuple[str, ...]:
        """The editors' notes."""
        return list_strings(self.fields, "corrections")

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """The lines of the body, each with what it is: `head`, `quote` (of a post that is embedded) or `text`."""
        heads, quoted = set(list_strings(self.fields, "subheads")), _list_quoted(self.fields)
        return [("head" if line in heads else "quote" if line in quoted else "text", line) for line in self.body]

    @property
    def section(self) -> str:
        """As the page states it, or nothing."""
        return read_string(self.fields, "section")

    @property
    def is_local(self) -> bool:
        """Whether its URL leads here on this computer alone."""
        return urlsplit(self.url).hostname in _LOOPBACK


class ArticleTold(Told):
    """An article in one of its texts, and its history."""

    source: str
    source_name: str
    url: str
    state: str
    """live, suspected, gone, or none: it never had a text."""
    text: TextTold | None
    redacted: RedactionTold | None
    """By what captures of it were taken out of the archive."""
    latest: int | None
    """Number of the text that was seen last."""
    revisions: tuple[RevisionTold, ...]
    revision_count: int
    captures: tuple[CaptureTold, ...]
    """By time."""
    capture_count: int
    changes: tuple[ArticleChange, ...]
    """The newest first."""
    older: str | None
    """Where the next page of changes begins; `null`: this is the last."""
    deletion: tuple[EvidenceTold, ...]
    """What shows that it is gone."""
    moved_to: str | None
    moved_from: tuple[str, ...]
    also_in: tuple[SourceTold, ...]
    timegate: str
    timemap: str

    @property
    def timeline(self) -> Timeline:
        """The captures as a chart."""
        return draw_timeline([Look(one.captured_at, one.verdict, one.revision, one.number) for one in self.captures])

    @property
    def places(self) -> dict[int, CaptureTold]:
        """Number → capture."""
        return {one.number: one for one in self.captures}

    @property
    def stretches(self) -> list[list[CaptureTold]]:
        """The captures, the newest first; those in a row that found no change are together."""
        groups = groupby(reversed(self.captures), key=lambda one: (_tell_apart(one), one.revision))
        return [list(group) for _, group in groups]

    @property
    def headers(self) -> dict[str, str]:
        """Which state of which page this is, as RFC 7089 has it."""
        links = [
            f'<{self.url}>; rel="original"',
            f'<{self.timegate}>; rel="timegate"',
            f'<{self.timemap}>; rel="timemap"; type="application/link-format"',
        ]
        if self.text is None:
            return {"Link": ", ".join(links)}
        at = format_datetime(self.text.captured_at.astimezone(UTC), usegmt=True)
        return {"Link": ", ".join(links), "Memento-Datetime": at}


def view_article(desk: Desk, asked: ArticleAsked) -> ArticleTold:
    """Return an article. Raises BadRequest, NotThere."""
    article = find_article(desk, asked.source, asked.url)
    chosen = choose_text(desk, article, asked)
    source, url, captures = article.source, article.url, article.captures
    changes, older = tell_changes(desk, source, url, captures, asked.after)
    state = read_state(captures)
    return ArticleTold(
        source=source,
        source_name=name_source(desk, source),
        url=url,
        state=state,
        text=None if chosen is None else _tell_text(desk, article, chosen, state),
        redacted=find_withdrawn(desk, captures),
        latest=find_latest(captures),
        revisions=tell_revisions(article.revisions, MAX_REVISIONS),
        revision_count=len(article.revisions),
        captures=tell_captures(captures, MAX_CAPTURES),
        capture_count=len(captures),
        changes=changes,
        older=older,
        deletion=tell_deletion(desk, captures),
        moved_to=find_move(desk.catalog, source, url) if any(one.redirect for one in captures) else None,
        moved_from=tuple(list_origins(desk.catalog, source, url)),
        also_in=tuple(
            SourceTold(source=one, name=name_source(desk, one))
            for one in desk.catalog.find_sources(url)
            if one != source
        ),
        timegate=desk.base + addresses.timegate(url),
        timemap=desk.base + addresses.timemap(url),
    )


def name_source(desk: Desk, source: str) -> str:
    """Return a source's name as readers know it; its id where it is not configured."""
    known = desk.sources.get(source)
    return source if known is None else known.name


def cite_url(desk: Desk, article: ChosenArticle, digest: str) -> str:
    """Return the address of a text for good; the article's URL in it with its own letters, if that means the same."""
    readable = readable_url(article.url)
    url = readable if _means(readable, article.url) else article.url
    return desk.base + addresses.article(article.source, url, digest=digest)


def _means(url: str, wanted: str) -> bool:
    """Whether the normal form of *url* is *wanted*."""
    try:
        return normalise_url(url) == wanted
    except ValueError:
        return False


def read_string(fields: dict[str, Any], name: str) -> str:
    """Return a field's value where that is a text; else nothing."""
    told = fields.get(name)
    value = told.get("value") if isinstance(told, dict) else None
    return value if isinstance(value, str) else ""


def list_strings(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return the texts that a field lists."""
    told = fields.get(name)
    value = told.get("value") if isinstance(told, dict) else None
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _tell_text(desk: Desk, article: ChosenArticle, chosen: ChosenText, state: str) -> TextTold:
    snapshot, fields = chosen.snapshot, chosen.snapshot["fields"]
    split = split_text(snapshot)
    posts = _list_posts(fields)
    seen = [one.captured_at for one in article.captures if chosen.revision and one.revision == chosen.revision]
    digest = snapshot["text_digest"]
    language = read_string(fields, "language")
    language = language if _LANGUAGE.fullmatch(language) else ""
    url = cite_url(desk, article, digest)
    citable = Citable(
        url=article.url,
        archive_url=url,
        captured_at=chosen.captured_at,
        text_digest=digest,
        site=name_source(desk, article.source),
        source=article.source,
        title=snapshot["title"],
        authors=list_strings(fields, "authors"),
        published=_read_stated(fields, "published"),
        language=language,
        gone=state == "gone",
    )
    return TextTold(
        revision=chosen.revision,
        captured_at=chosen.captured_at,
        segment=chosen.capture.segment,
        n=chosen.capture.n,
        seen_first=min(seen, default=chosen.captured_at),
        seen_last=max(seen, default=chosen.captured_at),
        title=split.title,
        lead=split.lead,
        body=list_frame(split) if posts else split.lines,
        posts=posts,
        partial=isinstance(told := fields.get("partial"), dict) and told.get("value") is True,
        text=snapshot["text"],
        text_digest=digest,
        derivation=snapshot["derivation"],
        page_class=snapshot["class"],
        confidence=snapshot["confidence"],
        language=language,
        direction="rtl" if runs_to_left(snapshot["text"][:_SAMPLE_CHARS]) else "ltr",
        fields=fields,
        url=url,
        citations=cite(citable),
    )


def _list_quoted(fields: dict[str, Any]) -> set[str]:
    """Return the lines that posts of social networks in the body are made of."""
    told = fields.get("embeds")
    value = told.get("value") if isinstance(told, dict) else None
    texts = [one.get("text") for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return {line for text in texts if isinstance(text, str) for line in text.split("\n")}


def _tell_apart(capture: CaptureTold) -> int:
    plain = capture.verdict == Verdict.UNCHANGED and not capture.metadata
    return 0 if plain else capture.number


def _list_posts(fields: dict[str, Any]) -> tuple[PostTold, ...]:
    told = fields.get("posts")
    value = told.get("value") if isinstance(told, dict) else None
    names = PostTold.model_fields
    return tuple(
        PostTold(**{name: found if isinstance(found := post.get(name), str) else "" for name in names})
        for post in (value if isinstance(value, list) else ())
        if isinstance(post, dict)
    )


def _read_stated(fields: dict[str, Any], name: str) -> str | None:
    """Return a time that the page states; a guess is none."""
    told = fields.get(name)
    if not isinstance(told, dict) or told.get("from") == "guess":
        return None
    return read_string(fields, name) or None


def _read_time(fields: dict[str, Any], name: str) -> datetime | str | None:
    stated = _read_stated(fields, name)
    if stated is None:
        return None
    try:
        found = datetime.fromisoformat(stated)
        return stated if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, ValueError):
        return stated


ENDPOINTS = (
    Page("article", "/sources/{source}/article", ArticleAsked, ArticleTold, view_article, "An article in one text"),
)
