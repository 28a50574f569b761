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
_STEPS_CHARS = (16 * 1024, 64 * 1024, _HEAD_CHARS)
"""Where a head ends within the first, as most do, no more is looked through."""
_TAG_CHARS = 5_000
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_ADDRESSED = re.compile(r"\s*([A-Za-z][!#$%&'*+.^_`|~0-9A-Za-z-]{0,99})\s*:")
_MARK = re.compile(
    rb"<(?:!--|(?:(script|style|noscript|template|title|textarea)|meta|body|/head)(?![0-9a-z_?\x80-\xff]))"
)
"""In small letters, other characters than those of Latin-1 as `?`."""
_COMMENT_END = re.compile(rb"(?<=<!)--?-?>|--!?>")
_TAG = re.compile(rb"(?:[^>\"']+|\"[^\"]*\"|'[^']*')*+>")
_ODD_TAG = re.compile(rb"(?:[^>\"']+|\"[^\"]*\"|'[^']*'|[\"'])*+>")
"""With a quote that is not closed."""
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


def find_robots_tags(beginnings: Iterable[str], product: str) -> str:
    """Return those meta tags in the head of a page in which `read_directives` may find any, and no more.

    *beginnings*: of the page, each longer than the last; no more of them are taken than the head takes.
    """
    tags = _list_tags(beginnings)
    return "".join(f"<meta{tag}>" for tag in tags if _may_direct(tag.lower(), product.lower()))


def _list_tags(beginnings: Iterable[str]) -> list[str]:
    """Return the meta tags of a page's head; *beginnings*: of the page, each longer than the last."""
    found: list[str] = []
    page, position, whole = "", 0, False
    for page in beginnings:
        tags, position, whole = _list_meta(page[:_HEAD_CHARS], position, partly=True)
        found += tags
        if whole:
            return found
    return found + _list_meta(page[:_HEAD_CHARS], position)[0]


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
    for tag in _list_tags(page[:chars] for chars in _STEPS_CHARS):
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


def _list_meta(head: str, position: int = 0, *, partly: bool = False) -> tuple[list[str], int, bool]:
    """Return the meta tags of a page's head from *position* on, but none in comments, scripts and titles.

    And where to go on with more of it, and whether its end was seen. *partly*: there may be more of it, so that what
    may mean something else then is left for then.
    """
    tags: list[str] = []
    plain = head.encode("latin-1", "replace").lower()  # a byte a character: many times quicker to search
    while (mark := _MARK.search(plain, position)) is not None:
        stop: int | None
        if mark[0] in {b"<body", b"</head"}:
            return tags, mark.start(), mark.end() < len(head)
        if mark[0] == b"<meta":
            stop = _find_tag_end(plain, mark.end(), partly=partly)
            if stop is not None:
                tags.append(head[mark.end() : stop])
        elif mark[1] is None:
            comment = _COMMENT_END.search(plain, mark.start() + 2)
            stop = comment.end() if comment else None
        else:
            stop = plain.find(b"</" + mark[1], mark.end())
            stop = stop if stop >= 0 else None
        if stop is None:
            return tags, mark.start(), False
        position = stop
    return tags, position, False


def _find_tag_end(plain: bytes, start: int, *, partly: bool) -> int | None:
    """Return where the tag's `>` stands, outside quotes; `None` if it is too far or there is none."""
    end = _TAG.match(plain, start, start + _TAG_CHARS)
    if end is None and not (partly and start + _TAG_CHARS > len(plain)):
        end = _ODD_TAG.match(plain, start, start + _TAG_CHARS)
    return end.end() - 1 if end else None
