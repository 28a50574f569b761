"""Which link of a list is its next page, told by the number in the address, where no `rel=next` says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS = "page|paged|pagina|página|paginas|seite|sida|side|strona|stranica|sayfa|halaman|trang|p|pg"
_KEYS = frozenset([*_WORDS.split("|"), "pag", "pagenum", "page_number", "pageno", "pn"])
_NUMBERED = re.compile(
    rf"(?P<base>.{{0,2000}}?)(?:/(?P<word>(?:{_WORDS})[/_-]?)|/)(?P<number>[0-9]{{1,4}})(?P<end>/|\.html?)?", re.DOTALL
)
_INDEX = re.compile(r"/(?:index\.[a-z]{3,5})?$")
_NUMBER = re.compile("[0-9]{1,4}")
_NUMBER_LAST = re.compile(r"/[0-9]+$")
_MAX_PAIRS = 50


def find_next(here: str, links: Iterable[str]) -> str | None:
    """Return the first of the absolute *links* that is the page after *here* of the same list, or `None`.

    A number without a word for page beside it counts only below a name, and after the first page only if the page leads
    back to that: categories and days have numbers too.
    """
    place = _read(here)
    bare: str | None = None
    first = place.form != "bare"
    for link in links:
        there = _read(link)
        if there.host != place.host or there.base != place.base or there.query != place.query:
            continue
        first = first or there.form == "none"
        if there.number != place.number + 1 or place.form not in {"none", there.form}:
            continue
        if there.form == "named":
            return link
        if bare is None and not _NUMBER_LAST.search(there.base):
            bare = link
    return bare if first else None


@dataclass(frozen=True, slots=True)
class _Place:
    """An address taken apart: a list, and which of its pages."""

    host: str
    base: str
    """The path, without the number of the page and what belongs to it."""
    query: tuple[tuple[str, str], ...] = ()
    number: int = 1
    form: Literal["none", "bare", "named"] = "none"
    """Whether there is a number, and whether a word says that it is one of pages."""


def _read(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)[:_MAX_PAIRS]
    except ValueError:
        return _Place("", url)
    path = unquote(parts.path)
    told = next(
        (at for at, (key, value) in enumerate(pairs) if key.lower() in _KEYS and _NUMBER.fullmatch(value)), None
    )
    if told is not None:
        rest = (*pairs[:told], *pairs[told + 1 :])
        return _Place(parts.netloc, _INDEX.sub("", path), rest, int(pairs[told][1]), "named")
    match = _NUMBERED.fullmatch(path)
    if match is None:
        return _Place(parts.netloc, _INDEX.sub("", path), tuple(pairs))
    form: Literal["bare", "named"] = "named" if match["word"] else "bare"
    return _Place(parts.netloc, _INDEX.sub("", match["base"]), tuple(pairs), int(match["number"]), form)
