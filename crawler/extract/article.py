"""HTML → Article: parse once, mark the boxes, choose the body, read its blocks and fields, say what the page is.

Pure: the result is a function of the arguments. Reads no clock, no setting, no file.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.rules import ExtractRules
from crawler import allowance
from crawler.extract.body.blocks import SIGNED, TAGS, Block, drop_blocks, read_blocks, trim_appendix, trim_blocks
from crawler.extract.body.boxes import Prose, mark_boxes
from crawler.extract.body.container import find_column, find_container
from crawler.extract.body.heading import find_leads, find_title, is_description, stated_descriptions
from crawler.extract.body.learned import drop_learned_lines, list_lines
from crawler.extract.body.scripts import read_scripts
from crawler.extract.fields.basics import SOURCE_STARTS, Lines, read_fields
from crawler.extract.fields.embeds import read_embeds
from crawler.extract.fields.head import state_head
from crawler.extract.fields.language import read_language
from crawler.extract.fields.links import read_links
from crawler.extract.fields.live import read_posts
from crawler.extract.fields.media import read_media
from crawler.extract.fields.notes import NOTE_STARTS, read_corrections, read_fact_boxes
from crawler.extract.fields.openings import list_openings
from crawler.extract.page.metadata import Metadata, read_metadata
from crawler.extract.page.parsing import MAX_GUESSED_ELEMENTS, Page, parse_page
from crawler.extract.page.rules import drop_learned, select
from crawler.extract.page.signs import LEAD
from crawler.extract.page.tree import HEADING_TAGS
from crawler.extract.page_class import Reading, classify_page
from crawler.extract.times.dates import DateRules
from crawler.extract.times.publication import read_times
from crawler.model import Article, PageClass
from crawler.normalise import normalise_line, normalise_lines

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.extract.page.tree import Element

_WITH_TEXT = frozenset(
    {PageClass.ARTICLE, PageClass.LIVE, PageClass.VIDEO, PageClass.GALLERY, PageClass.INFOGRAPH, PageClass.TRUNCATED}
)
_NO_RULES = ExtractRules()
_LOW_CONFIDENCE = 0.35
_LOADING_SECONDS = 2.0
"""Of CPU time, for what trafilatura does once in a process; 0.1 s were measured."""
_MAX_FALLBACK_CHARS = 2_000_000
_STARTS = SOURCE_STARTS | NOTE_STARTS
_FEW_CHARS = 400
_HEAD_ELEMENTS = 200
_LEAD_CHARS = 600
_SAMPLED_BLOCKS = 8
"""Blocks that tell the language."""


@dataclass(slots=True)
class Body:
    """The body and how it was come to."""

    read: list[Block]
    """All that was read in its elements, in document order; what was trimmed says why."""
    blocks: list[Block]
    lead: str | None
    lead_sources: list[Element | Block]
    container: Element
    roots: list[Element]
    """What was read: the container, or the elements that rules name."""
    prose: Prose


@dataclass(slots=True)
class Findings:
    """A page with everything that was found on the way to its article."""

    page: Page
    title: str | None
    title_origin: str
    heading: Element | None
    """Where the title stands, if it does."""
    scope: Element
    """The element around headline and body."""
    body: Body
    article: Article
    has_text: bool
    """Whether the page is of a class of which text is taken."""
    taken_over: bool = False
    """Whether the text is trafilatura's."""


def extract_article(
    html: str,
    *,
    url: str,
    status: int | None,
    captured_at: datetime,
    timezone: str | None,
    language: str | None,
    rules: ExtractRules,
    utf8: bytes | None = None,
) -> Article:
    """Return what *html* holds. Raises ExtractError if it cannot be read, ConfigError on bad rules.

    *timezone*: assumed for dates that state none. *captured_at* (aware): no date after it is believed. *utf8*: as for
    `parse_page`.
    """
    findings = find_article(
        html,
        url=url,
        status=status,
        captured_at=captured_at,
        timezone=timezone,
        language=language,
        rules=rules,
        utf8=utf8,
        numbered=rules != _NO_RULES,
    )
    findings.page.release()
    return findings.article


