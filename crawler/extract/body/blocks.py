"""The body's element → its blocks in document order: one walk, then the head and the tail are trimmed.

A block is a paragraph, heading, list item, quote part or table row; `<br>` ends a line within it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crawler.extract.page.tree import BLOCK_TAGS, HEADING_TAGS, Element, measure
from crawler.extract.page.words import (
    AGE_LINE,
    BYLINE_LINE,
    CLOCK,
    COPYRIGHT_LINE,
    DATE_LINE,
    EMAIL_LINE,
    FURNITURE_LINE,
    RELATED_LABEL,
    TAG_LABEL,
    TIME_LINE,
)
from crawler.normalise import normalise_line, normalise_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LETTER_OR_DIGIT: Final = re.compile(r"[^\W_]")
_CELLS: Final = frozenset({"td", "th"})
_COPYRIGHT_BEGINNINGS: Final = ("(", "c", "C")
"""Of lines without the sign; the whole expression takes ten times as long to say no."""
_SENTENCE: Final = 40
"""A block of so many characters is text; short list items above the first such are the date, the source and so on."""
_IMPRINT: Final = 90
_LONG_IMPRINT: Final = 200
"""With a time among who, when and what they are."""
_LONG: Final = 100
_ITEM_TAGS: Final = frozenset({"li", "dd", "dt", "blockquote", "pre"})
_ENDS: Final = (".", "!", "?", "”", '"', "»", "’", "…", "。", "！", "？", "」", "؟", ")", "“")
_BYLINE_ELEMENTS: Final = 20
"""An element that holds more is no byline: a text's lines may stand in one with the author's name."""
TAGS: Final = "a line of tags"
_BOX_ELEMENTS: Final = 200
_TIME_CHARS, _POST_ELEMENTS = 60, 200
_LABEL_CHARS: Final = 40
_LABELLED_ELEMENTS: Final = 20
"""An element with more below it is no line that a label begins, and many lines may share it."""
_SIGNED: Final = 60
SIGNED: Final = "trimmed at the tail: a byline"
_AND: Final = frozenset({"and", "und", "et", "y", "e", "en", "och", "og"})
_PARAGRAPH: Final = 60
"""List items of so many characters are text wherever they stand."""


@dataclass(slots=True)
class Block:
    """A block of text and where it stood."""

    lines: list[str]
    element: Element
    """The nearest block element."""
    chars: int
    link_chars: int
    order: int
    """Document order of the element that its text began in."""
    dropped: str | None = None
    """Why it is no part of the text, where it was trimmed."""

    @property
    def text(self) -> str:
        """The block's lines."""
        return "\n".join(self.lines)

    @property
    def is_heading(self) -> bool:
        """Whether the block is a heading."""
        return self.element.tag in HEADING_TAGS


