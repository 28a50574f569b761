"""A bounded reader of XML on expat: elements in, a subclass's links out, and what stands before a fault counts.

No entity is expanded and nothing is fetched. Time is bounded by counts, not by a clock, so the same bytes always give
the same links.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from crawler.discover.finder import Finder, StopReadingError
from crawler.urls import MAX_URL_CHARACTERS

MAX_READ_BYTES = 50 * 1024 * 1024
"""The sitemap protocol's own limit; read in about a second."""
MAX_NAMES = 10_000
"""Different names of elements."""
MAX_DEPTH = 200
MAX_TEXT = MAX_URL_CHARACTERS + 1
"""What is longer is cut; one character more than a URL may have, so that no URL that was cut is taken for one."""
MAX_ATTRIBUTES = 50_000
"""Of one element; expat reads it whole before it says so."""

_ATTRIBUTE = re.compile(rb"=\s*[\"']")
_CUT_CODES = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


@dataclass(slots=True)
class MarkupReader:
    """Expat and its bounds, for one document. A subclass gives `begin` and `end`, and gathers text by `collect`."""

    finder: Finder
    kind: str
    """For messages: `feed` or `sitemap`."""
    depth: int = 0
    fault: str | None = None
    malformed: bool = False
    """Whether the document breaks XML's rules before its end; being cut off is no such thing."""
    parts: list[str] = field(default_factory=list)
    size: int = 0
    parser: expat.XMLParserType = field(default_factory=lambda: expat.ParserCreate("utf-8"))

    def read(self, text: bytes) -> str | None:
        """Read *text* (UTF-8, with no XML declaration); return what is wrong with it."""
        end = min(len(text), MAX_READ_BYTES, find_crowd(text, MAX_ATTRIBUTES))
        parser = self.parser
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self.begin
        parser.EndElementHandler = self.end
        parser.EntityDeclHandler = self._refuse_entities
        parser.AttlistDeclHandler = self._refuse_attributes
        try:
            parser.Parse(memoryview(text)[:end], True)
        except StopReadingError:
            if self.finder.work < 0:
                return f"{self.kind} is too much to read; the first {parser.CurrentByteIndex} bytes were read"
            return self.fault
        except expat.ExpatError as error:
            if end < len(text) and error.code in _CUT_CODES:
                return f"{self.kind} is too much to read; the first {end} bytes were read"
            self.malformed = self.depth > 0 and error.code not in _CUT_CODES
            return f"damaged {self.kind}: {error}"
        finally:
            # parser and reader hold each other: the links would stay until Python looks for such circles
            parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
            parser.EntityDeclHandler = parser.AttlistDeclHandler = None
        return None

    def begin(self, name: str, attributes: list[str]) -> None:
        """Take note of a start tag; *attributes*: names and values in turn."""
        raise NotImplementedError

    def end(self, name: str) -> None:
        """Take note of an end tag."""
        raise NotImplementedError

    def collect(self) -> None:
        """Begin to gather text."""
        self.parts.clear()
        self.size = 0
        self.parser.CharacterDataHandler = self._add_text

    def collected(self) -> str:
        """Return the text gathered since `collect`, and gather no more."""
        self.parser.CharacterDataHandler = None
        return "".join(self.parts)[:MAX_TEXT].strip()

    def stop(self, reason: str) -> None:
        """End the reading here; *reason*: what is wrong."""
        self.fault = reason
        raise StopReadingError

    def refuse(self) -> None:
        """End the reading because the document is too deep or too much."""
        if self.depth > MAX_DEPTH:
            self.stop(f"damaged {self.kind}: elements nested more than {MAX_DEPTH} deep")
        raise StopReadingError

    def _add_text(self, data: str) -> None:
        if self.size < MAX_TEXT:
            self.parts.append(data)
            self.size += len(data)

    def _refuse_entities(self, *_declaration: object) -> None:
        self.stop(f"damaged {self.kind}: it declares entities, which no {self.kind} needs")

    def _refuse_attributes(self, *_declaration: object) -> None:
        self.stop(f"damaged {self.kind}: it declares attributes, which no {self.kind} needs")


def find_crowd(text: bytes, limit: int) -> int:
    """Return where the first element with more than *limit* attributes begins, or the length of *text*."""
    for stretch in re.finditer(rb"<[^<]{%d,}" % (4 * limit), text):
        for number, _ in enumerate(_ATTRIBUTE.finditer(text, stretch.start(), stretch.end())):
            if number >= limit:
                return stretch.start()
    return len(text)