def find_article(
    html: str,
    *,
    url: str,
    status: int | None,
    captured_at: datetime,
    timezone: str | None,
    language: str | None,
    rules: ExtractRules,
    utf8: bytes | None = None,
    numbered: bool = True,
) -> Findings:
    """Do what `extract_article` does, and return how it was come to as well. *numbered*: as for `parse_page`."""
    page = parse_page(html, utf8=utf8, numbered=numbered)
    found = read_metadata(page)
    title, title_origin, heading = _title(page, found, rules)
    body = _read_body(page, found, rules, title, heading)
    container = body.container
    scope = _scope(container, heading, body.prose)
    openings = list_openings(page.body, _STARTS)
    lines = _list_lines(page, body, heading)
    fields = read_fields(page, found, rules, url=url, place=scope, openings=openings, lines=lines)
    read_language(fields, found, place=container, text=_sample(title, body), assumed=language)
    doubts: list[str] = []
    read_times(
        fields,
        page,
        found,
        rules,
        title=heading,
        text=(body.blocks[0].order if body.blocks else container.order, container.end),
        html=html,
        captured_at=captured_at,
        zone=timezone,
        doubts=doubts,
    )
    read_media(fields, page, rules, found, scope=scope, url=url)
    page_class, reason = classify_page(
        Reading(page, found, title, heading, scope, container, body.blocks, fields, url, status)
    )
    if page_class not in _WITH_TEXT:
        fields.weigh()
        article = Article(page_class, reason, fields=fields, clock_bound=bool(doubts))
        return Findings(page, title, title_origin, heading, scope, body, article, has_text=False)
    read_links(fields, page, rules, container, blocks=body.blocks, url=url)
    read_embeds(fields, page, rules, container, url=url, reading=DateRules(captured_at, zone=None, doubts=doubts))
    read_corrections(fields, found, scope, openings)
    read_fact_boxes(fields, container)
    confidence = _confidence(body, found, heading, ruled=bool(rules.include))
    blocks = own = [block.text for block in body.blocks]
    if page_class is PageClass.ARTICLE and confidence < _LOW_CONFIDENCE:
        blocks = _fallback(html, page, url, own, title=title, rules=rules)
    taken_over = blocks is not own
    if page_class is PageClass.GALLERY and "images" in fields:
        blocks += [image["caption"] for image in fields["images"].value if image.get("caption")]
    if page_class is PageClass.LIVE:
        read_posts(fields, scope, found)
    lead_origin = "rule" if body.lead_sources == select(page, rules.lead)[:1] != [] else "visible"
    state_head(fields, found, (title, title_origin), (body.lead, lead_origin))
    if page_class is PageClass.TRUNCATED:
        fields.put("access", "paid", "visible")
    fields.weigh()
    article = Article(page_class, reason, title, body.lead, tuple(blocks), fields, confidence, clock_bound=bool(doubts))
    return Findings(page, title, title_origin, heading, scope, body, article, has_text=True, taken_over=taken_over)


def _sample(title: str | None, body: Body) -> str:
    """Return the beginning of what is read, by which its language is told."""
    return "\n".join([title or "", body.lead or "", *(block.text for block in body.blocks[:_SAMPLED_BLOCKS])])


def _title(page: Page, found: Metadata, rules: ExtractRules) -> tuple[str | None, str, Element | None]:
    for element in select(page, rules.title):
        if text := element.text():
            return text, "rule", element
    return find_title(page.body, found)


def _read_body(page: Page, found: Metadata, rules: ExtractRules, title: str | None, heading: Element | None) -> Body:
    for element in select(page, rules.remove):
        element.dropped = "a rule"
    for element in select(page, rules.related):
        element.dropped = "related"
    ruled = select(page, rules.include)
    inner = set(ruled)
    leads = select(page, rules.lead)[:1]
    kept = set(ruled) | set(leads)
    if heading is not None:
        kept |= {heading, *heading.ancestors()}
    for element in [*ruled, *leads]:
        kept.update(element.ancestors())
    drop_learned(page, rules.learned, kept)
    prose = mark_boxes(page.body, kept)
    container = ruled[0] if ruled else find_container(page.body, prose, heading)
    roots = [element for element in ruled if inner.isdisjoint(element.ancestors())] or [container]
    read = blocks = read_blocks(roots)
    if heading is not None and not ruled:
        blocks = _after_heading(blocks, heading, container)
    if not ruled:
        blocks = trim_appendix(blocks, *find_column(container, prose))
        blocks = read_scripts(page, found, blocks)
    blocks = drop_learned_lines(blocks, rules.learned)
    blocks = trim_blocks(blocks, title)
    stated = stated_descriptions(found)
    leads = leads or find_leads(page.body, heading, container, stated)
    text = "\n".join(dict.fromkeys(line for lead in leads for line in normalise_lines(_lines_of(lead))))
    sources: list[Element | Block] = [*leads] if text else []
    if text:
        again = [block for block in blocks if block.text == text or _lies_in(block, leads)]
        again = again if len(again) < len(blocks) else [block for block in again if block.text == text]
        blocks = drop_blocks(blocks, again, "the lead again")
    elif len(blocks) > 2 and not blocks[0].is_heading and _is_lead(blocks[0], stated, title):
        sources, text, blocks = [blocks[0]], blocks[0].text, blocks[1:]
    return Body(read, blocks, text or None, sources, container, roots, prose)


