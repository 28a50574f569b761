"""A page → why its text is what it is: each block and box in document order, kept or dropped, by what.

The page is read as always; what is said here is said of the marks which that left. It changes nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from crawler.explanation import Explanation, Passage, RuleUse, Statement
from crawler.extract.article import find_article
from crawler.extract.body.blocks import Block
from crawler.extract.body.heading import PROPERTY_CHARS, is_description, stated_descriptions
from crawler.extract.naming import Namer
from crawler.extract.page.metadata import read_metadata
from crawler.extract.page.rules import select
from crawler.extract.page.signs import (
    COMMENT,
    CONSENT,
    CORRECTION,
    FACTS,
    FAINT,
    FURNITURE,
    GALLERY,
    LEAD,
    PAYWALL,
    RELATED,
    find_words,
)
from crawler.extract.page.tree import BLOCK_TAGS, Element
from crawler.extract.page.words import RELATED_LABEL
from crawler.model import PageClass
from crawler.normalise import normalise_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from config.rules import ExtractRules
    from crawler.extract.article import Findings

MAX_PASSAGES = 2_000
_MAX_TEXT = 160
_OPENED = 600
"""A part outside of the body with so much running text is shown block by block: it may be the text that is missed."""
_SIGNS = {
    "furniture": FURNITURE | FAINT,
    "related": RELATED,
    "comments": COMMENT,
    "consent": CONSENT,
    "a pay wall": PAYWALL,
    "a gallery": GALLERY,
    "a correction": CORRECTION,
    "facts": FACTS,
}
_DROPPING = {
    "remove": "a rule",
    "related": "related",
    "learned.remove": "a learned rule",
    "learned.links": "a learned rule",
}
"""Key of a rule → the mark that it leaves."""
_FIELDS = ("authors", "published", "modified", "section", "tags", "source", "reading_time_text", "image")
"""Those that rules can correct."""


def explain_article(
    html: str,
    *,
    url: str,
    status: int | None,
    captured_at: datetime,
    timezone: str | None,
    language: str | None,
    rules: ExtractRules,
    utf8: bytes | None = None,
    whole: bool = False,
) -> Explanation:
    """Return why the text of *html* is what `extract_article` makes of it. Raises what that raises.

    *whole*: of the whole page; by default of the element around headline and body.
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
    )
    return _Explainer(findings, rules).explain(whole=whole)


