"""Layers: due at the right moment, named by the next commit, believed only if sound; else the log itself is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import DamageFound, StoreUnavailable
from crawler.rows import CaptureReference
from jobs.archive.commit import commit_key, digest
from jobs.archive.identity import read_info
from jobs.archive.log import Log
from jobs.catalog import SourceVersions
from jobs.checkpoint import layer as layers
from jobs.checkpoint import writing
from jobs.checkpoint.layer import LayerHead, LayerReference, PartPlace, layer_key
from jobs.checkpoint.lines import encode_line
from jobs.checkpoint.restoring import refresh_catalog
from jobs.checkpoint.writing import list_superseded, plan_layer, sum_up
from jobs.segments.seal import seal_segment
from jobs.verify import verify_archive
from tests.archives import put, write_segment
from tests.machines import RULES, SOURCE, START, CountingStore, Look, Machine, fold_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from jobs.archive.commit import Commit, StoredCommit
    from jobs.archive.identity import ArchiveInfo
    from jobs.store import StoredObject
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 1_000))


def write(machine: Machine, first: int, last: int) -> StoredCommit:
    """Commit numbers *first* to *last*: two articles each, the second one revised all the time."""
    for number in range(first, last + 1):
        stored = machine.commit([Look(f"page-{number % 5}"), Look("live", f"*{number}")], number=number)
    return stored


def reference(seq: int, first: int, level: int) -> LayerReference:
    return LayerReference(layer_key(SOURCE, seq), 9, "sha256:" + "0" * 64, seq, first, level, PartPlace(3, "sha256:0"))


def test_layers_are_due_at_ten_a_hundred_and_a_thousand() -> None:
    stack: tuple[LayerReference, ...] = ()
    made: list[tuple[int, int, int]] = []
    for seq in range(1, 2_346):
        plan = plan_layer(stack, seq)
        if plan is not None:
            assert [one.seq for one in (*plan.below, *plan.merged)] == [one.seq for one in stack]
            stack = (*plan.below, reference(seq, plan.first, plan.level))
            made.append((plan.level, plan.first, seq))
    assert made[0] == (1, 1, 10)
    assert made[9:11] == [(2, 1, 100), (1, 101, 110)]
    assert (3, 1, 1_000) in made
    assert (3, 1_001, 2_000) in made
    assert [one.level for one in stack] == [3, 3, 2, 2, 2, 1, 1, 1, 1]
    assert stack[-1].seq == 2_340
    assert sum(one.seq - one.first + 1 for one in stack) == 2_340
    written = sum(seq - first + 1 for _, first, seq in made)
    assert written <= 3 * 2_345


def test_late_layers_are_of_the_level_of_the_multiple_that_they_pass() -> None:
    stack = (reference(97, 1, 1),)
    plan = plan_layer(stack, 108)
    assert plan is not None
    assert (plan.level, plan.first, plan.merged, plan.touched_after) == (2, 1, stack, 0)
    assert plan_layer((reference(108, 1, 2),), 117) is None


def test_a_job_starts_with_few_requests_at_the_worst_moment(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Layers of all three levels, and as long a tail as there can be: only the levels' lengths are shortened."""
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (10, 20, 50))
    machine = Machine(store, info, catalogs("writer"))
    end = write(machine, 0, 79)
    assert [(one["level"], one["seq"]) for one in machine.catalog.list_layers(SOURCE)] == [(3, 50), (2, 60), (1, 70)]
    assert [link.seq for link in end.commit.since] == list(range(71, 80))
    counting = CountingStore(store)
    catalog = catalogs("job")
    refresh_catalog(catalog, counting, Log(counting, read_info(counting), SOURCE), full=False)
    assert catalog.head(SOURCE) == (80, end.digest)
    assert len(counting.asked) == 17, (
        counting.asked
    )  # beside a lease's two, and one if the tail's listing has two pages
    assert not any(line.startswith("PUT") for line in counting.asked)
    whole = machine.catalog
    for path in ("page-1", "live"):
        url = Look(path).url
        assert SourceVersions(catalog, SOURCE).last(url) == SourceVersions(whole, SOURCE).last(url)
        found = SourceVersions(catalog, SOURCE).find_validators([url])
        assert found == SourceVersions(whole, SOURCE).find_validators([url])
    assert catalog.has_segment(machine.log.get(3).commit.segment or "")


