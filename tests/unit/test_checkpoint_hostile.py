"""Checkpoints that lie, though a commit names them with their digest: they end no run, and decide nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import DamageFound, StoreUnavailable
from config.settings import Settings
from config.sources import Source
from jobs.archive.commit import CommitLink, RowsPlace, commit_key, digest, encode_commit
from jobs.archive.log import Log
from jobs.checkpoint import reading, writing
from jobs.checkpoint.layer import MAX_PART_BYTES, layer_key, parse_reference
from jobs.checkpoint.lines import encode_line
from jobs.checkpoint.reading import fetch_thin
from jobs.checkpoint.restoring import refresh_catalog
from jobs.context import OpenArchive
from tests.archives import finish_spool, put
from tests.logs import seal_page
from tests.machines import SOURCE, CountingStore, Look, Machine, fold_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobs.archive.identity import ArchiveInfo
    from jobs.store import StoredObject
    from jobs.store.memory import MemoryStore
    from tests.unit.conftest import MakeCatalog

    Line = dict[str, Any]

STRANGER = "herald-20260101T000000Z-0123456789abcdef"


def change(line: Line, kind: str, **fields: Any) -> Line:
    return {**line, **fields} if line["type"] == kind else line


LIES: dict[str, Callable[[Line], Line]] = {
    "revision that is none": lambda line: change(line, "revision", number=7),
    "revision below the first": lambda line: change(line, "revision", number=0),
    "texts that are none": lambda line: change(line, "revision", texts="[1]"),
    "texts that are no JSON": lambda line: change(line, "revision", texts="{"),
    "time that is none": lambda line: change(line, "capture", captured_at="yesterday"),
    "time without a zone": lambda line: change(line, "article", first_seen="2026-01-01T00:00:00"),
    "names that are none": lambda line: change(line, "commit", derivations="{}"),
    "capture of a stranger": lambda line: change(line, "capture", segment=STRANGER),
    "segment of a stranger": lambda line: change(line, "segment", segment=STRANGER),
}


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("lie", LIES)
def test_lines_that_lie_end_no_run(
    store: MemoryStore,
    info: ArchiveInfo,
    catalogs: MakeCatalog,
    monkeypatch: pytest.MonkeyPatch,
    lie: str,
    full: bool,
) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 1_000))
    writer = Machine(store, info, catalogs("writer"))
    with monkeypatch.context() as patch:
        patch.setattr(writing, "encode_line", lambda line: encode_line(LIES[lie](line)))
        for number in range(5):
            writer.commit([Look("budget", f"*{number}")], number=number)
    machine = Machine(store, info, catalogs("job"))
    refresh_catalog(machine.catalog, store, machine.log, full=full)
    machine.commit([Look("budget", "*9")], number=9)
    refresh_catalog(machine.catalog, store, machine.log, full=True)
    assert machine.catalog.dump() == fold_log(catalogs("log"), store, info)


@pytest.mark.parametrize("fault", ["missing", "bytes", "types"])
def test_who_has_thin_facts_only_sums_the_log_itself_up_where_a_layer_is_spoilt(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Thin parts are sound, so nobody has looked at the facts until they are to be part of a longer layer."""
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 1_000))
    writer = Machine(store, info, catalogs("writer"))
    with monkeypatch.context() as patch:
        if fault == "types":
            patch.setattr(writing, "encode_line", lambda line: encode_line(change(line, "text", digest=[])))
        for number in range(8):
            writer.commit([Look("budget", f"*{number}")], number=number)
    spoil(store, layer_key(SOURCE, 3), fault)
    machine = Machine(store, info, catalogs("job"))
    machine.prepare()
    assert machine.catalog.thin_until(SOURCE) == 6
    for number in range(8, 11):
        stored = machine.commit([Look("budget", f"*{number}")], number=number)
    assert stored.commit.checkpoint is not None
    assert (stored.commit.checkpoint["first"], stored.commit.checkpoint["seq"]) == (1, 9)
    counting = CountingStore(store)
    following = catalogs("next")
    refresh_catalog(following, counting, Log(counting, info, SOURCE), full=True)
    assert sum(line.startswith("GET segments") for line in counting.asked) == 2
    assert following.dump() == fold_log(catalogs("log"), store, info)


def spoil(store: MemoryStore, key: str, fault: str) -> None:
    data = store.get(key)
    if fault == "missing":
        store.delete(key)
    elif fault == "bytes":
        put(store, key, data[:-1] + bytes([data[-1] ^ 1]))


