"""A snapshot → the state of an article that is compared: title, lead, the lines of its body, fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TIMES = frozenset({"published", "modified"})


@dataclass(frozen=True, slots=True)
class State:
    """An article as one capture has it, in normal form."""

    title: str | None
    lead: str | None
    lines: tuple[str, ...]
    """The text without title and lead."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Name → value, as FORMAT.md § 5 names them."""
    page_class: str = "article"

    @property
    def language(self) -> str:
        """The main part of its language tag; empty if it is not known."""
        return str(self.fields.get("language") or "").partition("-")[0].lower()

    @property
    def paragraphs(self) -> list[str]:
        """Lead and lines: what is read as the lead may be read as a line at another time."""
        return [line for line in (self.lead, *self.lines) if line]

    def list_strings(self, name: str) -> list[str]:
        """Return the texts of a field that has several; none if it has not."""
        value = self.fields.get(name)
        return [one for one in value if isinstance(one, str)] if isinstance(value, (list, tuple)) else []


def read_state(snapshot: Mapping[str, Any]) -> State:
    """Return the state of a *snapshot*: a row's `title`, `lead`, `text`, `fields` and `class`.

    Title and lead are taken off the text where they stand at its beginning; a lead that the normal form left out, since
    it says nothing new, is none.
    """
    title, lead = snapshot.get("title"), snapshot.get("lead")
    lines = str(snapshot.get("text") or "").split("\n")
    if title and lines[0] == title:
        del lines[0]
    size = _measure_lead(lead, lines) if lead else 0
    return State(
        title or None,
        lead if size else None,
        tuple(line for line in lines[size:] if line),
        dict(_list_values(snapshot.get("fields") or {})),
        str(snapshot.get("class") or "article"),
    )


def _list_values(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each of a row's *fields*; a time that was guessed is none that the page states."""
    for name, found in fields.items():
        if isinstance(found, dict) and not (name in _TIMES and found.get("from") == "guess"):
            yield name, found.get("value")


def _measure_lead(lead: str, lines: list[str]) -> int:
    """Return how many of the first *lines* are the *lead*, whose own line ends are folded; 0 if it is not there."""
    at = 0
    for size, line in enumerate(lines, 1):
        if not lead.startswith(line, at):
            return 0
        at += len(line)
        if at == len(lead):
            return size
        at += 1  # the space that a line's end was folded to
    return 0
