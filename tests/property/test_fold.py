"""The fold is a function of the set of facts: no order of commits, no split over runs of the program, changes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from crawler.model import PageClass
from jobs.fold import NOT_MODIFIED, CaptureFact, History, State, Verdict, fold_article

if TYPE_CHECKING:
    from random import Random

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DERIVATIONS = ("sha256:a", "sha256:b", "sha256:c")
TEXTS = ("one", "two", "three")
SEGMENTS = ("gazette-1", "gazette-2", "gazette-3")


@st.composite
def capture_facts(draw: st.DrawFn) -> CaptureFact:
    texts: dict[str, str] = draw(st.dictionaries(st.sampled_from(DERIVATIONS), st.sampled_from(TEXTS), max_size=3))
    classes = [*[PageClass.ARTICLE] * 4, *[PageClass.TRUNCATED] * 2]
    classes += [PageClass.SOFT_404, PageClass.BLOCKED, PageClass.ERROR]
    return CaptureFact(
        captured_at=NOON + timedelta(minutes=draw(st.integers(0, 8))),
        segment=draw(st.sampled_from(SEGMENTS)),
        n=draw(st.integers(0, 6)),
        run=draw(st.sampled_from(["run-1", "run-2", "run-3"])),
        status=draw(st.sampled_from([200, 200, 200, 304, 304, 404, 451, 503, None])),
        page_class=draw(st.sampled_from(classes)),
        native=draw(st.sampled_from([*sorted(texts), *sorted(texts), None])),
        texts=texts,
        metadata={name: draw(st.sampled_from(["by one", "by one", "by two"])) for name in texts},
        revisit_of=draw(st.none() | st.tuples(st.sampled_from(SEGMENTS), st.integers(0, 4))),
        classes={name: draw(st.sampled_from(classes)) for name in texts if draw(st.booleans())},
    )


@st.composite
def list_histories(draw: st.DrawFn) -> list[CaptureFact]:
    """Captures of one article; most of those with status 304 refer to one of the others."""
    facts = draw(st.lists(capture_facts(), max_size=10, unique_by=lambda fact: fact.place))
    return [refer(fact, facts, draw(st.integers(0, 20))) for fact in facts]


def refer(fact: CaptureFact, others: list[CaptureFact], number: int) -> CaptureFact:
    """Return *fact*; an answer of status 304 refers to the capture of that *number* among *others*, round and round."""
    if fact.status != NOT_MODIFIED or not others or number == 20:
        return fact
    return replace(fact, native=None, texts={}, metadata={}, revisit_of=others[number % len(others)].place)


histories = list_histories()
adoptions = st.lists(st.sampled_from(DERIVATIONS), max_size=3, unique=True)


@given(histories, adoptions, st.randoms(use_true_random=False))
def test_order_of_facts_changes_nothing(facts: list[CaptureFact], adopted: list[str], random: Random) -> None:
    shuffled = facts.copy()
    random.shuffle(shuffled)
    assert fold_article(shuffled, adopted) == fold_article(facts, adopted)


@given(histories, adoptions)
def test_history_holds_together(facts: list[CaptureFact], adopted: list[str]) -> None:
    history = fold_article(facts, adopted)
    assert len(history.captures) == len(facts)
    facts = [judged.fact for judged in history.captures if judged.read_at is None]
    assert [revision.number for revision in history.revisions] == list(range(1, len(history.revisions) + 1))
    verdicts = [judged.verdict for judged in history.captures]
    assert verdicts.count(Verdict.NEW) == (1 if any(fact.good or fact.excerpt for fact in facts) else 0)
    assert verdicts.count(Verdict.NEW) + verdicts.count(Verdict.REVISED) == len(history.revisions)
    assert (history.state is State.NONE) == (not history.revisions)
    for revision in history.revisions:
        named = [judged for judged in history.captures if judged.revision == revision.number]
        assert len(named) == revision.captures
        assert named[0].fact == revision.first
        assert revision.first.texts.items() <= revision.texts.items()
    for judged in history.captures:
        has_text = judged.verdict in {"new", "revised", "reverted", "unchanged", "returned"}
        assert has_text == (judged.revision is not None)
        if judged.verdict in {"bad", "suspected", "gone"}:
            assert not judged.fact.good
            assert not judged.tells


@given(histories)
def test_no_two_revisions_are_told_apart_by_nothing(facts: list[CaptureFact]) -> None:
    """A text that an article had in the derivation it was judged in never makes a second revision."""
    history = fold_article(facts)
    for number, revision in enumerate(history.revisions):
        for earlier in history.revisions[:number]:
            assert revision.first.texts != earlier.first.texts


@given(histories, capture_facts())
def test_bad_captures_change_no_other_verdict(facts: list[CaptureFact], extra: CaptureFact) -> None:
    noise = CaptureFact(extra.captured_at, "gazette-9", 99, extra.run, 503, PageClass.ERROR, None, {})
    before = {(judged.fact.segment, judged.fact.n): judged for judged in fold_article(facts).captures}
    after = {(judged.fact.segment, judged.fact.n): judged for judged in fold_article([*facts, noise]).captures}
    assert after.pop(("gazette-9", 99)).verdict is Verdict.BAD
    assert after == before


NEW = "sha256:new"


@dataclass(frozen=True)
class Upgrade:
    """A capture as two programs read it, and which of them read it first."""

    before: CaptureFact
    """As the old one did."""
    text: str
    page_class: PageClass
    metadata: str
    switched: bool
    """Whether the new program captured it."""

    @property
    def by_new(self) -> CaptureFact:
        """As if the new program had always been there."""
        if self.before.native is None:
            return replace(self.before, texts={}, metadata={})
        return replace(
            self.before,
            native=NEW,
            page_class=self.page_class,
            texts={NEW: self.text},
            metadata={NEW: self.metadata},
            classes={NEW: self.page_class},
        )

    def adopt(self, earlier: bool) -> CaptureFact:
        """As it lies in the archive; *earlier*: captured when the new derivation was adopted, so derived again."""
        old, new = self.before, self.by_new
        if old.native is None or (self.switched and not earlier):
            return new
        texts, classes = {**old.texts, **new.texts}, {**old.classes, **new.classes}
        return replace(old, texts=texts, metadata={**old.metadata, **new.metadata}, classes=classes)


@st.composite
def list_upgrades(draw: st.DrawFn) -> list[Upgrade]:
    """Captures whose texts the new program reads all otherwise than the old one, or alike where those differed."""
    return [
        Upgrade(
            before=fact,
            text=draw(st.sampled_from(["ONE", "TWO"])),
            page_class=draw(st.sampled_from([*[PageClass.ARTICLE] * 3, PageClass.TRUNCATED, PageClass.LIVE])),
            metadata=draw(st.sampled_from(["BY ONE", "BY ONE", "BY TWO"])),
            switched=draw(st.booleans()),
        )
        for fact in draw(histories)
    ]


@given(list_upgrades(), st.integers(0, 10), adoptions)
def test_an_adopted_upgrade_tells_what_it_would_have_told_from_the_start(
    upgrades: list[Upgrade], place: int, before: list[str]
) -> None:
    """Wherever in the log it was adopted, whatever was adopted earlier: no revision comes of the change of rules."""
    native = fold_article(upgrade.by_new for upgrade in upgrades)
    adopted = [upgrade.adopt(number < place) for number, upgrade in enumerate(upgrades)]
    told = fold_article(adopted, [NEW, *before])
    assert _tell(told) == _tell(native)
    assert [one.texts[NEW] for one in told.revisions] == [one.texts[NEW] for one in native.revisions]
    assert told.state == native.state


@given(histories)
def test_what_is_adopted_and_has_no_text_changes_nothing(facts: list[CaptureFact]) -> None:
    assert fold_article(facts, ["sha256:none"]) == fold_article(facts)


def _tell(history: History) -> list[tuple[object, ...]]:
    return [
        (one.fact.place, one.fact.page_class, one.verdict, one.revision, one.metadata, one.read_at, one.tells)
        for one in history.captures
    ]
