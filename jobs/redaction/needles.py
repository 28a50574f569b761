"""The words of an article that was taken out, looked for in what else was on the wire: listings, feeds, other pages.

Markup, escapes and white space make no difference. Bounded by what is given: one payload at a time.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from config.errors import ExtractError
from crawler.encoding import decode_html, inflate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.warc import StoredResponse

LEAST_PARAGRAPH = 40
"""Shorter paragraphs stand in pages that have nothing to do with the article."""
LEAST_TITLE = 12
MAX_PAYLOAD_BYTES = 256 * 1024**2
_TAGS = re.compile(r"<[^<>]{0,10000}>")
_ESCAPES = re.compile(r"\\u([0-9a-fA-F]{4})")
_SIGNS = re.compile(r"\\([\"'/\\])")
_BLANKS = re.compile(r"(?:\\[nrt]|[\s\u00ad\u200b-\u200d\u2060\ufeff])+")


class Needles:
    """What is looked for."""

    def __init__(self, *, titles: Iterable[str] = (), texts: Iterable[str] = ()) -> None:
        """*titles*: as pages and listings have them. *texts*: in normal form, a paragraph a line."""
        long = {title for title in titles if len(title.strip()) >= LEAST_TITLE}
        lines = {line for text in texts for line in text.split("\n") if len(line) >= LEAST_PARAGRAPH}
        self._wanted = tuple(sorted({fold(one) for one in long | lines}))

    def __bool__(self) -> bool:
        """Whether there is anything to be looked for."""
        return bool(self._wanted)

    def are_in(self, text: str) -> bool:
        """Whether *text*, as it was sent, has any of the words."""
        if not self._wanted:
            return False
        plain = html.unescape(html.unescape(_unescape(text)))
        forms = (fold(plain), fold(_TAGS.sub("", plain)), fold(text))
        return any(one in form for one in self._wanted for form in forms)


def read_answer(response: StoredResponse) -> str:
    """Return the payload of *response* as text. One that cannot be inflated is read as it is."""
    exchange = response.exchange()
    try:
        body = inflate(response.body, exchange.header_values("Content-Encoding"), limit=MAX_PAYLOAD_BYTES)
    except ExtractError:
        body = response.body
    return decode_html(body, exchange.header("Content-Type"))


def fold(text: str) -> str:
    """Return *text* as it is compared: no white space, no difference of case or of quotes."""
    return _BLANKS.sub("", text).translate(_QUOTES).casefold()


_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": None})


def _unescape(text: str) -> str:
    """Return *text* with what JSON and scripts escape as it is meant."""
    if "\\" not in text:
        return text
    return _SIGNS.sub(r"\1", _ESCAPES.sub(lambda match: _character(match[1]), text))


def _character(digits: str) -> str:
    code = int(digits, 16)
    return chr(code) if not 0xD800 <= code < 0xE000 else ""
