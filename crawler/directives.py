"""What a publisher says to robots of one page: `X-Robots-Tag` headers and `<meta name=robots>` in, directives out.

Linear in the page, whatever is in it. Says what was found; who asks decides what is obeyed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOARCHIVE = "noarchive"
"""The one directive that is about archives."""

MAX_DIRECTIVES = 20
_MAX_CHARS = 100
_HEAD_CHARS = 512 * 1024
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_ADDRESSED = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})\s*:")
_MARK = re.compile(r"<!--|<(script|style|noscript|template)\b|<meta\b|<body\b|</head\b", re.IGNORECASE)
_CLOSING = {"": re.compile("-->")} | {
    name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "noscript", "template")
}
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,20})\s{0,9}=\s{0,9}(?:\"([^\"]{0,2000})\"|'([^']{0,2000})'|([^\s\"'>]{1,2000}))")
_TAG_CHARS = 5_000


def read_directives(headers: Iterable[str], html: str | None, token: str) -> tuple[str, ...]:
    """Return the directives that are meant for all robots or for the product *token*, in lower case, each once.

    *headers*: the values of X-Robots-Tag. *html*: the page, if it is one.
    """
    found = dict.fromkeys(_read_headers(headers, token.lower()))
    if html is not None:
        found |= dict.fromkeys(_read_meta(html, token.lower()))
    return tuple(found)[:MAX_DIRECTIVES]


def _read_headers(values: Iterable[str], token: str) -> Iterator[str]:
    for value in values:
        meant = True
        for part in value[: _MAX_CHARS * MAX_DIRECTIVES].split(","):
            match = _ADDRESSED.match(part)
            if match and match[1].lower() not in _VALUED:
                meant = match[1].lower() == token
                part = part[match.end() :]  # noqa: PLW2901 - what is addressed is what follows
            if meant and (directive := part.strip().lower()[:_MAX_CHARS]):
                yield directive


def _read_meta(html: str, token: str) -> Iterator[str]:
    for tag in _list_meta(html[:_HEAD_CHARS]):
        attributes = {name.lower(): a or b or c for name, a, b, c in reversed(_ATTRIBUTE.findall(tag))}
        if attributes.get("name", "").strip().lower() in {"robots", token}:
            for part in attributes.get("content", "").split(","):
                if directive := part.strip().lower()[:_MAX_CHARS]:
                    yield directive


def _list_meta(head: str) -> Iterator[str]:
    """Yield the meta tags of a page's head, but none in comments and scripts."""
    position = 0
    while (mark := _MARK.search(head, position)) is not None:
        word = mark[0].lower()
        if word in {"<body", "</head"}:
            return
        if word == "<meta":
            end = head.find(">", mark.end(), mark.end() + _TAG_CHARS)
            yield head[mark.end() : end if end != -1 else mark.end()]
        else:
            closing = _CLOSING[(mark[1] or "").lower()].search(head, mark.end())
            end = closing.end() if closing else -1
        if end == -1:
            return
        position = end