def test_a_list_of_commits_that_lies_goes_on_only_until_the_next_layer(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LEVEL_COMMITS", (4, 12, 1_000))
    writer = Machine(store, info, catalogs("writer"))
    for number in range(7):
        stored = writer.commit([Look("budget", f"*{number}")], number=number)
    first, *rest = stored.commit.since
    lying = replace(stored.commit, since=(replace(first, sha256=digest(b"")), *rest))
    put(store, commit_key(SOURCE, 7), encode_commit(lying))
    machine = Machine(store, info, catalogs("job"))
    machine.prepare()
    assert machine.catalog.thin_until(SOURCE) == 4
    for number in range(7, 9):
        stored = machine.commit([Look("budget", f"*{number}")], number=number)
    assert stored.commit.checkpoint is not None
    assert (stored.commit.checkpoint["first"], stored.commit.checkpoint["seq"]) == (1, 8)
    following = catalogs("next")
    refresh_catalog(following, store, machine.log, full=False)
    assert following.thin_until(SOURCE) == 8
    refresh_catalog(following, store, machine.log, full=True)
    assert following.dump() == fold_log(catalogs("log"), store, info)


@pytest.mark.parametrize("full", [True, False])
def test_a_layer_cannot_speak_of_another_source(catalogs: MakeCatalog, full: bool) -> None:
    catalog = catalogs("one")
    restore = catalog.restore_full if full else catalog.restore_thin
    line = {"type": "segment", "segment": STRANGER, "seq": 1}
    with pytest.raises(DamageFound, match="another source's segment"):
        restore(SOURCE, 1, digest(b""), [], [line])
    assert not catalog.has_segment(STRANGER)


def test_rows_that_a_last_commit_repeats_wrongly_are_left_for_the_log_s(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog
) -> None:
    machine = Machine(store, info, catalogs("writer"))
    for number in range(3):
        stored = machine.commit([Look("budget", f"*{number}")], number=number)
    key = f"segments/{SOURCE}/sealed=2026-01-01/of-a-stranger.warc.gz"
    put(store, key, b"no rows at all")
    place = RowsPlace(key, 0, 14, digest(b"no rows at all"), 1)
    since = (*stored.commit.since[:-1], CommitLink(2, stored.commit.previous, place))
    put(store, commit_key(SOURCE, 3), encode_commit(replace(stored.commit, since=since)))
    catalog = catalogs("job")
    refresh_catalog(catalog, store, machine.log, full=False)
    assert catalog.head(SOURCE)[0] == 3
    assert catalog.list_revisions(SOURCE, Look("budget").url)[-1].number == 3


def test_long_thin_parts_are_fetched_in_pieces(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Watched(CountingStore):
        most = 0

        def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
            data = super().get(key, offset=offset, length=length)
            if key.startswith("checkpoint/"):
                self.most = max(self.most, len(data))
            return data

    monkeypatch.setattr(reading, "_HELD_BYTES", 100)
    machine = Machine(store, info, catalogs("writer"))
    for number in range(11):
        machine.commit([Look(f"page-{number}", f"*{number}")], number=number)
    watched = Watched(store)
    catalog = catalogs("job")
    refresh_catalog(catalog, watched, machine.log, full=False)
    assert catalog.thin_until(SOURCE) == 10
    assert watched.most == 100
    reference = parse_reference(catalog.checkpoint(SOURCE), SOURCE)
    longer = replace(reference.thin, size_bytes=reference.size_bytes + 9)
    with pytest.raises(DamageFound, match=f"found {reference.size_bytes} bytes"):
        fetch_thin(store, replace(reference, thin=longer))


def test_a_layer_that_no_writer_may_make_is_not_asked_for() -> None:
    thin = {"size_bytes": 9, "sha256": digest(b"")}
    named = {
        "key": layer_key(SOURCE, 9),
        "sha256": digest(b""),
        "seq": 9,
        "first": 1,
        "level": 1,
        "size_bytes": 2 * MAX_PART_BYTES,
        "thin": thin,
    }
    assert parse_reference(named, SOURCE).seq == 9
    for wrong in ({"size_bytes": 2 * MAX_PART_BYTES + 1}, {"thin": {**thin, "size_bytes": MAX_PART_BYTES + 1}}):
        with pytest.raises(DamageFound, match="names a checkpoint"):
            parse_reference({**named, **wrong}, SOURCE)


def test_nothing_is_summed_up_while_the_store_takes_nothing(
    store: MemoryStore, info: ArchiveInfo, catalogs: MakeCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A layer is dear to make: not again at each try of an outage."""

    class Down(CountingStore):
        def create(self, key: str, data: bytes | Path, *, sha256: str) -> StoredObject:
            self.asked.append(f"PUT {key}")
            raise StoreUnavailable(f"{key}: 503 for {sha256} in {data!r:.20}")

    monkeypatch.setattr(writing, "LEVEL_COMMITS", (3, 9, 1_000))
    catalog = catalogs("one")
    machine = Machine(store, info, catalog)
    for number in range(3):
        machine.commit([Look("budget", f"*{number}")], number=number)
    down = Down(store)
    archive = OpenArchive(down, info, Settings(), tmp_path / "state", catalog)
    seal_page(archive.spool(SOURCE), source=SOURCE, number=4, archive=info.archive)
    source = Source.model_validate(
        {
            "id": SOURCE,
            "name": "Gazette",
            "home": "https://gazette.example",
            "discover": [{"feed": "https://gazette.example/rss"}],
            "articles": {"include": ["^/"]},
        }
    )
    with pytest.raises(StoreUnavailable):
        finish_spool(archive, source)
    assert next(line for line in down.asked if line.startswith("PUT")).startswith("PUT segments/")
    assert not any("checkpoint/" in line for line in down.asked)
    assert finish_spool(replace(archive, store=store), source) == 1
    assert machine.log.get(4).commit.checkpoint is not None
