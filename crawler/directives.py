"""What a publisher says to robots of one page: `X-Robots-Tag` headers and `<meta name=robots>` in, directives out.

Linear in the page, whatever is in it. Says what was found; who asks decides what is obeyed.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PRODUCT = "ofrecord"
NOARCHIVE = "noarchive"
"""The one directive that is about archives."""

MAX_DIRECTIVES = 20
_MAX_CHARS = 100
_MAX_VALUE_CHARS = 4_000
_HEAD_CHARS = 512 * 1024
_STEPS = tuple(slice(start * 1024, end * 1024) for start, end in ((0, 16), (16, 64), (64, 512)))
"""Where a head ends within the first, as most do, no more is looked through."""
_TAG_CHARS = 5_000
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_ADDRESSED = re.compile(r"\s*([A-Za-z][!#$%&'*+.^_`|~0-9A-Za-z-]{0,99})\s*:")
_MARK = re.compile(
    rb"<(?:!--|(?:(script|style|noscript|template|title|textarea)|meta|body|/head)(?![0-9a-z_?\x80-\xff]))"
)
"""In small letters, other characters than those of Latin-1 as `?`."""
_MARK_CHARS = len("</textarea")
"""So much of the longest mark, or of an end, may stand before the rest of it has come."""
_HEAD_ENDS = frozenset({b"<body", b"</head"})
_COMMENT_END = re.compile(rb"(?<=<!)--?-?>|--!?>")
_TAG = re.compile(rb"(?:[^>\"']+|\"[^\"]*\"|'[^']*')*+>")
_ODD_TAG = re.compile(rb"(?:[^>\"']+|\"[^\"]*\"|'[^']*'|[\"'])*+>")
"""With a quote that is not closed."""
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,20})\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]{1,2000}))")


def product_token(user_agent: str) -> str:
    """Return the name by which robots.txt may call us: RFC 9309 § 2.2.1."""
    return user_agent.partition("/")[0].partition(" ")[0] or PRODUCT


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


def find_robots_tags(pieces: Iterable[str], product: str) -> str:
    """Return those meta tags in the head of a page in which `read_directives` may find any, and no more.

    *pieces*: of the page from its beginning; no more of them are taken than the head takes.
    """
    tags = _list_tags(pieces)
    return "".join([f"<meta{tag}>" for tag in tags if _may_direct(tag.lower(), product.lower())])


def find_robots_tags_in(utf8: bytes, product: str) -> str:
    """Return what `find_robots_tags` returns for a whole page, which is searched as bytes: several times quicker."""
    tags = find_robots_tags((piece.decode("latin-1") for piece in map(utf8.__getitem__, _STEPS)), product)
    return tags if tags.isascii() else tags.encode("latin-1").decode("utf-8", "replace")


def _list_tags(pieces: Iterable[str]) -> list[str]:
    """Return the meta tags of a page's head; *pieces*: of the page from its beginning."""
    head = _Head()
    for piece in pieces:
        if head.add(piece):
            return head.tags
    head.end()
    return head.tags


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
    for tag in _list_tags(map(page.__getitem__, _STEPS)):
        if not _may_direct(tag.lower(), product):
            continue
        attributes: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(tag):
            attributes.setdefault(match[1].lower(), match[2] or match[3] or match[4] or "")
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


class _Head:
    """The meta tags of a page's head, which comes piece by piece; none in comments, scripts and titles.

    Goes through each character once, however many pieces there are.
    """

    def __init__(self) -> None:
        self.tags: list[str] = []
        self._text = ""
        self._plain = bytearray()
        """The text in small letters, a byte a character: many times quicker to search."""
        self._position = 0
        """All before is done with."""
        self._searched = 0
        """Before that there is no end of what begins at the position."""

    def add(self, piece: str) -> bool:
        """Take in *piece*; return whether the head is over, or as long as any is read."""
        piece = piece[: _HEAD_CHARS - len(self._text)]
        self._text += piece
        self._plain += piece.encode("latin-1", "replace").lower()
        return self._read(partly=True) or len(self._text) >= _HEAD_CHARS

    def end(self) -> None:
        """Read what was left since more might have come."""
        self._read(partly=False)

    def _read(self, *, partly: bool) -> bool:
        """Go on as far as there is text; return whether the head's end was seen."""
        plain, position = self._plain, self._position
        while (mark := _MARK.search(plain, position)) is not None:
            kind = mark[0]
            if kind in _HEAD_ENDS:
                self._position = mark.start()
                return mark.end() < len(plain)
            if kind == b"<meta":
                stop = _find_tag_end(plain, mark.end(), partly=partly)
                if stop >= 0:
                    self.tags.append(self._text[mark.end() : stop])
            else:
                since = mark.end() if mark.start() > self._position else max(mark.end(), self._searched)
                stop = plain.find(b"</" + mark[1], since) if mark[1] else _find_comment_end(plain, mark.start(), since)
            if stop < 0:
                self._position, self._searched = mark.start(), len(plain) - _MARK_CHARS
                return False
            position = stop
        self._position, self._searched = max(position, len(plain) - _MARK_CHARS), 0
        return False


def _find_comment_end(plain: bytearray, start: int, since: int) -> int:
    """Return where the comment that begins at *start* ends, -1 if it does not; not before *since*."""
    end = _COMMENT_END.search(plain, max(start + 2, since - _MARK_CHARS))
    return end.end() if end else -1


def _find_tag_end(plain: bytearray, start: int, *, partly: bool) -> int:
    """Return where the tag's `>` stands, outside quotes; -1 if it is too far or there is none."""
    end = _TAG.match(plain, start, start + _TAG_CHARS)
    if end is None and not (partly and start + _TAG_CHARS > len(plain)):
        end = _ODD_TAG.match(plain, start, start + _TAG_CHARS)
    return end.end() - 1 if end else -1
