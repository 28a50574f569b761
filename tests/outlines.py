"""Outlines as the learner gets them, made from a few words."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.model import Outline, OutlineLine, PageClass


@dataclass(frozen=True)
class Line:
    text: str
    names: tuple[str, ...] = ()
    linked: bool = False
    heading: bool = False
    head: bool = False
    kept: bool = True
    label: str = ""


def own(number: int, count: int = 6, names: tuple[str, ...] = ("p.text",)) -> list[Line]:
    """The title and the paragraphs that only article *number* has."""
    title = Line(f"Headline of article {number}", head=True, heading=True)
    return [title] + [
        Line(f"Article {number} says in paragraph {at} what no other one says.", names) for at in range(count)
    ]


def outline(lines: list[Line], page_class: PageClass = PageClass.ARTICLE) -> Outline:
    names = list(dict.fromkeys(name for line in lines for name in line.names))
    return Outline(
        page_class=page_class,
        lines=tuple(
            OutlineLine(
                line=one.text,
                chars=len(one.text),
                kept=one.kept,
                head=one.head,
                linked=one.linked,
                heading=one.heading,
                label=one.label,
                names=tuple(names.index(name) for name in one.names),
            )
            for one in lines
        ),
        names=tuple(names),
        text=tuple(one.text for one in lines if one.kept),
    )
