"""What a publisher says to robots of one page: `X-Robots-Tag` headers and `<meta name=robots>` in, directives out.

Linear in the page, whatever is in it. Says what was found; who asks decides what is obeyed.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOARCHIVE = "noarchive"
"""The one directive that is about archives."""

MAX_DIRECTIVES = 20
_MAX_CHARS = 100
_MAX_VALUE_CHARS = 4_000
_HEAD_CHARS = 512 * 1024
_TAG_CHARS = 5_000
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_ADDRESSED = re.compile(r"\s*([A-Za-z][!#$%&'*+.^_`|~0-9A-Za-z-]{0,99})\s*:")
_RAW = ("script", "style", "noscript", "template", "title", "textarea")
_MARK = re.compile(rf"<!--|<({'|'.join(_RAW)})\b|<meta\b|<body\b|</head\b", re.IGNORECASE)
_CLOSING = {name: re.compile(f"</{name}", re.IGNORECASE) for name in _RAW}
_COMMENT_END = re.compile(r"(?<=<!)--?-?>|--!?>")
_TAG = re.compile(r"(?:[^>\"']+|\"[^\"]*\"|'[^']*'|[\"'])*+>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,20})\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]{1,2000}))")


def read_directives(headers: Iterable[str], page: str | None, product: str) -> tuple[str, ...]:
    """Return the directives that are meant for all robots or for the product token *product*, in lower case, each once.

    *headers*: the values of X-Robots-Tag. *page*: the HTML, or its beginning. Of very many, the first count, and
    `noarchive` wherever it stands.
    """
    found = dict.fromkeys(_read_headers(headers, product.lower()))
    if page is not None:
        found |= dict.fromkeys(_read_meta(page, product.lower()))
    first = list(found)[:MAX_DIRECTIVES]
    if NOARCHIVE in found and NOARCHIVE not in first:
        first[-1] = NOARCHIVE
    return tuple(first)


def find_robots_tags(page: str, product: str) -> tuple[str, bool]:
    """Return those meta tags at the beginning of *page* in which `read_directives` may find any, and no more.

    And whether all of them are there: the head of *page* ends in it.
    """
    tags, whole = _list_meta(page[:_HEAD_CHARS])
    return "".join(f"<meta{tag}>" for tag in tags if _may_direct(tag.lower(), product.lower())), whole


def _may_direct(tag: str, product: str) -> bool:
    return "robots" in tag or product in tag or "&" in tag


def _read_headers(values: Iterable[str], product: str) -> Iterator[str]:
    for value in values:
        meant = True
        for part in value.split(","):
            match = _ADDRESSED.match(part)
            if match and match[1].lower() not in _VALUED:
                meant = match[1].lower() == product
                part = part[match.end() :]  # noqa: PLW2901 - what is addressed is what follows
            if meant:
                yield from _read_part(part)


def _read_meta(page: str, product: str) -> Iterator[str]:
    for tag in _list_meta(page[:_HEAD_CHARS])[0]:
        if not _may_direct(tag.lower(), product):
            continue
        attributes = {name.lower(): a or b or c for name, a, b, c in reversed(_ATTRIBUTE.findall(tag))}
        if html.unescape(attributes.get("name", "")).strip().lower() in {"robots", product}:
            for part in html.unescape(attributes.get("content", "")[:_MAX_VALUE_CHARS]).split(","):
                yield from _read_part(part)


def _read_part(part: str) -> Iterator[str]:
    """Yield a directive, and `noarchive` apart where it stands among words that no comma parts."""
    directive = part.strip().lower()[:_MAX_CHARS]
    if directive:
        yield directive
    if directive != NOARCHIVE and NOARCHIVE in directive.split():
        yield NOARCHIVE


def _list_meta(head: str) -> tuple[list[str], bool]:
    """Return the meta tags of a page's head, but none in comments, scripts and titles; and whether its end was seen."""
    tags: list[str] = []
    position = 0
    while (mark := _MARK.search(head, position)) is not None:
        word = mark[0].lower()
        if word in {"<body", "</head"}:
            return tags, mark.end() < len(head)
        if word == "<meta":
            stop = _find_tag_end(head, mark.end())
            if stop is not None:
                tags.append(head[mark.end() : stop])
        else:
            closing = _COMMENT_END.search(head, mark.start() + 2) if mark[1] is None else None
            closing = closing or (_CLOSING[mark[1].lower()].search(head, mark.end()) if mark[1] else None)
            stop = closing.end() if closing else None
        if stop is None:
            break
        position = stop
    return tags, False


def _find_tag_end(head: str, start: int) -> int | None:
    """Return where the tag's `>` stands, outside quotes; `None` if it is too far or there is none."""
    end = _TAG.match(head, start, start + _TAG_CHARS)
    return end.end() - 1 if end else None
