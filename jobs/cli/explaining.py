"""An explanation → lines for a person who writes a rule, or JSON lines. All that a page says is made harmless first."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from jobs.cli.options import printable, want_colour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.explanation import Explanation, Passage, RuleUse

_LABEL = 14
_MAX_SELECTOR = 40
"""A longer one pushes the rest of its line to the right."""
_SPECIAL = ("title", "lead")


def print_explanation(name: str, explanation: Explanation, *, as_json: bool) -> None:
    """Write *explanation* of the page *name* to stdout: in colour on a terminal, unless NO_COLOR is set."""
    if as_json:
        for line in iterate_json_lines(name, explanation):
            click.echo(line)
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for parts in [[(printable(name), "name")], *_list_head(explanation), [], *_list_passages(explanation), []]:
        click.echo(_paint(parts, width), color=want_colour())


def iterate_json_lines(name: str, explanation: Explanation) -> Iterator[str]:
    """Yield one object for the page, then one for each block."""
    page = asdict(explanation)
    passages = page.pop("passages")
    page = {"kind" if key == "page_class" else "reason" if key == "class_reason" else key: page[key] for key in page}
    for data in [page, *passages]:
        text = json.dumps({"file": name, **data}, ensure_ascii=False)
        # JSON lets control characters from U+007F on stand as they are; a terminal obeys some of them
        yield "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


Parts = list[tuple[str, str]]
"""Text, and what it is: one line."""
_STYLES: dict[str, dict[str, bool | str]] = {
    "name": {"bold": True},
    "label": {"dim": True},
    "note": {"fg": "yellow", "bold": True},
    "kept": {"fg": "green"},
    "special": {"fg": "cyan"},
    "dropped": {"fg": "red"},
    "reason": {"fg": "yellow"},
    "rule": {"fg": "magenta"},
    "faint": {"dim": True},
}


def _paint(parts: Parts, width: int | None) -> str:
    """Return the line in colour (click takes it off where there is none), cut to *width*."""
    pieces = []
    room = width if width is not None else sys.maxsize
    for text, style in parts:
        shown = text[:room]
        room -= len(shown)
        pieces.append(click.style(shown, **_STYLES[style]) if style in _STYLES else shown)  # type: ignore[arg-type]
    return "".join(pieces)


def _list_head(explanation: Explanation) -> Iterator[Parts]:
    yield _label("kind", f"{explanation.page_class}: {explanation.class_reason}")
    if explanation.error is not None:
        return
    confidence = f"confidence {explanation.confidence:g}; " if explanation.has_text else ""
    yield _label("body", explanation.container, f"{confidence}{explanation.container_reason}")
    for statement in explanation.statements:
        source = f"{statement.origin}, in {statement.selector}" if statement.selector else statement.origin
        yield _label(statement.name, _cut(statement.value, 70), source)
    for rule in explanation.rules:
        yield _label("rule", f"{rule.key}: {rule.selector}", _count_matches(rule), style="rule")
    for note in explanation.notes:
        yield [("note".ljust(_LABEL), "label"), (printable(note), "note")]


def _label(name: str, value: str, source: str = "", style: str = "") -> Parts:
    parts = [(printable(name).ljust(_LABEL), "label"), (printable(value), style)]
    return [*parts, (f"  ({printable(source)})", "reason")] if source else parts


def _count_matches(rule: RuleUse) -> str:
    if not rule.matches:
        return "names nothing on this page"
    return f"names {rule.matches} element{'s' if rule.matches > 1 else ''}"


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1]}…"


def _list_passages(explanation: Explanation) -> Iterator[Parts]:
    names = [_name(passage) for passage in explanation.passages]
    column = min(max(map(len, names), default=0), _MAX_SELECTOR)
    for passage, name in zip(explanation.passages, names, strict=True):
        special = passage.kept and passage.reason.startswith(_SPECIAL)
        mark = "special" if special else "kept" if passage.kept else "dropped"
        parts = [("+ " if passage.kept else "- ", mark), (f"{name.ljust(column)}  ", mark)]
        if passage.reason:
            parts.append((f"{printable(passage.reason)}", "rule" if "rule extract." in passage.reason else "reason"))
            parts.append((f" · {_measure(passage)}" if not passage.kept else "", "faint"))
            parts.append((" · ", "faint"))
        parts.append((printable(passage.text), "" if passage.kept else "faint"))
        yield parts


def _name(passage: Passage) -> str:
    count = "" if passage.matches == 1 else f" ×{'?' if passage.matches is None else passage.matches}"
    return f"{printable(passage.selector)}{count}"


def _measure(passage: Passage) -> str:
    inside = f" in {passage.elements} elements" if passage.elements > 1 else ""
    return f"{passage.chars} characters{inside}"