class _Explainer:
    def __init__(self, findings: Findings, rules: ExtractRules) -> None:
        self._findings = findings
        self._descriptions = stated_descriptions(read_metadata(findings.page))
        self._body = findings.body
        self._namer = Namer(findings.page)
        self._uses: list[RuleUse] = []
        self._ruled: dict[tuple[str, int], str] = {}
        """Mark, or key without its number, and place of an element → the rule that named it."""
        for key, selector in _list_rules(rules):
            elements = select(findings.page, selector)
            self._uses.append(RuleUse(f"extract.{key}", selector, len(elements)))
            kind = key.partition("[")[0]
            for element in elements:
                self._ruled.setdefault((_DROPPING.get(kind, kind), element.order), f"rule extract.{key}: {selector}")

    def explain(self, *, whole: bool) -> Explanation:
        findings, article = self._findings, self._findings.article
        scope = findings.page.body if whole else self._find_scope()
        entries = self._list_entries(scope)
        container = self._body.container
        share = f"holds {self._body.prose.share(container):.0%} of the page's running text"
        return Explanation(
            page_class=article.page_class,
            class_reason=article.class_reason,
            has_text=findings.has_text,
            confidence=article.confidence,
            container=self._namer.name(container),
            container_reason=f"{self._ruled.get(('include', container.order), 'found by itself')}; {share}",
            statements=tuple(self._list_statements()),
            rules=tuple(self._uses),
            notes=tuple(self._list_notes(scope, len(entries), whole=whole)),
            passages=tuple(describe() for describe in entries[:MAX_PASSAGES]),
        )

    def _find_scope(self) -> Element:
        scope = self._findings.scope
        leads = [source for source in self._body.lead_sources if isinstance(source, Element)]
        wanted = [*self._body.roots, *leads]
        around = (one for one in [scope, *scope.ancestors()] if all(one.order <= w.order < one.end for w in wanted))
        return next(around, self._findings.page.body)

    # --- what was found

    def _list_statements(self) -> Iterator[Statement]:
        findings, sources = self._findings, self._body.lead_sources
        if findings.title:
            heading = findings.heading
            origin = "rule extract.title" if findings.title_origin == "rule" else findings.title_origin
            place = self._namer.name(heading) if heading is not None else None
            yield Statement("title", _shorten(findings.title), origin, place)
        if self._body.lead and sources:
            source = sources[0]
            place = self._namer.name(source.element if isinstance(source, Block) else source)
            yield Statement("lead", _shorten(self._body.lead), self._lead_reason(source), place)
        for name in _FIELDS:
            field = findings.article.fields.get(name)
            if field is not None:
                value = _shorten(_describe_value(field.value))
                zone = f", zone assumed: {field.assumed_zone}" if field.assumed_zone else ""
                key = name.removesuffix("_text")
                origin = f"rule extract.{key}" if field.origin == "rule" else field.origin
                yield Statement(key, value, f"{origin}{zone}")

    def _lead_reason(self, source: Element | Block) -> str:
        if isinstance(source, Element):
            if ("lead", source.order) in self._ruled:
                return "rule extract.lead"
            if words := find_words(f"{_names_of(source)} {source.get('itemprop')[:PROPERTY_CHARS]}", LEAD):
                return f"named {_longest(words)!r}"
            if not is_description(source.text(), self._descriptions):
                return "sentences between headline and body"
        return "equal to the page's description"

    def _list_notes(self, scope: Element, count: int, *, whole: bool) -> Iterator[str]:
        findings, body = self._findings, self._body
        if not findings.has_text:
            kind = findings.article.page_class
            yield f"no text is taken of a page of class {kind}; what is kept below is what would be its text"
        if findings.taken_over:
            number = len(findings.article.blocks)
            yield f"confidence is low, trafilatura took over: the text is its {number} blocks, not those kept below"
        known = {id(block) for block in body.read}
        if body.blocks and not any(id(block) in known for block in body.blocks):
            yield f"the page shows next to no text: {len(body.blocks)} blocks are from its JSON-LD or scripts"
        if findings.article.page_class is PageClass.GALLERY:
            yield "the captions of its pictures are added to the text"
        outside = body.prose.total - body.prose.of(scope)
        if not whole and outside > 0:
            yield f"{outside} characters of running text lie elsewhere on the page; --all shows them"
        if count > MAX_PASSAGES:
            yield f"{count - MAX_PASSAGES} more blocks are not shown"

    # --- block by block

    def _list_entries(self, scope: Element) -> list[Callable[[], Passage]]:
        """Return what describes each passage: to name one is slow, and there may be more than are shown."""
        sources = (self._findings.heading, *self._body.lead_sources)
        shown = [one for one in sources if isinstance(one, Element) and not self._holds(one)]
        entries = [(order, 0, describe) for order, describe in self._list_boxes(scope, shown)]
        at = 0
        for block, describe in self._list_blocks(shown):
            at = max(at, block.order)
            entries.append((at, 1, describe))
        return [describe for _, _, describe in sorted(entries, key=lambda entry: entry[:2])]

    def _holds(self, element: Element) -> bool:
        return any(element.order <= root.order < element.end for root in self._body.roots)

    def _list_blocks(self, shown: list[Element]) -> Iterator[tuple[Block, Callable[[], Passage]]]:
        """Yield the blocks that were read; not those that are the title or the lead, which stand for themselves."""
        kept = {id(block) for block in self._body.blocks}
        for block in self._body.read:
            if any(block is source for source in self._body.lead_sources):
                yield block, partial(self._describe, block, f"lead: {self._lead_reason(block)}", kept=True)
            elif id(block) in kept:
                yield block, partial(self._describe, block, "subhead" if block.is_heading else "", kept=True)
            elif not any(one.order <= block.order < one.end for one in shown):
                yield block, partial(self._describe, block, block.dropped or "not used", kept=False)

    def _list_boxes(self, scope: Element, shown: list[Element]) -> Iterator[tuple[int, Callable[[], Passage]]]:
        """Yield title and lead, what was dropped, and what lies outside of the body, each with its place."""
        elements, roots = scope.tree.elements, {root.order for root in self._body.roots}
        around = {one.order for inner in [*shown, *self._body.roots] for one in [inner, *inner.ancestors()]}
        at, root_end = scope.order, 0
        while at < scope.end:
            element = elements[at]
            following = element.end
            if at in roots:
                root_end = max(root_end, element.end)
            if element in shown:
                yield at, partial(self._describe, element, self._shown_reason(element), kept=True)
            elif element.dropped and element.chars:
                yield at, partial(self._describe_box, element)
                following = at + 1 if at in around else element.end
            elif at in around or (at < root_end and not element.dropped) or self._is_opened(element):
                following = at + 1
            elif element.chars:
                yield at, partial(self._describe, element, "outside of the body's element", kept=False)
            at = following

    def _shown_reason(self, element: Element) -> str:
        if element is self._findings.heading:
            return "title"
        return f"lead: {self._lead_reason(element)}"

    def _is_opened(self, element: Element) -> bool:
        if self._body.prose.of(element) <= _OPENED or 2 * element.own_chars > element.chars:
            return False
        return any(child.tag in BLOCK_TAGS for child in element.elements)

    def _box_reason(self, element: Element) -> str:
        reason = element.dropped or ""
        if rule := self._ruled.get((reason, element.order)):
            return rule
        if words := self._sign_words(element):
            return f"{reason}: named {_longest(words)!r}"
        if reason == "related":
            first = _first_words(element)
            return f"related: begins with {first!r}" if RELATED_LABEL.search(first.lower()) else "related: a teaser"
        if reason == "hidden":
            names = ("hidden", "aria-hidden", "style")
            return f"hidden: by {next((name for name in names if name in element.attributes), 'an attribute')}"
        return f"a tag: <{element.tag}>" if reason == f"a {element.tag} element" else reason

    def _sign_words(self, element: Element) -> list[str]:
        signs = _SIGNS.get(element.dropped or "", 0)
        return find_words(_names_of(element), signs) if signs & element.signs else []

    def _describe_box(self, element: Element) -> Passage:
        return self._describe(element, self._box_reason(element), kept=False)

    def _describe(self, one: Block | Element, reason: str, *, kept: bool) -> Passage:
        element = one.element if isinstance(one, Block) else one
        selector = self._namer.name(element, [] if isinstance(one, Block) else self._sign_words(element))
        return Passage(
            kept=kept,
            reason=reason,
            selector=selector,
            matches=self._namer.count(selector),
            chars=one.chars,
            elements=1 if isinstance(one, Block) else element.end - element.order,
            text=_shorten(one.text if isinstance(one, Block) else one.text()),
        )


def _list_rules(rules: ExtractRules) -> Iterator[tuple[str, str]]:
    """Yield each selector that is set with its key, counted from one: `remove[2]`, `title`, `learned.remove[1]`."""
    given: dict[str, Any] = rules.model_dump(exclude_defaults=True)
    learned = given.pop("learned", {})
    given |= {f"learned.{key}": learned.get(key, []) for key in ("remove", "links")}
    for key, value in given.items():
        if isinstance(value, list):
            yield from ((f"{key}[{number}]", selector) for number, selector in enumerate(value, 1))
        else:
            yield key, value


def _names_of(element: Element) -> str:
    return f"{element.get('class')} {element.get('id')}"


def _longest(words: list[str]) -> str:
    return max(words, key=len)


def _first_words(element: Element) -> str:
    texts = (item for child in element.walk() for item in child.children if isinstance(item, str) and item.strip())
    return _shorten(next(texts, ""))


def _describe_value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value.get("url", "")) if isinstance(value, dict) else str(value)


def _shorten(text: str) -> str:
    """Return the beginning of *text* in one line."""
    line = normalise_line(text[: 4 * _MAX_TEXT])
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 1]}…"