def _is_lead(block: Block, stated: list[str], title: str | None) -> bool:
    """Whether the first block of the body is what the page describes itself by, or is named a lead."""
    if is_description(block.text, stated):
        return True
    named = block.element.signs & LEAD and block.element.tag in {"p", "div"} and block.chars <= _LEAD_CHARS
    return bool(named) and not block.text.startswith(title or block.text)


def _lies_in(block: Block, elements: list[Element]) -> bool:
    return any(element.order <= block.order < element.end for element in elements)


def _lines_of(element: Element) -> str:
    return "\n".join(block.text for block in read_blocks([element]))


def _after_heading(blocks: list[Block], heading: Element, container: Element) -> list[Block]:
    """Drop what stands above the headline, where the headline lies in the body's element."""
    if container not in set(heading.ancestors()):
        return blocks
    inside = set(heading.walk())
    before = [block for block in blocks if block.order < heading.order or block.element in inside]
    above = sum(block.chars for block in before if block.order < heading.order)
    if sum(block.chars for block in blocks) - sum(block.chars for block in before) <= above:
        return blocks
    return drop_blocks(blocks, before, "above the headline")


def _list_lines(page: Page, body: Body, heading: Element | None) -> Lines:
    near: list[Element] = []
    first = body.blocks[0].order if body.blocks else body.container.order
    if heading is not None and heading.end < first:
        near = page.root.tree.elements[heading.end : min(first, heading.end + _HEAD_ELEMENTS)]
    near += [block.element for block in body.read if block.dropped == SIGNED]
    return Lines(near, [block.element for block in body.read if block.dropped == TAGS])


def _scope(container: Element, heading: Element | None, prose: Prose) -> Element:
    """Return the element around headline and body; where these are few words, its pictures may stand beside both."""
    if heading is None:
        return container
    around = set(heading.ancestors())
    scope = next(
        (element for element in [container, *container.ancestors()] if element in around or element is heading),
        container,
    )
    if prose.of(scope) >= _FEW_CHARS:
        return scope
    wider = next((element for element in scope.ancestors() if element.tag in {"article", "main"}), scope)
    stories = [story for story in wider.below("article") if not story.order <= heading.order < story.end]
    return scope if any(story.find(*HEADING_TAGS) for story in stories) else wider


def _confidence(body: Body, found: Metadata, heading: Element | None, *, ruled: bool) -> float:
    chars = sum(block.chars for block in body.blocks)
    links = sum(block.link_chars for block in body.blocks)
    value = 0.3 * min(chars / 1_000, 1.0) + 0.25 * body.prose.share(body.container) + 0.15 * (heading is not None)
    value += 0.15 * bool(found.article) + 0.15 * (1 - links / chars if chars else 0)
    return round(max(min(value, 1.0), 0.8 if ruled and chars else 0.0), 3)


def _list_removed(page: Page) -> set[str]:
    """Return the lines that a source's rules, its own or learned ones, took out: nobody else may bring them back."""
    removed = [element for element in page.root.tree.elements if element.dropped in {"a rule", "a learned rule"}]
    return {line for block in read_blocks(removed) for line in block.lines}


def _fallback(
    html: str, page: Page, url: str, blocks: list[str], *, title: str | None, rules: ExtractRules
) -> list[str]:
    """Return trafilatura's blocks where it found clearly more text than we did, without what rules take away."""
    if len(html) > _MAX_FALLBACK_CHARS or page.size > MAX_GUESSED_ELEMENTS:
        return blocks
    if "trafilatura" not in sys.modules:
        allowance.extend(_LOADING_SECONDS)
    import trafilatura  # noqa: PLC0415 - slow to load, and few pages need it; outside of try: must not be missing unseen

    try:
        text = trafilatura.extract(
            html, url=url, fast=True, deduplicate=False, include_comments=False, include_tables=True
        )
    except Exception:  # noqa: BLE001 - a library on hostile input: what we found ourselves still stands
        return blocks
    lines = [line for line in normalise_lines(text or "") if line != normalise_line(title or "")]
    if sum(map(len, lines)) <= 1.5 * sum(map(len, blocks)) + 100:
        return blocks
    gone = _list_removed(page) | list_lines(rules.learned)
    return [line for line in lines if line not in gone]