class _Writer:
    """Collects inline text and closes a block wherever a block element begins or ends."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._pieces: list[str] = []
        self._links = 0

    def add(self, text: str, *, linked: bool) -> None:
        self._pieces.append(" ".join(text.split("\n")) if "\n" in text else text)
        if linked:
            self._links += measure(text.strip())

    def end_line(self) -> None:
        self._pieces.append("\n")

    def end_block(self, element: Element) -> None:
        if not self._pieces:
            return
        lines = normalise_lines("".join(self._pieces))
        if lines:
            chars = sum(map(measure, lines))
            self.blocks.append(Block(lines, element, chars, min(self._links, chars), element.order))
        self._pieces.clear()
        self._links = 0


def read_blocks(roots: Iterable[Element]) -> list[Block]:
    """Return the blocks of *roots* in document order; dropped elements are passed over."""
    writer = _Writer()
    for root in roots:
        _walk(root, writer)
        writer.end_block(root)
    return writer.blocks


def _walk(root: Element, writer: _Writer) -> None:
    # what is still to be read of each element around: children, the block that they belong to, whether in a link
    stack: list[tuple[Iterator[Element | str], Element, bool]] = []
    children: Iterator[Element | str] = iter((root,))
    block, linked = root, False
    while True:
        for item in children:
            if isinstance(item, str):
                writer.add(item, linked=linked)
                continue
            if item.dropped and item is not root:
                continue
            tag = item.tag
            if tag == "br":
                writer.end_line()
                continue
            inner = block
            if tag in _CELLS:
                writer.add(" ", linked=False)
            elif tag in BLOCK_TAGS:
                writer.end_block(block)
                inner = item
            if item.children:
                stack.append((children, block, linked))
                children, block, linked = iter(item.children), inner, linked or tag == "a"
                break
        else:
            if not stack:
                return
            ended = block
            children, block, linked = stack.pop()
            if ended is not block:
                writer.end_block(ended)


def trim_blocks(blocks: list[Block], title: str | None) -> list[Block]:
    """Return *blocks* without lines of furniture, labels of boxes that went, and headings that head nothing."""
    for block in blocks:
        block.dropped = _furniture_reason(block)
    kept = [block for block in blocks if not block.dropped]
    if title:
        wanted = normalise_line(title)
        at = next((i for i, block in enumerate(kept[:12]) if block.text == wanted), None)
        if at is not None and 4 * sum(block.chars for block in kept[:at]) < sum(block.chars for block in kept):
            kept = drop_blocks(kept, kept[:at], "above the headline")
        kept = drop_blocks(kept, [block for block in kept if block.text == wanted], "the headline again")
    while kept and kept[-1].is_heading:
        kept.pop().dropped = "a heading that heads nothing"
    first = next((i for i, block in enumerate(kept) if _is_text(block)), 0)
    imprint = [block for block in kept[:first] if _is_imprint(block)]
    imprint += [block for block in kept[first + 1 : first + 3] if _is_signature(block)]
    kept = drop_blocks(kept, imprint, "trimmed at the head: a date, a byline or a short item")
    while kept and EMAIL_LINE.fullmatch(kept[-1].text):
        kept.pop().dropped = "trimmed at the tail: an address"
    if len(kept) > 1 and _is_signed(kept[-1]):
        kept.pop().dropped = SIGNED
    return kept


def _is_signed(block: Block) -> bool:
    """Whether a block is *By* and a name or two."""
    if len(block.lines) > 1 or block.is_heading or block.chars > _SIGNED or block.text.endswith(_ENDS):
        return False
    words = block.text.split()[1:]
    names = [word for word in words if word not in _AND]
    return len(names) > 1 and all(word[0].isupper() for word in names) and bool(BYLINE_LINE.search(block.text))


def drop_blocks(blocks: list[Block], gone: list[Block], reason: str) -> list[Block]:
    """Mark the blocks *gone* with *reason* and return the rest of *blocks*."""
    for block in gone:
        block.dropped = reason
    return [block for block in blocks if not block.dropped] if gone else blocks


def trim_appendix(blocks: list[Block], end: int, beside: int) -> list[Block]:
    """Return *blocks* without what follows the article's column, which ends at place *end*.

    What stands right *beside* it (up to that place) goes only if it is made of links and crumbs; what stands further
    off stays only if the text goes on there: with several paragraphs.
    """
    first = next((i for i, block in enumerate(blocks) if block.order >= end), len(blocks))
    while first < len(blocks) and blocks[first].element.tag == "p" and _is_paragraph(blocks[first]):
        first += 1
    near = [block for block in blocks[first:] if block.order < beside]
    if near and _is_more_text(near):
        first += len(near)
    appended = blocks[first:]
    paragraphs = [block for block in appended if block.element.tag == "p" and _is_paragraph(block)]
    if len(paragraphs) >= 2 and sum(block.chars for block in paragraphs) > 0.5 * sum(b.chars for b in appended):
        return blocks
    return drop_blocks(blocks, appended, "trimmed at the tail: behind the article's column")


def _is_more_text(blocks: list[Block]) -> bool:
    """Whether *blocks* are sentences and lists, with their headings, rather than links, labels and other crumbs."""
    text = crumbs = 0
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        linked = block.link_chars > 0.3 * block.chars
        headed = block.is_heading and following is not None and not following.is_heading
        if not linked and (headed or block.element.tag in _ITEM_TAGS or block.text.endswith((*_ENDS, ":"))):
            text += block.chars
        else:
            crumbs += block.chars
    return text > 2 * crumbs


def _is_paragraph(block: Block) -> bool:
    return block.chars - block.link_chars >= _LONG and block.text.endswith(_ENDS)


def _is_text(block: Block) -> bool:
    return block.chars >= _SENTENCE and block.element.tag != "li" and not _is_imprint(block)


def _is_imprint(block: Block) -> bool:
    """Whether a block above the text is a date, a byline or a short list item: what stands round a headline."""
    if block.element.tag == "li" and block.chars < _PARAGRAPH:
        return True
    if block.is_heading:
        return BYLINE_LINE.search(block.text) is not None and block.chars < _SENTENCE
    if block.chars > _IMPRINT:
        return block.chars <= _LONG_IMPRINT and not block.text.endswith(_ENDS) and _shows_time(block.element)
    return all(_is_imprint_line(line) for line in block.lines) or (
        not block.text.endswith(_ENDS) and _names_author(block.element)
    )


def _is_signature(block: Block) -> bool:
    """Whether a block right under a standfirst is the author's name, or the date, and nothing else."""
    if block.is_heading or block.element.tag == "li" or block.chars > _IMPRINT or block.text.endswith(_ENDS):
        return False
    return _names_author(block.element) or all(DATE_LINE.search(line) for line in block.lines)


