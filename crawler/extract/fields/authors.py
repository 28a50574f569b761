"""Who made the article: from JSON-LD, meta, rules and the byline → people, agencies and roles, each apart."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crawler.extract.fields.agencies import ORGANISATION_TYPES
from crawler.extract.fields.credits import MAX_NAMES, Credit, is_byline, read_credits
from crawler.extract.page.metadata import Metadata, text_of, texts_of, types_of
from crawler.extract.page.rules import select
from crawler.extract.page.signs import BYLINE, COMMENT, DATE, READING_TIME, RELATED
from crawler.extract.page.words import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from urllib.parse import SplitResult

    from config.rules import ExtractRules
    from crawler.extract.fields.statements import Fields
    from crawler.extract.page.parsing import Page
    from crawler.extract.page.tree import Element

_META = ("author", "article:author", "dc.creator", "parsely-author", "byl", "sailthru.author", "cxenseparse:author")
_OTHER_KEYS = {"editor": "editor", "translator": "translator", "contributor": "contributor"}
"""Of JSON-LD, with the role that they state."""
_BYLINE_TAGS = frozenset({"li", "p", "div", "span", "address", "a"})
_BYLINE_CHARS = (3, 150)
_UNNAMED_TAGS = _BYLINE_TAGS | {"em", "i", "b", "strong"} - {"a"}
_PARTICLE = 3
"""*von*, *de la*"""
_BYLINE_ELEMENTS = 40
_LONGEST_NAME = 80
_ELSEWHERE = frozenset({"comments", "related", "a form element", "a nav element", "a label element"})
"""Marks of boxes whose bylines are those of others."""
_PICTURES = frozenset({"figure", "figcaption", "form", "label"})
_NEAR = 60
"""Elements from the first name that belongs to the article; what is further off signs another."""
_MAX_MARKED = 200
_HEARD_CHARS = 4_000
_MEETING = re.compile(r"\0(?=\w)")


def read_authors(
    fields: Fields,
    page: Page,
    found: Metadata,
    rules: ExtractRules,
    *,
    place: Element,
    host: SplitResult,
    lines: Iterable[Element] = (),
) -> None:
    """Add `authors`, `agencies`, `roles` and `byline`. *place*: the element around headline and body.

    *lines*: elements, one of which may be a byline that nothing names.
    """
    sites = _name_sites(found, host)
    ruled = [text for element in select(page, rules.authors)[:MAX_NAMES] if (text := element.text())]
    line = find_byline(page, place) or _find_unnamed_byline(lines)
    byline = line.text() if line is not None else ""
    fields.put("byline", ruled[0] if ruled else None, "rule")
    fields.put("byline", byline, "visible")
    pieces = [_read_pieces(line)] if line is not None and len(byline) < _LONGEST_NAME else []
    statements = [
        _Statement("rule", ruled, sites, shown=True),
        _Statement("json-ld", [], sites, stated=_list_stated(found, sites)),
        _Statement("meta", [name for key in _META for name in found.meta.get(key, [])], sites),
        _Statement("visible", _list_marked(page, place), sites, shown=True),
        _Statement("visible", pieces, sites, shown=True),
    ]
    best = statements[0] if ruled and statements[0].credits else None
    # a newsroom in the metadata is what many systems put there for want of a name
    sure = statements if is_byline(byline) else statements[:3]
    best = best or next((one for one in sure if any(who.wrote and not who.agency for who in one.credits)), None)
    best = best or next((one for one in statements if one.credits), None)
    if best is not None:
        _put_credits(fields, best)
        _hear_others(fields, [one for one in statements if one is not best])
        _put_roles(fields, [best, statements[-1]])


class _Statement:
    """What one place of a page says of the authors; read when it is asked for."""

    def __init__(
        self, origin: str, texts: list[str], sites: set[str], *, shown: bool = False, stated: list[Credit] | None = None
    ) -> None:
        self.origin = origin
        self.texts = texts or [credit.name for credit in stated or []]
        self._sites = sites
        self._shown = shown
        self._stated = stated

    @cached_property
    def credits(self) -> list[Credit]:
        if self._stated is not None:
            return self._stated
        return read_credits(self.texts, self._sites, shown=self._shown) if self.texts else []


def _put_credits(fields: Fields, best: _Statement) -> None:
    people = [credit.name for credit in best.credits if credit.wrote and not credit.agency]
    agencies = [credit for credit in best.credits if credit.agency]
    fields.put("authors", people or [credit.name for credit in agencies if credit.wrote], best.origin)
    fields.put("agencies", [credit.name for credit in agencies], best.origin)


def _hear_others(fields: Fields, others: list[_Statement]) -> None:
    """Note whether the other places name the same authors."""
    if "authors" in fields:
        names = [bare(name) for name in fields["authors"].value]
        for one in others:
            if one.texts:
                text = bare(" ".join(one.texts)[:_HEARD_CHARS])
                fields.witness("authors", agrees=all(name in text for name in names))


def _put_roles(fields: Fields, statements: list[_Statement]) -> None:
    """Add what people did, as the first of *statements* that says so of anybody has it, and the next beside it."""
    authors = {bare(name) for name in fields["authors"].value} if "authors" in fields else set()
    roles: dict[str, dict[str, str]] = {}
    origin = "visible"
    for one in statements[::-1]:
        for credit in one.credits:
            if credit.role and not credit.agency and (not credit.wrote or bare(credit.name) in authors):
                roles[bare(credit.name)] = {"name": credit.name, "role": credit.role}
                origin = one.origin
    fields.put("roles", list(roles.values())[:MAX_NAMES], origin)


def _name_sites(found: Metadata, host: SplitResult) -> set[str]:
    """Return what the site and its publisher are called."""
    names = [found.first("og:site_name"), found.first("application-name"), text_of(found.article.get("publisher"))]
    labels = (host.hostname or "").removeprefix("www.").split(".")
    names += [".".join(labels), *labels[:-1]]
    return {key for name in names if name and len(key := bare(name)) > 1}


def _list_stated(found: Metadata, sites: set[str]) -> list[Credit]:
    stated: dict[str, Credit] = {}
    known = {item["@id"]: item for item in found.objects if isinstance(item.get("@id"), str)}
    author = found.article.get("author") or found.article.get("creator")
    for credit in _read_stated(author, known, sites):
        stated.setdefault(bare(credit.name), credit)
    for key, role in _OTHER_KEYS.items():
        for credit in _read_stated(found.article.get(key), known, sites):
            if not credit.agency:
                credit.role, credit.wrote = credit.role or role, False
                stated.setdefault(bare(credit.name), credit)
    return list(stated.values())[:MAX_NAMES]


def _read_stated(value: object, known: dict[str, dict[str, Any]], sites: set[str]) -> Iterator[Credit]:
    """Yield the people and organisations of a JSON-LD value that may be one or many, names or objects.

    *known*: the page's objects by their `@id`, by which others refer to them.
    """
    for stated in (value if isinstance(value, list) else [value])[:MAX_NAMES]:
        item = stated
        if isinstance(item, dict) and not item.get("name") and isinstance(item.get("@id"), str):
            item = known.get(item["@id"], item)
        if not isinstance(item, dict):
            yield from read_credits(texts_of(item), sites)
            continue
        name = _name_of(item)
        if types_of(item) & ORGANISATION_TYPES and name and len(name) <= _LONGEST_NAME:
            yield Credit(name, agency=True)
            continue
        people = read_credits(texts_of(item.get("name")) or ([name] if name else []), sites)
        job = text_of(item.get("jobTitle"))
        for credit in people:
            credit.role = credit.role or (job if len(people) == 1 and not credit.agency else None)
            yield credit


def _name_of(item: dict[str, Any]) -> str | None:
    given, family = text_of(item.get("givenName")), text_of(item.get("familyName"))
    return (text_of(item) if item.get("name") else None) or " ".join(part for part in (given, family) if part) or None


def find_byline(page: Page, place: Element) -> Element | None:
    """Return the element that is named a byline: in *place* if one is there; of comments and pictures none."""
    named = page.body.signed(BYLINE)
    found = [element for element in named if _is_byline(element)]
    inside = [element for element in found if place.order <= element.order < place.end]
    return next(iter(inside or found), None)


def _find_unnamed_byline(lines: Iterable[Element]) -> Element | None:
    """Return the first of *lines* that is short, says by whom, and then names people and nothing else."""
    for element in lines:
        if not _BYLINE_CHARS[0] < element.chars < _BYLINE_CHARS[1] or element.tag not in _UNNAMED_TAGS:
            continue
        text = element.text()
        if len(text) >= _LONGEST_NAME or not is_byline(text) or _stands_elsewhere(element):
            continue
        people = [credit.name for credit in read_credits([_read_pieces(element)], shown=True) if not credit.agency]
        if people and all(_is_full_name(name) for name in people):
            return element
    return None


def _is_full_name(name: str) -> bool:
    words = name.split()
    return len(words) > 1 and all(not word[0].islower() or len(word) <= _PARTICLE for word in words)


def _is_byline(element: Element) -> bool:
    if not _BYLINE_CHARS[0] < element.chars < _BYLINE_CHARS[1] or element.tag not in _BYLINE_TAGS:
        return False
    return element.find("p", "ul", "h2") is None and not _stands_elsewhere(element)


def _stands_elsewhere(element: Element) -> bool:
    for one in (element, *element.ancestors()):
        if one.tag in _PICTURES:
            return True
        if one.dropped and (one.dropped in _ELSEWHERE or one.signs & (RELATED | COMMENT)):
            return True
    return False


def _list_marked(page: Page, place: Element) -> list[str]:
    """Return the texts that are marked as the author's name, of the first place where such stand together."""
    marked = [
        element
        for element in page.root.tree.described
        if ("author" in element.get("itemprop") or element.get("rel") == "author") and element.chars
    ]
    marked = [element for element in marked[:_MAX_MARKED] if not _stands_elsewhere(element)]
    inside = [element for element in marked if place.order <= element.order < place.end] or marked
    if not inside:
        return []
    first = inside[0].order
    return [_read_pieces(_find_name(element)) for element in inside[:20] if element.order < first + _NEAR]


def _find_name(element: Element) -> Element:
    if element.end - element.order > _BYLINE_ELEMENTS:
        return element
    return next((inner for inner in element.walk() if inner.get("itemprop") == "name" and inner.chars), element)


def _read_pieces(element: Element) -> str:
    """Return the text of *element* with a bar wherever links and lines begin or end, and letters meet.

    Times are left out. An element of many others is read as it is.
    """
    if element.end - element.order > _BYLINE_ELEMENTS:
        return element.text()
    pieces: list[str] = []
    stack: list[Element | str] = [element]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            pieces.append(item)
            continue
        if (
            item is not element
            and (item.tag == "time" or item.signs & (DATE | READING_TIME))
            and not item.signs & BYLINE
        ):
            stack.append("|")
            continue
        if item.tag in {"a", "li", "p", "div", "br"} and item is not element:
            pieces.append("|")
            stack.append("|")
        elif pieces and pieces[-1][-1:].isalnum():
            pieces.append("\0")
        stack.extend(reversed(item.children))
    return _MEETING.sub("|", "".join(pieces)).replace("\0", "")