def test_a_young_log_starts_with_no_more_than_its_rows(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    write(Machine(store, info, catalogs("writer")), 0, 9)
    counting = CountingStore(store)
    catalog = catalogs("job")
    refresh_catalog(catalog, counting, Log(counting, info, SOURCE), full=False)
    assert sum(line.startswith("GET") for line in counting.asked) == 11
    refresh_catalog(catalog, counting, Log(counting, info, SOURCE), full=True)
    assert catalog.dump() == fold_log(catalogs("log"), store, info)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("modified", [True, False])
def test_a_job_knows_how_to_ask_a_listing_that_it_has_not_seen_for_long(
    store: MemoryStore,
    info: ArchiveInfo,
    catalogs: MakeCatalog,
    modified: bool,
) -> None:
    """By thin facts alone: the last answer, the record that it stands for, and what its run found settled."""
    machine = Machine(store, info, catalogs("writer"))
    feed = Look("feed", None, purpose="feed")
    first = machine.commit([feed], number=0, run="first").commit.segment
    assert first is not None
    if not modified:
        again = Look("feed", None, 304, purpose="feed", revisit_of=CaptureReference(first, 0))
        machine.commit([again], number=1, run="second")
    for number in range(2, 14):
        machine.commit([Look("page")], number=number, run=f"run-{number}")
    job = catalogs("job")
    refresh_catalog(job, store, machine.log, full=False)
    assert job.thin_until(SOURCE) > 9
    found = SourceVersions(job, SOURCE).find_listing(feed.url, RULES)
    assert found is not None
    assert (found.record.segment, found.not_modified) == (first, 0 if modified else 1)
    assert found == SourceVersions(machine.catalog, SOURCE).find_listing(feed.url, RULES)
    assert SourceVersions(job, SOURCE).find_listing(feed.url, "of other tests") is None


@pytest.mark.usefixtures("short")
def test_machines_without_state_go_on_as_one(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> None:
    for number in range(25):
        machine = Machine(store, info, catalogs(f"job-{number}"))
        machine.prepare()
        write(machine, number, number)
    restored = catalogs("restored")
    refresh_catalog(restored, store, Log(store, info, SOURCE), full=True)
    assert restored.dump() == fold_log(catalogs("log"), store, info)
    assert len(restored.list_layers(SOURCE)) <= 4


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("spoilt", [9, 21])
@pytest.mark.parametrize("fault", ["missing", "bytes", "fold", "requires", "source", "types", "unknown", "lacking"])
def test_layers_that_cannot_be_used_are_left_aside(
    store: MemoryStore,
    info: ArchiveInfo,
    catalogs: MakeCatalog,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    spoilt: int,
    full: bool,
) -> None:
    machine = Machine(store, info, catalogs("writer"))
    write(machine, 0, spoilt - 1)
    with monkeypatch.context() as patch:
        spoil_writer(patch, fault)
        write(machine, spoilt, spoilt)
    write(machine, spoilt + 1, 22)
    spoil_object(store, layer_key(SOURCE, spoilt), fault)
    catalog = catalogs("restored")
    refresh_catalog(catalog, store, machine.log, full=full)
    refresh_catalog(catalog, store, machine.log, full=True)
    assert catalog.distrusted_until(SOURCE) == 21
    assert catalog.dump() == fold_log(catalogs("log"), store, info)
    # Whoever had to read the whole log builds anew from the ground, so that the next one need not.
    write(Machine(store, info, catalog), 23, 28)
    counting = CountingStore(store)
    following = catalogs("next")
    refresh_catalog(following, counting, Log(counting, info, SOURCE), full=True)
    assert sum(line.startswith("GET segments") for line in counting.asked) <= 7
    assert following.dump() == fold_log(catalogs("log"), store, info)


def spoil_writer(patch: pytest.MonkeyPatch, fault: str) -> None:
    """Let layers be written that say something else; the commits that name them are right about their bytes."""
    heads: dict[str, dict[str, Any]] = {"requires": {"requires": ("moved-facts",)}, "source": {"source": "herald"}}
    lines: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "types": lambda line: {**line, "n": str(line["n"])} if "n" in line else line,
        "unknown": lambda line: {**line, "type": "trace"} if line["type"] == "commit" else line,
        "lacking": lambda line: {**line, "digest": digest(b"")} if line["type"] == "text" else line,
    }
    if fault == "fold":
        patch.setattr(writing, "FOLD", 1)
    elif fault in heads:
        patch.setattr(writing, "LayerHead", lambda **fields: LayerHead(**{**fields, **heads[fault]}))
        patch.setattr(layers, "layer_key", lambda _, seq: layer_key(SOURCE, seq))
    elif fault in lines:
        patch.setattr(writing, "encode_line", lambda line: encode_line(lines[fault](line)))


def spoil_object(store: MemoryStore, key: str, fault: str) -> None:
    data = store.get(key)
    if fault == "missing":
        store.delete(key)
    elif fault == "bytes":
        put(store, key, bytes([data[0] ^ 1]) + data[1:])


@pytest.mark.usefixtures("short")
def test_a_store_without_checkpoints_is_no_obstacle(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    class Refusing(CountingStore):
        def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
            if key.startswith("checkpoint/"):
                raise StoreUnavailable("the answer was lost")
            return super().create(key, data, sha256=sha256)

    end = write(Machine(Refusing(store), info, catalogs("writer")), 0, 20)
    assert end.commit.checkpoint is None
    assert len(end.commit.since) == 20
    assert not list(store.list("checkpoint/"))


@pytest.mark.usefixtures("short")
def test_a_layer_that_was_put_and_never_named_is_ignored_or_put_again(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("writer"))
    write(machine, 0, 2)
    first = sum_up(machine.catalog, store, machine.log)  # and here it dies
    assert machine.log.get(3).commit.checkpoint is None
    catalog = catalogs("other")
    refresh_catalog(catalog, store, machine.log, full=True)
    assert catalog.dump() == machine.catalog.dump()
    assert sum_up(machine.catalog, store, machine.log) == first  # the same facts make the same bytes
    put(store, layer_key(SOURCE, 3), b"of a stranger")
    stored = write(Machine(store, info, catalog), 3, 3)
    assert stored.commit.checkpoint is None
    stored = write(Machine(store, info, catalog), 4, 4)
    assert stored.commit.checkpoint is not None
    assert stored.commit.checkpoint["seq"] == 4


@pytest.mark.usefixtures("short")
def test_who_loses_the_race_names_the_newest_layer(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    slow, fast = Machine(store, info, catalogs("slow")), Machine(store, info, catalogs("fast"))
    write(slow, 0, 2)
    fast.prepare()
    named = sum_up(slow.catalog, store, slow.log)
    write(fast, 3, 7)
    after, head = slow.catalog.head(SOURCE)
    draft = replace(fast.log.get(8).commit, id="f" * 32, segment=None, run=None, files=(), rows=None, kind="ledger")
    stored, others = slow.log.append(replace(draft, **named), after=after, head=head)
    assert [one.commit.seq for one in others] == [4, 5, 6, 7, 8]
    assert stored.commit.checkpoint == others[-1].commit.checkpoint
    assert stored.commit.checkpoint is not None
    assert stored.commit.checkpoint["seq"] > named["checkpoint"]["seq"]
    assert [link.seq for link in stored.commit.since] == list(range(stored.commit.checkpoint["seq"] + 1, 9))


@pytest.mark.usefixtures("short")
def test_facts_that_thin_ones_cannot_judge_bring_all_facts(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("writer"))
    write(machine, 0, 10)
    machine.commit([Look("live", "*3")], number=11, opened=START)  # a spool that came back
    catalog = catalogs("job")
    refresh_catalog(catalog, store, machine.log, full=False)
    assert not catalog.thin_until(SOURCE)
    refresh_catalog(catalog, store, machine.log, full=True)
    assert catalog.dump() == fold_log(catalogs("log"), store, info)


@pytest.mark.usefixtures("short")
def test_layers_that_longer_ones_cover_may_go(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> None:
    machine = Machine(store, info, catalogs("writer"))
    write(machine, 0, 22)
    there = [item.key for item in store.list("checkpoint/")]
    superseded = list_superseded(store, machine.log)
    kept = [one["key"] for one in machine.catalog.list_layers(SOURCE)]
    assert sorted([*kept, *superseded]) == there
    for key in superseded:
        store.delete(key)
    catalog = catalogs("restored")
    counting = CountingStore(store)
    refresh_catalog(catalog, counting, Log(counting, info, SOURCE), full=True)
    assert sum(line.startswith("GET segments") for line in counting.asked) <= 3
    assert catalog.dump() == fold_log(catalogs("log"), store, info)


@pytest.mark.usefixtures("short")
def test_an_archive_with_layers_is_sound(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, tmp_path: Path
) -> None:
    machine = Machine(store, info, catalogs("writer"))
    for number in range(11):
        now = START + timedelta(hours=number)
        closed = write_segment(tmp_path / "spool", archive=info.archive, now=now, run=f"gazette-run-{number}")
        machine.append(put_files(store, closed, now))
    report = verify_archive(store, full=True)
    assert not report.damaged, [str(finding) for finding in report.findings]
    assert len(list(store.list("checkpoint/"))) == 3


def put_files(store: MemoryStore, closed: Path, now: datetime) -> Commit:
    """Put the files of a closed segment and return the commit to be."""
    sealed = seal_segment(closed, now=now)
    for file in sealed.draft.files:
        store.create(file.key, sealed.local_file(file), sha256=file.sha256)
    return sealed.draft


def test_a_log_that_lost_what_this_machine_saw_is_damage(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 1_000))
    machine = Machine(store, info, catalogs("writer"))
    write(machine, 0, 12)
    catalog = catalogs("job")
    refresh_catalog(catalog, store, machine.log, full=False)
    store.delete(commit_key(SOURCE, 13))
    with pytest.raises(DamageFound, match="commit 13 was seen here"):
        refresh_catalog(catalog, store, machine.log, full=True)


@pytest.mark.usefixtures("short")
def test_a_304_is_judged_alike_by_thin_facts(store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog) -> None:
    machine = Machine(store, info, catalogs("writer"))
    places = []
    for number in range(9):
        texts = [Look("edited", f"*{number // 4}"), Look("stays")]
        segment = machine.commit(texts, number=number).commit.segment
        places.append(segment or "")
    sees = [Look("stays", None, status=304, revisit_of=CaptureReference(places[0], 1))]
    machine.commit(sees, number=9)
    machine.commit(sees, number=10)
    job = Machine(store, info, catalogs("job"))
    job.prepare()
    assert job.catalog.thin_until(SOURCE)
    job.commit(sees, number=11)
    assert not job.catalog.is_wanting(SOURCE)
    left_out = CaptureReference(places[1], 0)  # a text that was only said again
    job.commit([Look("edited", None, status=304, revisit_of=left_out)], number=12)
    assert job.catalog.is_wanting(SOURCE)
    job.prepare()
    assert job.catalog.dump()["captures"] == fold_log(catalogs("log"), store, info)["captures"]
    for catalog in (job.catalog, catalogs("log")):
        assert [one.verdict for one in catalog.list_captures(SOURCE, Look("edited").url)][-1] == "reverted"
        assert [one.verdict for one in catalog.list_captures(SOURCE, Look("stays").url)][-3:] == ["unchanged"] * 3