def _shows_time(element: Element) -> bool:
    return element.end - element.order <= _BYLINE_ELEMENTS and element.find("time") is not None


def _names_author(element: Element) -> bool:
    if element.end - element.order > _BYLINE_ELEMENTS:
        return False
    return any("author" in inner.get("itemprop") for inner in element.walk())


def _is_imprint_line(line: str) -> bool:
    if EMAIL_LINE.fullmatch(line):
        return True
    if line.endswith((".", "!", "?", "”", '"', "。", "！", "？", "؟", "۔", "।")):
        return False
    if len(line) < _SENTENCE and (_is_in_capitals(line) or TIME_LINE.search(line)):
        return True
    return BYLINE_LINE.search(line) is not None or DATE_LINE.search(line) is not None


def _is_time(block: Block) -> bool:
    """Whether a block is how long ago, or the time of day in an element for times, and hardly anything else."""
    text = block.text
    if AGE_LINE.fullmatch(text):
        return True
    if CLOCK.search(text) is None or block.element.end - block.element.order > _POST_ELEMENTS:
        return False
    return any(time.text() == text for time in block.element.below("time")[:10])


def _is_label_with_links(block: Block) -> bool:
    link = block.element.find("a")
    if link is None or block.element.end - block.element.order > _BOX_ELEMENTS:
        return False
    label = block.element.text_before(link)
    return len(label) <= _LABEL_CHARS and block.link_chars > 0.7 * (block.chars - measure(label))


def _is_in_capitals(line: str) -> bool:
    """Whether all letters are capitals; most scripts have none, and an acronym among them makes no label."""
    return line.isupper() and all(letter.isupper() for letter in line if letter.isalpha())


def find_label(block: Block) -> str:
    """Return what stands in *block* before a link that is all the rest, as in `Read also: …`; else an empty text."""
    if not 0 < block.link_chars < block.chars or len(block.lines) > 1:
        return ""
    if block.element.end - block.element.order > _LABELLED_ELEMENTS:
        return ""
    link = block.element.find("a")
    if link is None:
        return ""
    label = normalise_line(block.element.text_before(link))
    rest = block.lines[0].removeprefix(label).strip()
    if not label or len(label) > _LABEL_CHARS or len(rest) == len(block.lines[0]):
        return ""
    return label if rest == normalise_line(" ".join(a.text() for a in block.element.below("a"))) else ""


def _is_copyright(text: str) -> bool:
    """Whether a line claims a copyright: by the sign, or in the words that it begins with."""
    return ("©" in text or text[:1] in _COPYRIGHT_BEGINNINGS) and COPYRIGHT_LINE.search(text) is not None


def _furniture_reason(block: Block) -> str | None:
    """Return why *block* is a line of furniture, wherever it stands."""
    text = block.text
    if len(block.lines) == 1 and len(text) < 400 and _is_copyright(text):
        return "a copyright line"
    if len(block.lines) > 1 or len(text) > 160:
        return None
    if not block.is_heading and len(text) <= _TIME_CHARS and _is_time(block):
        return "a time"
    if FURNITURE_LINE.search(text):
        return "a line of furniture"
    if RELATED_LABEL.search(text.lower()):
        return "the label of a box"
    if block.link_chars and TAG_LABEL.match(text) and _is_label_with_links(block):
        return TAGS
    if not _LETTER_OR_DIGIT.search(text):
        return "no letter or digit" if block.chars < 4 or len(set(text)) < 3 else None
    # a paragraph that is a link as a whole and no sentence leads elsewhere
    whole = block.link_chars >= 0.95 * block.chars and not block.is_heading and block.element.tag != "li"
    return "a link as a whole" if whole else None
