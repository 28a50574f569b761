"""Whatever a log holds: what is restored from its layers is what a fold of the whole log makes, byte for byte."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.rows import CaptureReference, CaptureRow
from jobs.archive.identity import create_archive
from jobs.catalog import Catalog, SourceVersions
from jobs.checkpoint import writing
from jobs.checkpoint.restoring import refresh_catalog
from jobs.checkpoint.thin import list_needed
from jobs.fold import fold_article
from jobs.rechecks import RecheckPolicy
from jobs.store.memory import MemoryStore
from tests.machines import RULES, SOURCE, START, Again, Look, Machine, derivation_of, fold_log, make_rows
from tests.property.test_fold import adoptions, histories, refer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from jobs.archive.commit import StoredCommit
    from jobs.archive.identity import ArchiveInfo
    from jobs.fold import CaptureFact

PATHS = ("a", "b", "c")
WORDS = ("one", "two", "*three")
DERIVATIONS = ("a", "b")


@dataclass
class Past:
    """What was committed so far, to be referred to."""

    captures: list[tuple[CaptureRow, str, str | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """One commit to be made."""

    looks: tuple[Look, ...]
    again: tuple[tuple[int, str, str], ...]
    """Index of an earlier capture, words or "" for its own, derivation."""
    late: bool
    repeated: bool
    fresh: bool
    """By a machine without state."""
    adopt: str | None = None
    """A derivation that decides from then on; then nothing else is in the commit."""
    unmodified: tuple[tuple[int, int], ...] = ()
    """Answers of status 304: index of an earlier capture, which they refer to, and minutes."""


looks = st.builds(
    Look,
    path=st.sampled_from(PATHS),
    words=st.sampled_from([*WORDS, *WORDS, None]),
    status=st.sampled_from([200, 200, 200, 404, 451, 503, None]),
    purpose=st.sampled_from(["article", "article", "article", "feed"]),
    minutes=st.integers(0, 3),
    derivation=st.sampled_from(DERIVATIONS),
    also=st.sampled_from([(), (), ("b",)]),
    fields=st.sampled_from([{}, {}, {"authors": {"value": ["Anna Weber"], "from": "meta"}}]),
    without=st.sampled_from(["error", "unread", "blocked", "soft-404"]),
)
steps = st.builds(
    Step,
    looks=st.lists(looks, max_size=4).map(tuple),
    again=st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(["", "", "", "four"]), st.sampled_from(DERIVATIONS)), max_size=2
    ).map(tuple),
    late=st.sampled_from([False, False, False, True]),
    repeated=st.sampled_from([False, False, False, False, True]),
    fresh=st.sampled_from([False, False, True]),
    adopt=st.sampled_from([None, None, None, None, None, None, *DERIVATIONS]),
    unmodified=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=2).map(tuple),
)


@pytest.fixture(autouse=True)
def _short_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (2, 5, 12))
    monkeypatch.setattr(writing, "PACK_COMMITS", 1_000_000)  # none: packs have tests of their own


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=3, max_size=26))
def test_layers_hold_all_that_the_log_says(history: list[Step]) -> None:
    with _archive() as (store, info, folder):
        _commit_all(store, info, folder, history)
        with _open(folder, "log") as by_log, _open(folder, "layers") as by_layers, _open(folder, "thin") as thin:
            expected = fold_log(by_log, store, info)
            machine = Machine(store, info, by_layers)
            refresh_catalog(by_layers, store, machine.log, full=True)
            assert by_layers.dump() == expected
            refresh_catalog(thin, store, machine.log, full=False)
            _assert_crawls_alike(by_log, thin)
            refresh_catalog(thin, store, machine.log, full=True)
            assert thin.dump() == expected


class Noting(Machine):
    """A machine that notes what it commits."""

    noted: list[tuple[tuple[Any, ...], dict[str, Any]]]

    def commit(self, *given: Any, **named: Any) -> StoredCommit:
        self.noted.append((tuple(map(tuple, given)), named))
        return super().commit(*given, **named)

    def adopt(self, name: str, *, number: int) -> StoredCommit:
        self.noted.append(((name,), {"number": number}))
        return super().adopt(name, number=number)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_commits_changes_no_history(history: list[Step], random: Random) -> None:
    with _archive() as (store, info, folder), _open(folder, "one") as one:
        machine, past = Noting(store, info, one), Past()
        machine.noted = []
        for number, step in enumerate(history):
            _commit(machine, number, replace(step, repeated=False), past)
        adopts = [noted for noted in machine.noted if isinstance(noted[0][0], str)]
        random.shuffle(machine.noted)
        in_order = iter(adopts)  # their order alone matters
        machine.noted = [next(in_order) if noted in adopts else noted for noted in machine.noted]
        with _archive() as (other_store, other_info, other_folder), _open(other_folder, "other") as other:
            shuffled = Machine(other_store, other_info, other)
            for given, named in machine.noted:
                shuffled.prepare()
                shuffled.adopt(*given, **named) if isinstance(given[0], str) else shuffled.commit(*given, **named)
            refresh_catalog(other, other_store, shuffled.log, full=True)
            assert _tell_histories(other) == _tell_histories(one)


def _tell_histories(catalog: Catalog) -> list[Any]:
    articles = list(catalog.list_articles(SOURCE))
    urls = [row["url"] for row in articles]
    captures = [replace(one, warc_key="") for url in urls for one in catalog.list_captures(SOURCE, url)]
    return [articles, captures, [catalog.list_revisions(SOURCE, url) for url in urls]]


@given(histories, histories, st.sets(st.integers(0, 9), max_size=3), adoptions)
def test_thin_histories_judge_later_captures_alike(
    earlier: list[CaptureFact], later: list[CaptureFact], also: set[int], adopted: list[str]
) -> None:
    """The captures that are kept, and any that come after all of them, have the verdicts that all facts give them."""
    last = max((fact.captured_at for fact in earlier), default=START)
    places = [fact.place for number, fact in enumerate(earlier) if number in also]
    needed = list_needed(earlier, places, adopted=adopted)
    known = [fact for fact in earlier if fact.place in needed]  # what refers to others is noticed when it is folded
    known_places = {fact.place for fact in earlier}
    after = [fact for fact in later if fact.captured_at > last and fact.place not in known_places]
    after = [refer(fact, [*known, *after], number) for number, fact in enumerate(after)]
    kept = [fact for fact in earlier if (fact.segment, fact.n) in needed]
    whole, part = fold_article([*earlier, *after], adopted), fold_article([*kept, *after], adopted)
    told = {(one.fact.place, one.fact.captured_at): one for one in whole.captures}
    for one in part.captures:
        assert told[one.fact.place, one.fact.captured_at] == one
    assert part.state == whole.state
    assert [one.texts for one in part.revisions] == [one.texts for one in whole.revisions]
    assert [one.first for one in part.revisions] == [one.first for one in whole.revisions]


def _commit_all(store: MemoryStore, info: ArchiveInfo, folder: Path, history: list[Step]) -> None:
    past = Past()
    with _open(folder, "old machine") as catalog:
        machine = Machine(store, info, catalog)
        for number, step in enumerate(history):
            machine.prepare()
            if not step.fresh:
                _commit(machine, number, step, past)
                continue
            with _open(folder, f"machine {number}") as new:
                fresh = Machine(store, info, new)
                fresh.prepare()
                _commit(fresh, number, step, past)


def _commit(machine: Machine, number: int, step: Step, past: Past) -> None:
    if step.repeated and number:
        draft = machine.log.get(machine.catalog.head(SOURCE)[0]).commit
        # Another program's way to lose a race: what it had committed, it commits once more.
        machine.append(replace(draft, id=f"{number:032x}", checkpoint=None, since=(), pack=None))
        return
    if step.adopt:
        machine.adopt(step.adopt, number=number)
        return
    opened = START.replace(hour=1) if step.late else None
    again = []
    for index, words, derivation in step.again if past.captures else ():
        row, segment, own = past.captures[index % len(past.captures)]
        again.append(Again(row, segment, words or own or "one", derivation))
    looks = (*step.looks, *_list_unmodified(step, past))
    stored = machine.commit(looks, again, number=number, run=f"run-{number // 2}", opened=opened)
    assert stored.commit.segment is not None
    assert stored.commit.opened is not None
    rows, _ = make_rows(stored.commit.segment, "run", looks, (), stored.commit.opened)
    past.captures += [
        (row, stored.commit.segment, looks[row.n].words)
        for row in rows
        if isinstance(row, CaptureRow) and row.purpose == "article"
    ]


def _list_unmodified(step: Step, past: Past) -> Iterator[Look]:
    """Yield answers of status 304 that refer to earlier captures, now and then to one that is nowhere."""
    for index, minutes in step.unmodified if past.captures else ():
        row, segment, _ = past.captures[index % len(past.captures)]
        place = CaptureReference(segment, row.n if index % 7 else 99)
        yield Look(row.url.rpartition("/")[2], None, status=304, minutes=minutes, revisit_of=place)


def _assert_crawls_alike(whole: Catalog, thin: Catalog) -> None:
    assert thin.head(SOURCE) == whole.head(SOURCE)
    assert list(thin.list_known(SOURCE)) == list(whole.list_known(SOURCE))
    now = START.replace(year=2027)
    for policy in (RecheckPolicy((60, 3600)), RecheckPolicy((60, 3600), raw_only=True), RecheckPolicy((60,), 2)):
        plans = [
            (list(one.list_due(SOURCE, policy, now)), one.measure_plan(SOURCE, policy, START, hours=9))
            for one in (thin, whole)
        ]
        assert plans[0] == plans[1]
    urls = [Look(path).url for path in PATHS]
    assert thin.find_looks(SOURCE, urls) == whole.find_looks(SOURCE, urls)
    for url in urls:
        assert SourceVersions(thin, SOURCE).last(url) == SourceVersions(whole, SOURCE).last(url)
        for raw_only in (False, True):
            found = SourceVersions(thin, SOURCE).find_validators([url], raw_only=raw_only)
            assert found == SourceVersions(whole, SOURCE).find_validators([url], raw_only=raw_only)
        found_listing = SourceVersions(thin, SOURCE).find_listing(url, RULES)
        assert found_listing == SourceVersions(whole, SOURCE).find_listing(url, RULES)
        for derivation in ("sha256:none", *map(derivation_of, DERIVATIONS)):
            assert thin.list_underived(SOURCE, url, derivation) == whole.list_underived(SOURCE, url, derivation)
    assert [row[0] for row in thin.dump()["segments"]] == [row[0] for row in whole.dump()["segments"]]
    judged = {one.place: one for url in urls for one in whole.list_captures(SOURCE, url)}
    for one in (one for url in urls for one in thin.list_captures(SOURCE, url)):
        told = judged[one.place]
        assert (one.verdict, one.revision, one.metadata) == (told.verdict, told.revision, told.metadata)


@contextmanager
def _archive() -> Iterator[tuple[MemoryStore, ArchiveInfo, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        store = MemoryStore()
        yield store, create_archive(store, single_writer=False, now=START), Path(folder)


@contextmanager
def _open(folder: Path, name: str) -> Iterator[Catalog]:
    with Catalog.open(folder / f"{name}.sqlite") as catalog:
        yield catalog
