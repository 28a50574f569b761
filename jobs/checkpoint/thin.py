"""Which captures of an article the fold cannot do without when later ones are added. Pure functions of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.fold import NOT_MODIFIED, Place, Verdict, fold_article

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobs.fold import CaptureFact, Judged


@dataclass(frozen=True, slots=True)
class Answer:
    """A capture as one looks for the record of a payload."""

    place: Place
    target_uri: str
    captured_at: str
    status: int | None
    whole: bool
    """Whether it has a response record that is neither a revisit nor cut."""
    recorded: bool
    """Whether it has a response record at all."""
    revisit_of: Place | None


def list_needed(facts: Iterable[CaptureFact], also: Iterable[Place] = (), *, adopted: Sequence[str] = ()) -> set[Place]:
    """Return the captures of one article that must be kept: with them alone the fold judges later captures alike.

    Left out are captures that only said again, in their own derivation, what the last revision and the last metadata
    were; bad ones, unless they wait for the capture that they refer to; and evidence of deletion, but for the first of
    each kind since the last telling capture. So every capture that is kept meets the same last revision, with the same
    texts, and the same last metadata as it does among all facts. *also* are kept for another reason: they are returned
    with what they cannot be judged without. *adopted*: as for the fold.
    """
    history = fold_article(facts, adopted)
    if not history.captures:
        return set(also)
    needs = _Needs()
    kept = {history.captures[0].fact.place, history.captures[-1].fact.place, *also}
    for judged in history.captures:
        if needs.take(judged):
            kept.add(judged.fact.place)
    if needs.last_telling is not None:
        kept.add(needs.last_telling)
    return needs.complete(kept | set(needs.evidence.values()))


class _Needs:
    """Walks the judged captures of one article in order, and learns which cannot be judged without which."""

    def __init__(self) -> None:
        self.last_telling: Place | None = None
        self.evidence: dict[Verdict, Place] = {}
        """The first of each kind since the last telling capture."""
        self._others: dict[Place, set[Place]] = {}
        """Capture → those that it must not be without."""
        self._suspected: list[Place] = []
        """Evidence since the last telling capture."""
        self._revision: int | None = None
        self._texts: dict[int, set[str]] = {}
        """Revision → its derivations, as far as captures had them."""
        self._metadata: set[str] = set()
        """Derivations of the last metadata."""
        self._changes = 0
        """How often there was other metadata."""
        self._seen: dict[Place, tuple[int | None, int]] = {}
        """Telling capture → its revision, and the number of changes of metadata then."""

    def take(self, judged: Judged) -> bool:
        """Go on by the next capture; return whether it must be kept, whatever comes."""
        place, fact = judged.fact.place, judged.fact
        if judged.read_at is not None:
            self._require(place, judged.read_at)
        if judged.tells:
            return self._take_telling(judged)
        if judged.verdict in {Verdict.SUSPECTED, Verdict.GONE}:
            self.evidence.setdefault(judged.verdict, place)
            self._suspected.append(place)
            if judged.verdict is Verdict.GONE:
                self._require(place, *self.evidence.values())
            return False
        # what it refers to may come yet
        return fact.status == NOT_MODIFIED and fact.revisit_of is not None and judged.read_at is None

    def _take_telling(self, judged: Judged) -> bool:
        place, fact = judged.fact.place, judged.fact
        told = self._take_text(judged) | self._take_metadata(judged)
        self._seen[place] = judged.revision, self._changes
        if judged.read_at is not None and self._seen.get(judged.read_at) != self._seen[place]:
            told = True  # should that one be derived again, this one says more than now
        for one in self._suspected:  # kept without the end of the suspicion, they would make it another
            self._require(one, place)
        if judged.verdict is Verdict.RETURNED:
            self._require(place, self.evidence[Verdict.SUSPECTED])
        self._suspected.clear()
        self.evidence.clear()
        self.last_telling = fact.place
        return told

    def _take_text(self, judged: Judged) -> bool:
        number, derivations = judged.revision, judged.fact.texts.keys()
        told = number is None or number != self._revision or bool(derivations - self._texts[number])
        if number is not None:
            self._revision = number
            self._texts.setdefault(number, set()).update(derivations)
        return told

    def _take_metadata(self, judged: Judged) -> bool:
        derivations = set(judged.fact.metadata)
        if judged.metadata or not derivations & self._metadata:
            self._metadata = derivations
            self._changes += 1
            return True
        told = bool(derivations - self._metadata)
        self._metadata |= derivations
        return told

    def _require(self, place: Place, *others: Place) -> None:
        self._others.setdefault(place, set()).update(others)

    def complete(self, kept: set[Place]) -> set[Place]:
        """Return *kept* with all that those cannot be judged without."""
        waiting, found = list(kept), set(kept)
        while waiting:
            new = self._others.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found


def list_records(answers: Iterable[Answer]) -> set[Place]:
    """Return the captures by which payloads are found again.

    Of each URL: the last answer, the last with status 200, the last whole record, and the records that those stand for.
    """
    ordered = sorted(answers, key=lambda one: (one.captured_at, one.place))
    last = {one.target_uri: one for one in ordered if one.recorded}
    full = {one.target_uri: one for one in ordered if one.recorded and one.status == 200}
    whole = {one.target_uri: one for one in ordered if one.whole}
    chosen = [*last.values(), *full.values(), *whole.values()]
    return {one.place for one in chosen} | {one.revisit_of for one in chosen if one.revisit_of is not None}
