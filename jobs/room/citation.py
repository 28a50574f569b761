"""A text of an article → how to cite it, as the room tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.citation import write_bibtex, write_chicago, write_wikipedia
from jobs.room.endpoints import Told

if TYPE_CHECKING:
    from jobs.citation import Citable


class CitationsTold(Told):
    """The same text in the forms in which it is cited."""

    bibtex: str
    chicago: str
    """A note, in plain text."""
    wikipedia: str


def cite(what: Citable) -> CitationsTold:
    """Return the citations of a text."""
    return CitationsTold(bibtex=write_bibtex(what), chicago=write_chicago(what), wikipedia=write_wikipedia(what))
