"""A log that adopts a derivation: what is decided, what is shown, and which commits are refused."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import DamageFound, FormatTooNew
from crawler.rows import CaptureRow
from jobs.archive.adoption import draft_decision, read_adopts
from jobs.archive.commit import Commit, require_supported
from jobs.archive.identity import create_archive, read_info
from jobs.catalog import Catalog
from jobs.store.memory import MemoryStore
from tests.machines import SOURCE, START, Again, Look, Machine, derivation_of, fold_log, make_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.archive.commit import StoredCommit
    from jobs.archive.identity import ArchiveInfo

URL = Look("page").url
OLD, NEW = derivation_of("a"), derivation_of("b")


@pytest.fixture
def open_catalog(tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Catalog.open(tmp_path / f"{name}.sqlite"))


@pytest.fixture
def machine(open_catalog: Any) -> Machine:
    store = MemoryStore()
    return Machine(store, create_archive(store, single_writer=False, now=START), open_catalog("machine"))


def capture(machine: Machine, number: int, words: str, **fields: Any) -> tuple[StoredCommit, CaptureRow]:
    """Commit one capture of the page; *words* as the old derivation has them."""
    look = Look("page", words, **fields)
    stored = machine.commit([look], number=number)
    rows, _ = make_rows(stored.commit.segment or "", "run", [look], (), stored.commit.opened or START)
    return stored, next(row for row in rows if isinstance(row, CaptureRow))


def derive_again(machine: Machine, number: int, *seen: tuple[StoredCommit, CaptureRow, str]) -> None:
    machine.commit(
        [], [Again(row, stored.commit.segment or "", words, "b") for stored, row, words in seen], number=number
    )


def tell(catalog: Catalog) -> list[tuple[Any, ...]]:
    return [(one.verdict, one.revision, one.page_class) for one in catalog.list_captures(SOURCE, URL)]


def test_what_was_derived_again_decides_once_it_is_adopted(machine: Machine, open_catalog: Any) -> None:
    """The old rules took a box for text, which changed; by the new ones the text stayed."""
    first, second, third = (capture(machine, number, f"text and box {number}") for number in range(3))
    derive_again(machine, 3, (*first, "text"), (*second, "text"), (*third, "other text"))
    before = [("new", 1, "article"), ("revised", 2, "article"), ("revised", 3, "article")]
    assert tell(machine.catalog) == before
    title = machine.catalog.read_snapshot(first[0].commit.segment or "", 0)
    assert title is not None
    assert title["derivation"] == OLD
    machine.adopt("b", number=4)
    assert tell(machine.catalog) == [("new", 1, "article"), ("unchanged", 1, "article"), ("revised", 2, "article")]
    shown = machine.catalog.read_snapshot(first[0].commit.segment or "", 0)
    old = machine.catalog.read_snapshot(first[0].commit.segment or "", 0, OLD)
    assert shown is not None
    assert old is not None
    assert (shown["derivation"], old["text"]) == (NEW, title["text"])
    assert shown["text"] != old["text"]
    touched = machine.catalog.list_touched_after(SOURCE, 4, "", 9)
    assert [(one.url, one.seq, one.revisions) for one in touched] == [(URL, 5, 2)]
    expected = fold_log(open_catalog("anew"), machine.store, read_archive(machine))
    assert machine.catalog.dump() == expected


def test_the_newest_adopted_derivation_decides_and_an_older_one_may_be_named_again(machine: Machine) -> None:
    first, second = (capture(machine, number, f"text {number}") for number in range(2))
    derive_again(machine, 2, (*first, "one"), (*second, "one"))
    machine.adopt("b", number=3)
    assert [verdict for verdict, _, _ in tell(machine.catalog)] == ["new", "unchanged"]
    machine.adopt("a", number=4)
    assert [verdict for verdict, _, _ in tell(machine.catalog)] == ["new", "revised"]
    assert machine.catalog.list_adopted(SOURCE) == [OLD, NEW]
    machine.adopt("b", number=5)
    assert [verdict for verdict, _, _ in tell(machine.catalog)] == ["new", "unchanged"]
    assert machine.catalog.list_adopted(SOURCE) == [NEW, OLD]


def test_a_capture_that_had_no_text_has_that_of_an_adopted_derivation(machine: Machine) -> None:
    found = machine.commit([Look("page", None)], number=0)
    rows, _ = make_rows(found.commit.segment or "", "run", [Look("page", None)], (), START)
    row = next(row for row in rows if isinstance(row, CaptureRow))
    derive_again(machine, 1, (found, row, "a text"))
    assert tell(machine.catalog) == [("bad", None, "error")]
    machine.adopt("b", number=2)
    (only,) = machine.catalog.list_captures(SOURCE, URL)
    assert (only.verdict, only.page_class) == ("new", "article")
    assert only.class_reason.startswith("derived again; captured as error: ")


def test_a_catalog_of_thin_facts_asks_for_all_when_a_derivation_is_adopted(machine: Machine, open_catalog: Any) -> None:
    seen = [capture(machine, number, f"text {number}") for number in range(12)]
    job = Machine(machine.store, read_archive(machine), open_catalog("job"))
    job.prepare()
    assert job.catalog.thin_until(SOURCE)
    derive_again(machine, 20, *((*one, "one") for one in seen))
    machine.adopt("b", number=21)
    job.prepare()
    assert tell(job.catalog)[1:] == [("unchanged", 1, "article")] * 11
    late = Machine(machine.store, read_archive(machine), open_catalog("late"))
    late.prepare()
    capture(late, 22, "one", derivation="b")
    assert not late.catalog.is_wanting(SOURCE)
    assert tell(late.catalog)[-1] == ("unchanged", 1, "article")


@pytest.mark.parametrize(
    "changes",
    [
        {"requires": ()},
        {"detail": {"adopts": []}},
        {"detail": {"adopts": NEW}},
        {"detail": {"adopts": ["b"]}},
        {"detail": {"adopts": [NEW] * 65}},
        {"detail": {"adopts": [{"derivation": NEW}]}},
        {"detail": {"adopts": None}},
    ],
)
def test_adoptions_that_break_the_format_are_damage(machine: Machine, changes: dict[str, Any]) -> None:
    capture(machine, 0, "text")
    draft = draft_decision(Commit(SOURCE, "adopt", START, machine.log.archive, id="1" * 32), {NEW: {}})
    assert read_adopts(draft) == (NEW,)
    before = machine.catalog.dump()
    with pytest.raises(DamageFound, match="adopt"):
        machine.append(replace(draft, **changes))
    assert machine.catalog.dump() == before


def test_older_readers_are_told_to_stop(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = machine.adopt("b", number=0)
    assert (stored.commit.requires, stored.commit.format) == (("adopt",), "1.1")
    require_supported(stored.commit.requires, "here")
    monkeypatch.setattr("jobs.archive.commit.SUPPORTED", frozenset())
    with pytest.raises(FormatTooNew, match="adopt"):
        require_supported(stored.commit.requires, "here")


def read_archive(machine: Machine) -> ArchiveInfo:
    return read_info(machine.store)
