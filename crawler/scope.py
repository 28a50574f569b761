"""Whether a page that was read is one that its source wants: its section, its language. Pure.

In doubt it is: a page that does not say of what section or in what language it is stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.scope import find_place, list_names
from crawler.languages import is_alike, may_be
from crawler.model import PageClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.sources import Source
    from crawler.compare import LastVersion
    from crawler.model import Link, Snapshot
    from crawler.outcome import PageOutcome

_CERTAIN = 0.9
"""A language that was guessed with less is not known."""
_MAX_CHARS = 400


def describe_scope(source: Source) -> str:
    """Return in words what *source* wants; empty if it wants everything. At most 400 characters."""
    parts = [("sections", source.sections), ("languages", source.languages)]
    told = "; ".join(f"{name}: {', '.join(values)}" for name, values in parts if values)
    return f"wanted {told}"[:_MAX_CHARS] if told else ""


def is_announced_outside(source: Source, link: Link) -> bool:
    """Whether the listing that announces *link* says that it is in a language that *source* does not want."""
    told = link.language
    return told is not None and bool(source.languages) and not any(may_be(told, one) for one in source.languages)


def leave_out(source: Source, url: str, outcome: PageOutcome, last: LastVersion | None) -> PageOutcome:
    """Return *outcome*, without its text and of class OUTSIDE if the page at the normalised *url* is not wanted.

    An article of which the archive has a text stays one. *last*: what is known of it. Not to be asked of a page that
    was named by hand.
    """
    if outcome.snapshot is None or (last is not None and last.state != "none"):
        return outcome
    found = _find_fault(source, url, outcome.snapshot)
    if found is None:
        return outcome
    reason = f"{found}; {describe_scope(source)}"
    return replace(outcome, page_class=PageClass.OUTSIDE, class_reason=reason, snapshot=None, repeatable=False)


def _find_fault(source: Source, url: str, snapshot: Snapshot) -> str | None:
    place = find_place(source.sections, url)
    section, language = snapshot.fields.get("section"), snapshot.fields.get("language")
    if place is False:
        return "in none of the sections"
    if place is None and section is not None and not _is_named(str(section.value), list_names(source.sections)):
        return f"of section {str(section.value)[:100]}"
    if not source.languages or language is None:
        return None
    guessed = language.origin == "guess"
    if guessed and language.confidence is not None and language.confidence < _CERTAIN:
        return None
    tag, fits = str(language.value), is_alike if guessed else may_be
    return None if any(fits(tag, wanted) for wanted in source.languages) else f"in {tag[:40]}"


def _is_named(section: str, names: Sequence[str]) -> bool:
    return " ".join(section.split()).casefold() in {name.casefold() for name in names}
