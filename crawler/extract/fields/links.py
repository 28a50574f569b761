"""Where the article and its boxes lead: subheads, links in the text, boxes of related links → fields."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from crawler.extract.fields.basics import MAX_ITEMS
from crawler.extract.fields.targets import resolve
from crawler.extract.page.rules import select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.rules import ExtractRules
    from crawler.extract.body.blocks import Block
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element

_MAX_ANCHORS = 5_000


def read_links(
    fields: Fields, page: Page, rules: ExtractRules, container: Element, *, blocks: list[Block], url: str
) -> None:
    """Add `subheads`, `inline_links` and `related_links` to *fields*."""
    fields.put("subheads", [block.text for block in blocks if block.is_heading], "visible")
    fields.put("inline_links", _inline_links(blocks, url), "visible")
    boxes = select(page, rules.related)
    origin = "rule" if boxes else "visible"
    boxes = boxes or [element for element in container.walk() if element.dropped == "related"]
    related: dict[str, dict[str, str]] = {}
    for link in islice(chain.from_iterable(_anchors(box, url) for box in boxes[:50]), _MAX_ANCHORS):
        if link["text"]:
            related.setdefault(link["url"], link)
    fields.put("related_links", list(related.values())[:MAX_ITEMS], origin)


def _anchors(element: Element, url: str) -> Iterator[dict[str, str]]:
    for child in [element, *element.below("a")]:
        href = child.get("href").strip() if child.tag == "a" else ""
        if href and not href.startswith("#") and (target := resolve(url, href)):
            yield {"text": child.text(), "url": target}


def _inline_links(blocks: list[Block], url: str) -> list[dict[str, str]]:
    """Return the links of *blocks*. Several may stand in one element, whose links are then given for each of them."""
    known: dict[Element, list[dict[str, str]]] = {}
    found: list[dict[str, str]] = []
    for block in blocks:
        if not block.link_chars:
            continue
        if block.element not in known:
            known[block.element] = _element_links(block.element, url)
        found += _with_label(block, known[block.element])
        if len(found) >= MAX_ITEMS:
            break
    return found[:MAX_ITEMS]


def _element_links(element: Element, url: str) -> list[dict[str, str]]:
    if any(around.tag == "blockquote" for around in [element, *element.ancestors()]):
        return []
    return list(islice((link for link in _anchors(element, url) if link["text"]), MAX_ITEMS))


def _with_label(block: Block, links: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return *links* of *block*; a label before the only link (*Read next: …*) stands beside it."""
    if len(links) == 1 and block.text.endswith(links[0]["text"]):
        label = block.text[: -len(links[0]["text"])].strip()
        if label.endswith((":", "：")) and len(label) < 40:
            return [{"label": label[:-1], **links[0]}]
    return links
