"""A page → its lines of text with the elements that hold them: what many pages of a source are compared by.

Elements are named by tag and class or id, as a rule names them; what a build or a visit makes up is left aside.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from config.errors import ExtractError
from crawler.extract.body.blocks import find_label, read_blocks
from crawler.extract.naming import is_made_up
from crawler.extract.page.parsing import parse_page
from crawler.model import (
    MAX_OUTLINE_LINES,
    MAX_OUTLINE_NAMES,
    MAX_OUTLINE_REFERENCES,
    Outline,
    OutlineLine,
    PageClass,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.extract.body.blocks import Block
    from crawler.extract.page.tree import Element
    from crawler.model import Snapshot

_LEVELS = 10
"""So many elements around a line are named."""
_CLASSES = 6
_MOST = 0.5
"""An element that holds this share of the text is the article, not a box in it."""
_SHOWN = 300
_LINKED = 0.8
_NEVER = frozenset({"html", "body", "main"})
_BOXES = frozenset({"ul", "ol", "dl", "table", "div", "section", "aside", "blockquote", "h2", "h3", "h4", "h5", "h6"})
"""Named by the element around them where they have no name of their own; a plain paragraph never is."""
_STEPS = 3
_NAME = re.compile(r"[A-Za-z][A-Za-z_-]{0,38}[0-9]{0,2}(?:-[A-Za-z]{1,12}|__?[a-z-]{1,30})?", re.ASCII)


def read_outline(html: str, snapshot: Snapshot | None, page_class: PageClass) -> Outline:
    """Return the lines of *html* with their elements, and which of them are in the text of *snapshot*.

    Raises ExtractError if the page cannot be read, or has more of anything than is looked at.
    """
    blocks = read_blocks([parse_page(html).body])
    text = Counter(snapshot.text.split("\n")) if snapshot else Counter[str]()
    head = (
        {line for line in ((snapshot.title or ""), *(snapshot.lead or "").split("\n")) if line} if snapshot else set()
    )
    if sum(len(block.lines) for block in blocks) > MAX_OUTLINE_LINES:
        raise ExtractError(f"page: more than {MAX_OUTLINE_LINES} lines to compare")
    names = _Names(_weigh(blocks, text))
    lines = []
    for block in blocks:
        label = find_label(block)
        linked = bool(label) or block.link_chars >= _LINKED * block.chars
        lines += [
            OutlineLine(
                line=shorten(line),
                chars=len(line),
                kept=line in text,
                head=line in head,
                linked=linked,
                heading=block.is_heading,
                label=label,
                names=names.of(block.element),
            )
            for line in block.lines
        ]
    shown = {shorten(line) for line in text}
    found = {one.line for one in lines}
    return Outline(
        page_class=page_class,
        lines=tuple(lines),
        names=tuple(names.known),
        text=tuple(shorten(line) for line in snapshot.text.split("\n")) if snapshot else (),
        missed=sum(1 for line in shown if line not in found),
    )


def shorten(line: str) -> str:
    """Return *line*, its end replaced by a digest of it all where it is long."""
    if len(line) <= _SHOWN:
        return line
    return f"{line[: _SHOWN - 40]}… {hashlib.sha256(line.encode()).hexdigest()[:32]}"


def name_element(element: Element) -> list[str]:
    """Return selectors of *element* by its tag and id or classes, the narrowest first; none if it has no such name."""
    if element.tag in _NEVER or not element.tag.isascii() or not element.tag.isalnum():
        return []
    identifier = element.get("id")
    names = [f"{element.tag}#{identifier}"] if is_stable_name(identifier) else []
    classes = [name for name in dict.fromkeys(element.get("class").split()[:40]) if is_stable_name(name)][:_CLASSES]
    if len(classes) > 1:
        names.append(element.tag + "".join(f".{name}" for name in sorted(classes)))
    return names + [f"{element.tag}.{name}" for name in classes]


def name_by_path(element: Element) -> list[str]:
    """Return selectors of a nameless *element* by the nearest named one around it: `div.body > ul`."""
    path = ""
    around: Element | None = element
    for _ in range(_STEPS):
        if around is None or around.tag not in _BOXES:
            return []
        path = f" > {around.tag}{path}"
        around = around.parent
        names = name_element(around) if around is not None else []
        if names:
            return [name + path for name in dict.fromkeys((names[0], names[-1]))]
    return []


def is_stable_name(name: str) -> bool:
    """Whether *name*, a class or an id, is one that a person gave and that CSS needs no escapes for.

    Milder on numbers than `naming`, which sees one page: what is learned was there in each of several captures.
    """
    return _NAME.fullmatch(name) is not None and not is_made_up(name)


class _Names:
    """Gives the selectors of the elements around a block numbers, each once."""

    def __init__(self, weights: dict[Element, float]) -> None:
        self.known: dict[str, int] = {}
        self._weights = weights
        self._numbers: dict[Element, tuple[int, ...]] = {}
        self._given = 0

    def of(self, element: Element) -> tuple[int, ...]:
        """Return the numbers of the selectors of *element* and those around it, the nearest first."""
        found: list[int] = []
        around: Element | None = element
        for _ in range(_LEVELS):
            if around is None or self._weights.get(around, 0.0) > _MOST:
                break
            found += self._own(around)
            around = around.parent
        numbers = tuple(dict.fromkeys(found))
        self._given += len(numbers)
        if self._given > MAX_OUTLINE_REFERENCES:
            raise ExtractError(f"page: more than {MAX_OUTLINE_REFERENCES} names around its lines to compare")
        return numbers

    def _own(self, element: Element) -> tuple[int, ...]:
        known = self._numbers.get(element)
        if known is None:
            names = name_element(element) or name_by_path(element)
            known = tuple(self.known.setdefault(name, len(self.known)) for name in names)
            if len(self.known) > MAX_OUTLINE_NAMES:
                raise ExtractError(f"page: more than {MAX_OUTLINE_NAMES} names of elements to compare")
            self._numbers[element] = known
        return known


def _weigh(blocks: Iterable[Block], text: Counter[str]) -> dict[Element, float]:
    """Return element → the share of the text that it holds."""
    chars: dict[Element, int] = {}
    total = 0
    for block in blocks:
        held = sum(len(line) for line in block.lines if line in text)
        if not held:
            continue
        total += held
        for element in (block.element, *block.element.ancestors()):
            chars[element] = chars.get(element, 0) + held
    return {element: held / total for element, held in chars.items()}
